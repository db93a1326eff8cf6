"""A layer's lr_scale: its own learning rate, whatever the optimizer."""

import dataclasses
from functools import partial

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import classes, settled
from fastnn import layers
from fastnn.optim import OPTIMIZERS

LAYERS = (
    fnn.Dense(6, lr_scale=0.25),
    fnn.BatchNorm(lr_scale=0.5),
    fnn.Tanh(),
    fnn.LayerNorm(lr_scale=2.0),
    fnn.Dense(3, lr_scale=0.0),
)
SCALES = {"0": 0.25, "1": 0.5, "3": 2.0, "4": 0.0}
OTHERS = (
    fnn.Residual(fnn.Dense(6, lr_scale=0.125), fnn.PReLU(lr_scale=4.0), lr_scale=0.25),
    fnn.RMSNorm(lr_scale=0.5),
    fnn.PReLU(per_unit=True, lr_scale=3.0),
    fnn.Maxout(4, lr_scale=0.5),
    fnn.Residual(fnn.Dense(4), projection=True, lr_scale=0.0),
    fnn.Dense(3),
)
OTHER_SCALES = {
    "0.0": 0.125,
    "0.1": 4.0,
    "0.projection": 0.25,
    "1": 0.5,
    "2": 3.0,
    "3": 0.5,
    "4.0": 1.0,
    "4.projection": 0.0,
    "5": 1.0,
}
NETS = {"some": (LAYERS, SCALES), "others": (OTHERS, OTHER_SCALES)}
SPECIAL = {
    "nesterov": fnn.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "decaying adamw": fnn.AdamW(0.01, weight_decay=0.5),
    "decaying lion": fnn.Lion(0.01, weight_decay=0.5),
    "centred": fnn.RMSprop(centered=True, momentum=0.9),
}
RULES = {
    **{name: cls() for name, cls in OPTIMIZERS.items() if name != "lbfgs"},
    **SPECIAL,
}


@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("which", NETS)
def test_is_a_factor_on_the_rate(rng, which, name, l2):
    """Of plain arrays updated tensor by tensor, each at a rate of its own."""
    rule = RULES[name]
    described, scales = NETS[which]
    net = settled(fnn.Sequential(*described, dtype="float64"), rng)
    trainer = fnn.Trainer(net, optimizer=rule, l2=l2)
    names = [n for n in net.state_dict() if n.endswith(("weight", "bias"))]
    states = {n: rule.init(net.state_dict()[n]) for n in names}
    for _ in range(7):
        data = classes(rng, 20)
        state = net.state_dict()
        _, gradients = net.loss_and_gradients(
            *data, loss="cross_entropy", training=True, l2=l2
        )
        for n in names:
            lr = scales[n.rpartition(".")[0]] * rule.lr
            rule.update(state[n], gradients[n], states[n], lr=lr)
        trainer.step(*data)
        for n in names:
            np.testing.assert_allclose(
                net.state_dict()[n], state[n], rtol=1e-9, atol=1e-12, err_msg=n
            )


def test_every_layer_with_parameters_takes_it():
    """And no other: a factor on nothing would be a mistake that nobody sees."""
    needed = {"dense": [2], "maxout": [2], "gaussian_noise": [0.1]}
    needed["residual"] = [fnn.Dense(2)]
    for kind, cls in layers.LAYERS.items():
        learns = cls(*needed.get(kind, ())).tensors(3, "float32")
        fields = {field.name for field in dataclasses.fields(cls)}
        assert ("lr_scale" in fields) == bool(learns), kind


def test_a_block_s_is_its_projection_s(rng):
    with pytest.raises(ValueError, match="lr_scale must be left out where there is no"):
        fnn.Residual(fnn.Dense(3), projection=False, lr_scale=0.5)
    block = fnn.Residual(fnn.Dense(4), survival=0.5, lr_scale=0.5)
    assert repr(block) == "Residual(Dense(4), survival=0.5, lr_scale=0.5)"
    moved = block.around([fnn.Dense(2)])
    assert repr(moved) == "Residual(Dense(2), survival=0.5, lr_scale=0.5)"
    net = fnn.Sequential(fnn.Residual(block, fnn.Dense(2)), fnn.Dense(3))
    with pytest.raises(ValueError, match=r"layer 0\.0: lr_scale must be 1 with LBFGS"):
        net.fit(*classes(rng, 9), optimizer="lbfgs")


@pytest.mark.parametrize(
    "layer",
    [
        *(fnn.BatchNorm, fnn.LayerNorm, fnn.RMSNorm, fnn.PReLU),
        *(partial(fnn.Residual, fnn.Dense(2)), partial(fnn.Dense, 2)),
        partial(fnn.Maxout, 2),
    ],
    ids=["batchnorm", "layernorm", "rmsnorm", "prelu", "residual", "dense", "maxout"],
)
def test_mistakes(layer):
    for value in (-0.5, np.nan, np.inf):
        with pytest.raises(ValueError, match="lr_scale must be a finite number >= 0"):
            layer(lr_scale=value)
    with pytest.raises(TypeError, match="lr_scale"):
        layer(lr_scale="1")
    net = fnn.Sequential(layer(lr_scale=0.5), fnn.Dense(3))
    with pytest.raises(ValueError, match="layer 0: lr_scale must be 1 with LBFGS"):
        fnn.Trainer(net, optimizer="lbfgs")
