"""Every layer, loss and penalty of a network against central differences."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import (
    BLOCKS,
    EVERYTHING,
    LOSSES,
    MORE,
    features,
    settled,
    targets,
)
from gradcheck import assert_network_gradient

ACTIVATIONS = [cls() for cls in dict.fromkeys(fnn.layers.ACTIVATIONS.values())]
ACTIVATIONS += [fnn.LeakyReLU(0.3), fnn.ELU(0.5), fnn.CELU(2.0), fnn.GELU("tanh")]

NETS = {
    "linear": [fnn.Dense(3)],
    "no bias": [fnn.Dense(4, "tanh", use_bias=False), fnn.Dense(3, use_bias=False)],
    "mlp": [fnn.Dense(7, "tanh"), fnn.Dense(6, "silu"), fnn.Dense(3)],
    "activation last": [fnn.Dense(7, "tanh"), fnn.Dense(3, "softplus")],
    "activation first": [fnn.Tanh(), fnn.Dense(3)],
    "relu first": [fnn.ReLU(), fnn.Dense(3, "gelu"), fnn.Dense(3)],
    "two activations": [fnn.Dense(6), fnn.Tanh(), fnn.SiLU(), fnn.Dense(3)],
    "dense with two more": [
        fnn.Dense(6, "elu"),
        fnn.Sigmoid(),
        fnn.Dense(3),
        fnn.Mish(),
    ],
    "activations alone at the end": [fnn.Dense(3), fnn.Softsign(), fnn.GELU()],
    "batchnorm first": [fnn.BatchNorm(), fnn.Dense(3)],
    "batchnorm last": [fnn.Dense(4, "tanh"), fnn.Dense(3), fnn.BatchNorm()],
    "batchnorm alone": [fnn.Dense(3), fnn.BatchNorm(eps=0.1)],
    "batchnorm fused": [fnn.Dense(6), fnn.BatchNorm(), fnn.Tanh(), fnn.Dense(3)],
    "batchnorm and silu": [fnn.Dense(6), fnn.BatchNorm(), fnn.SiLU(), fnn.Dense(3)],
    "batchnorm twice": [
        fnn.Dense(6),
        fnn.BatchNorm(),
        fnn.Tanh(),
        fnn.Dense(5),
        fnn.BatchNorm(),
        fnn.GELU(),
        fnn.Dense(3),
    ],
    "batchnorm after batchnorm": [fnn.BatchNorm(), fnn.BatchNorm(), fnn.Dense(3)],
    "layernorm first": [fnn.LayerNorm(), fnn.Dense(3)],
    "layernorm last": [fnn.Dense(3), fnn.LayerNorm(eps=0.1)],
    "layernorm fused": [fnn.Dense(6), fnn.LayerNorm(), fnn.SiLU(), fnn.Dense(3)],
    "both normalisations": [
        fnn.Dense(6, "tanh"),
        fnn.LayerNorm(),
        fnn.BatchNorm(),
        fnn.Dense(3),
    ],
    "dropout first": [fnn.Dropout(0.4), fnn.Dense(3)],
    "dropout last": [fnn.Dense(3), fnn.Dropout(0.4)],
    "dropout between": [fnn.Dense(6), fnn.Dropout(0.4), fnn.Tanh(), fnn.Dense(3)],
    "dropout twice": [
        fnn.Dense(6, "tanh"),
        fnn.Dropout(0.2),
        fnn.Dropout(0.3),
        fnn.Dense(3),
    ],
    "dropout and batchnorm": [
        fnn.Dense(6),
        fnn.Dropout(0.3),
        fnn.BatchNorm(),
        fnn.Tanh(),
        fnn.Dense(3),
    ],
    "prelu": [fnn.PReLU(per_unit=True), fnn.Dense(6), fnn.PReLU(), fnn.Dense(3)],
    "prelu last": [fnn.Dense(3), fnn.PReLU(0.1, per_unit=True)],
    "maxout": [fnn.Maxout(6, 3), fnn.Tanh(), fnn.Maxout(5), fnn.Dense(3)],
    "maxout alone": [fnn.Maxout(3)],
    "rmsnorm": [
        fnn.RMSNorm(),
        fnn.Dense(6),
        fnn.RMSNorm(0.1),
        fnn.SiLU(),
        fnn.Dense(3),
    ],
    "rmsnorm alone": [fnn.Dense(3), fnn.RMSNorm()],
    "weight norm": [
        fnn.Dense(6, "tanh", weight_norm=True),
        fnn.Dense(3, weight_norm=True, use_bias=False),
    ],
    "dropconnect": [
        fnn.Dense(6, "tanh", dropconnect=0.3),
        fnn.Dense(5, "silu", dropconnect=0.5, use_bias=False),
        fnn.Dense(3),
    ],
    "dropconnect and weight norm": [
        fnn.Dense(6, "tanh", weight_norm=True, dropconnect=0.4),
        fnn.Dense(3, weight_norm=True, dropconnect=0.2),
    ],
    "noise": [
        fnn.GaussianNoise(0.3),
        fnn.Dense(6),
        fnn.AlphaDropout(0.3),
        fnn.Dense(3),
    ],
    "noise last": [fnn.Dense(3), fnn.AlphaDropout(0.3), fnn.GaussianNoise(0.2)],
    "more": list(MORE),
    "more in a block": [
        fnn.Residual(*MORE, survival=0.8),
        fnn.PReLU(),
        fnn.Residual(fnn.Maxout(4), fnn.RMSNorm(), fnn.Tanh()),
        fnn.Dense(3),
    ],
    "block": [fnn.Dense(6), fnn.Residual(fnn.Dense(6), fnn.Tanh()), fnn.Dense(3)],
    "block first": [fnn.Residual(fnn.Tanh(), fnn.Dense(5)), fnn.Dense(3)],
    "block last": [fnn.Dense(3), fnn.Residual(fnn.Dense(3, "gelu"))],
    "block alone": [fnn.Residual(fnn.Dense(3))],
    "block without parameters": [
        fnn.Residual(fnn.Tanh()),
        fnn.Dense(6),
        fnn.Residual(fnn.SiLU()),
        fnn.Dense(3),
    ],
    "block of one more width": [
        fnn.Dense(4, "tanh"),
        fnn.Residual(fnn.Dense(6, "tanh"), fnn.Dense(7)),
        fnn.GELU(),
        fnn.Dense(3),
    ],
    "projection first": [fnn.Residual(fnn.Dense(6, "tanh")), fnn.Dense(3)],
    "projection of equal width": [
        fnn.Dense(4),
        fnn.Residual(fnn.Dense(4, "tanh"), projection=True),
        fnn.Dense(3),
    ],
    "blocks in a row": [
        fnn.Dense(6),
        fnn.Residual(fnn.Dense(6), fnn.Tanh()),
        fnn.Residual(fnn.Dense(5), fnn.SiLU(), fnn.Dense(6)),
        fnn.Softplus(),
        fnn.Residual(fnn.Dense(3)),
    ],
    "blocks within blocks": [
        fnn.Dense(6, "tanh"),
        fnn.Residual(
            fnn.Residual(fnn.Residual(fnn.Dense(6, "tanh")), fnn.Dense(5)),
            fnn.GELU(),
            fnn.Residual(fnn.Dense(4), survival=0.6),
        ),
        fnn.Tanh(),
        fnn.Dense(3),
    ],
    "normalised blocks": [
        fnn.Dense(6),
        fnn.Residual(fnn.BatchNorm(), fnn.Tanh(), fnn.Dense(6), fnn.BatchNorm()),
        fnn.Residual(fnn.LayerNorm(), fnn.SiLU(), fnn.Dense(5), fnn.LayerNorm()),
        fnn.BatchNorm(),
        fnn.Dense(3),
    ],
    "dropout in blocks": [
        fnn.Residual(fnn.Dropout(0.3), fnn.Dense(6), fnn.Tanh(), fnn.Dropout(0.2)),
        fnn.Residual(fnn.Dropout(0.4)),
        fnn.Dense(3),
    ],
    "stochastic depth": [
        fnn.Residual(fnn.Dense(6), fnn.BatchNorm(), fnn.Tanh(), survival=0.5),
        fnn.Residual(fnn.Dense(6, "tanh"), survival=0.8),
        fnn.Dense(3),
    ],
    "everything": [
        fnn.Tanh() if layer == fnn.ReLU() else layer for layer in EVERYTHING
    ],
}


def _net(layers, rng, seed=3):
    return settled(fnn.Sequential(*layers, dtype="float64", seed=seed), rng)


# 37 rows are several tiles of uneven heights.
@pytest.mark.parametrize(
    ("training", "rows"),
    [
        (False, 7),
        (True, 37),
        pytest.param(False, 37, marks=pytest.mark.thorough),
        pytest.param(True, 7, marks=pytest.mark.thorough),
    ],
)
@pytest.mark.parametrize("name", NETS)
def test_layers(rng, name, training, rows):
    net = _net(NETS[name], rng)
    X, y = features(rng, rows), targets(rng, "values", rows, 3)
    assert_network_gradient(net, X, y, loss="mse", training=training)


@pytest.mark.parametrize("place", ["fused", "alone", "after normalisation"])
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_activations(rng, activation, place):
    layers = {
        "fused": [fnn.Dense(5, activation), fnn.Dense(2)],
        "alone": [fnn.Dense(5, "tanh"), activation, fnn.Dense(2)],
        "after normalisation": [
            fnn.Dense(5),
            fnn.BatchNorm(),
            activation,
            fnn.Dense(2),
        ],
    }[place]
    net = _net(layers, rng)
    X, y = 2 * features(rng, 6), targets(rng, "values", 6, 2)
    assert_network_gradient(net, X, y, loss="mse", training=True)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_losses(rng, name, weighted):
    loss, outputs, kind = LOSSES[name]
    net = _net([fnn.Dense(4, "tanh"), fnn.Dense(outputs)], rng)
    X, y = features(rng, 11), targets(rng, kind, 11, outputs)
    weight = (
        rng.uniform(0.0, 3.0, size=11) * (rng.random(11) < 0.8) if weighted else None
    )
    assert_network_gradient(net, X, y, loss=loss, sample_weight=weight)


@pytest.mark.parametrize(
    "penalty", [{"l1": 0.3}, {"l2": 0.7}, {"l1": 0.05, "l2": 0.2}], ids=str
)
def test_penalties(rng, penalty):
    X, y = features(rng, 9), targets(rng, "classes", 9, 3)
    for name in ("everything", "more"):
        net = _net(NETS[name], rng)
        options = {"loss": "cross_entropy", "training": True, **penalty}
        assert_network_gradient(net, X, y, **options)


def test_penalties_spare_biases_and_normalisation(rng):
    net = _net(NETS["everything"], rng)
    X, y = features(rng, 9), targets(rng, "classes", 9, 3)
    bare, g0 = net.loss_and_gradients(X, y, loss="cross_entropy")
    both, g1 = net.loss_and_gradients(X, y, loss="cross_entropy", l1=0.3, l2=0.5)
    state = net.state_dict()
    weights = {n: w for n, w in state.items() if n.endswith("weight") and w.ndim == 2}
    penalty = sum(0.3 * abs(w).sum() + 0.25 * (w**2).sum() for w in weights.values())
    assert both == pytest.approx(bare + penalty, rel=1e-13)
    for name, gradient in g0.items():
        extra = 0.0
        if name in weights:
            extra = 0.3 * np.sign(weights[name]) + 0.5 * weights[name]
        np.testing.assert_allclose(g1[name], gradient + extra, rtol=1e-12, atol=1e-15)


def test_a_wide_layer_in_several_slices(rng):
    """300 x 250 doubles are two slices of the gradient; a directional derivative."""
    net = fnn.Sequential(fnn.Dense(300, "tanh"), fnn.Dense(3), dtype="float64")
    X, y = features(rng, 70, 250), targets(rng, "classes", 70, 3)
    net.build(250)
    _, gradients = net.loss_and_gradients(X, y, loss="cross_entropy")
    flat = np.concatenate([g.ravel() for g in gradients.values()])
    w = net.parameters.copy()
    for _ in range(3):
        direction = rng.normal(size=w.size)
        losses = []
        for h in (-1e-4, 1e-4):
            net.parameters[:] = w + h * direction
            losses.append(net.loss_and_gradients(X, y, loss="cross_entropy")[0])
        net.parameters[:] = w
        assert (losses[1] - losses[0]) / 2e-4 == pytest.approx(
            flat @ direction, rel=1e-5
        )


def test_loss_and_gradients_changes_nothing(rng):
    net = _net(EVERYTHING, rng)
    X, y = features(rng, 9), targets(rng, "classes", 9, 3)
    before = {n: a.copy() for n, a in net.state_dict().items()}
    net.loss_and_gradients(X, y, loss="cross_entropy", training=True)
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("layers", [EVERYTHING, MORE])
def test_masks_are_those_of_the_next_step(rng, layers):
    """One step of descent at rate 1 goes against the gradient told before, always."""
    net = _net(layers, rng)
    X, y = features(rng, 9), targets(rng, "classes", 9, 3)
    trainer = fnn.Trainer(net, optimizer=fnn.SGD(lr=1.0))
    for _ in range(3):
        before = net.parameters.copy()
        loss, gradients = net.loss_and_gradients(
            X, y, loss="cross_entropy", training=True
        )
        flat = np.concatenate([g.ravel() for g in gradients.values()])
        assert trainer.step(X, y) == loss
        np.testing.assert_allclose(net.parameters, before - flat, rtol=0, atol=1e-15)


@pytest.mark.parametrize("layers", [EVERYTHING, MORE, BLOCKS])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_bits_for_any_number_of_threads(rng, layers, dtype):
    net = settled(fnn.Sequential(*layers, dtype=dtype), rng)
    X, y = features(rng, 203), targets(rng, "classes", 203, 3)
    results = []
    for n_threads in (1, 2, 3, 8):
        loss, gradients = net.loss_and_gradients(
            X, y, loss="cross_entropy", training=True, n_threads=n_threads
        )
        results.append((loss, {k: v.tobytes() for k, v in gradients.items()}))
    assert all(result == results[0] for result in results)
