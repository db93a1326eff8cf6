"""A layer's lr_scale: its own learning rate, whatever the optimizer."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import classes, settled
from fastnn.optim import OPTIMIZERS

LAYERS = (
    fnn.Dense(6, lr_scale=0.25),
    fnn.BatchNorm(lr_scale=0.5),
    fnn.Tanh(),
    fnn.LayerNorm(lr_scale=2.0),
    fnn.Dense(3, lr_scale=0.0),
)
SCALES = {"0": 0.25, "1": 0.5, "3": 2.0, "4": 0.0}
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
def test_is_a_factor_on_the_rate(rng, name, l2):
    """Of plain arrays updated tensor by tensor, each at a rate of its own."""
    rule = RULES[name]
    net = settled(fnn.Sequential(*LAYERS, dtype="float64"), rng)
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
            lr = SCALES[n[0]] * rule.lr
            rule.update(state[n], gradients[n], states[n], lr=lr)
        trainer.step(*data)
        for n in names:
            np.testing.assert_allclose(
                net.state_dict()[n], state[n], rtol=1e-9, atol=1e-12, err_msg=n
            )


@pytest.mark.parametrize("layer", [fnn.BatchNorm, fnn.LayerNorm])
def test_mistakes(layer):
    for value in (-0.5, np.nan, np.inf):
        with pytest.raises(ValueError, match="lr_scale must be a finite number >= 0"):
            layer(lr_scale=value)
    with pytest.raises(TypeError, match="lr_scale"):
        layer(lr_scale="1")
    net = fnn.Sequential(layer(lr_scale=0.5), fnn.Dense(3))
    with pytest.raises(ValueError, match="layer 0: lr_scale must be 1 with LBFGS"):
        fnn.Trainer(net, optimizer="lbfgs")
