"""Whole fits against the NumPy specification: same masks, same shuffles, float64."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import classes, features, settled, targets
from fastnn.reference import MLP

# The gradient of a bias before batch normalisation is 0 but for rounding, which Adam's
# usual eps would blow up to the learning rate.
ADAM = {"lr": 0.02, "eps": 1e-4}

# As a Sequential and as the specification's tuples, whose arrays come from the former.
NETS = {
    "dropout": [fnn.Dense(8), fnn.ReLU(), fnn.Dropout(0.4), fnn.Dense(3)],
    "dropout first": [fnn.Dropout(0.2), fnn.Dense(8), fnn.Tanh(), fnn.Dense(3)],
    "two dropouts": [
        fnn.Dense(8),
        fnn.Tanh(),
        fnn.Dropout(0.5),
        fnn.Dense(7),
        fnn.Dropout(0.1),
        fnn.Dense(3),
    ],
    "batchnorm": [
        fnn.Dense(8),
        fnn.BatchNorm(),
        fnn.GELU(),
        fnn.Dropout(0.3),
        fnn.Dense(6),
        fnn.ELU(0.5),
        fnn.Dense(3),
    ],
    "blocks": [
        fnn.Residual(
            fnn.Dense(8),
            fnn.Tanh(),
            fnn.Residual(fnn.GELU(), fnn.Dropout(0.2), fnn.Dense(8), survival=0.6),
            fnn.Dropout(0.3),
            survival=0.8,
        ),
        fnn.ReLU(),
        fnn.Residual(fnn.Tanh(), fnn.Dense(8), fnn.BatchNorm(), survival=0.9),
        fnn.Dropout(0.2),
        fnn.Dense(3),
    ],
    "prelu": [
        fnn.PReLU(),
        fnn.Dense(8),
        fnn.PReLU(0.1, per_unit=True),
        fnn.Dropout(0.2),
        fnn.Dense(3),
    ],
    "maxout": [fnn.Maxout(8), fnn.Maxout(6, 3), fnn.Dense(3)],
    "rmsnorm": [fnn.RMSNorm(), fnn.Dense(8), fnn.RMSNorm(), fnn.Tanh(), fnn.Dense(3)],
    "alpha dropout": [fnn.Dense(8), fnn.SELU(), fnn.AlphaDropout(0.2), fnn.Dense(3)],
    "noise": [
        fnn.GaussianNoise(0.2),
        fnn.Dense(9),
        fnn.GaussianNoise(0.1),
        fnn.Dense(3),
    ],
    "weight norm": [fnn.Dense(8, weight_norm=True), fnn.Tanh(), fnn.Dense(3)],
    "noise in blocks": [
        fnn.Residual(
            *(fnn.GaussianNoise(0.1), fnn.Maxout(8), fnn.RMSNorm()),
            fnn.Residual(fnn.Dense(8, dropconnect=0.2), fnn.AlphaDropout(0.1)),
        ),
        fnn.PReLU(),
        fnn.Residual(fnn.Dense(6, weight_norm=True), survival=0.8),
        fnn.Dense(3),
    ],
    "dropconnect": [
        fnn.Dense(8, dropconnect=0.3),
        fnn.Tanh(),
        fnn.Dense(7, dropconnect=0.6),
        fnn.Dense(3),
    ],
}

# What stands beside a layer's tensors in the specification's tuples.
SETTINGS = {
    "maxout": ["pieces"],
    "dropout": ["p"],
    "alpha_dropout": ["p"],
    "gaussian_noise": ["std"],
}


def _specification(net, **options):
    return MLP(_tuples(net.layers, net.state_dict()), seed=net.seed, **options)


def _tuples(given, state, prefix=""):
    layers = []
    for position, layer in enumerate(given):
        i = f"{prefix}{position}"
        if isinstance(layer, fnn.Residual):
            inner = _tuples(layer.layers, state, f"{i}.")
            projection = state.get(f"{i}.projection.weight")
            layers.append(("residual", inner, projection, layer.survival))
            continue
        names = layer.tensors(1, "float64")
        tensors = [state[f"{i}.{n}"] for n in names if not n.startswith(("run", "num"))]
        if isinstance(layer, fnn.Dense) and layer.weight_norm:
            layers.append(("weight_norm", *tensors))
        elif isinstance(layer, fnn.Dense) and layer.dropconnect:
            layers.append(("dropconnect", *tensors, layer.dropconnect))
        elif tensors or layer.kind in SETTINGS:
            settings = [getattr(layer, name) for name in SETTINGS.get(layer.kind, ())]
            layers.append((layer.kind, *tensors, *settings))
        else:
            alpha = [layer.alpha] if isinstance(layer, fnn.ELU) else []
            layers.append(("activation", layer.kind, *alpha))
    return layers


def _assert_same(net, spec, rtol=1e-10):
    scale = np.abs(spec.parameters).max()
    np.testing.assert_allclose(
        net.parameters, spec.parameters, rtol=0, atol=rtol * scale
    )


@pytest.mark.parametrize("seed", [0, 12345678901234567890])
@pytest.mark.parametrize("name", NETS)
def test_a_fit(rng, name, seed):
    """Shuffles, masks, a short last batch, Adam; validation after each epoch."""
    net = fnn.Sequential(*NETS[name], seed=seed, dtype="float64").build(5)
    spec = _specification(net, **ADAM)
    X, y = classes(rng, 103)
    validation = classes(rng, 150)
    history = net.fit(
        X,
        y,
        optimizer=fnn.Adam(**ADAM),
        epochs=6,
        batch_size=16,
        validation_data=validation,
    )
    wanted = spec.fit(
        X, y, epochs=6, batch_size=16, seed=seed, validation_data=validation
    )
    for key in ("loss", "val_loss"):
        np.testing.assert_allclose(history.history[key], wanted[key], rtol=1e-10)
    _assert_same(net, spec)
    np.testing.assert_allclose(
        net.predict(validation[0]), spec.predict(validation[0]), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("n_threads", [1, 3])
def test_early_stopping(rng, n_threads):
    """The same epoch is the best, and its weights and statistics are back."""
    net = fnn.Sequential(*NETS["batchnorm"], seed=5, dtype="float64").build(5)
    spec = _specification(net, **ADAM)
    (X, y), validation = classes(rng, 60), classes(rng, 90)
    history = net.fit(
        X,
        y,
        optimizer=fnn.Adam(**ADAM),
        epochs=200,
        batch_size=16,
        validation_data=validation,
        early_stopping=fnn.EarlyStopping(patience=4),
        n_threads=n_threads,
    )
    wanted = spec.fit(
        X,
        y,
        epochs=200,
        batch_size=16,
        seed=5,
        validation_data=validation,
        early_stopping_patience=4,
    )
    assert len(wanted["loss"]) < 200
    np.testing.assert_allclose(
        history.history["val_loss"], wanted["val_loss"], rtol=1e-10
    )
    assert history.best_epoch == int(np.argmin(wanted["val_loss"]))
    _assert_same(net, spec)
    assert net.evaluate(*validation)["loss"] == pytest.approx(
        spec.evaluate(*validation), rel=1e-10
    )


@pytest.mark.parametrize(
    "loss",
    [
        *("mse", "squared_error", "mae", "huber", "log_cosh", "quantile", "poisson"),
        *("focal", "binary_cross_entropy", "hinge"),
    ],
)
def test_losses(rng, loss):
    net = settled(fnn.Sequential(*NETS["dropout"], seed=9, dtype="float64"), rng)
    net.parameters[:] *= 0.3  # exp(output) must not explode
    spec = _specification(net, loss=loss, rule="sgd", lr=0.05, momentum=0.9)
    kinds = {"poisson": "counts", "focal": "classes"}
    kinds |= dict.fromkeys(("binary_cross_entropy", "hinge"), "labels")
    X, y = features(rng, 50), targets(rng, kinds.get(loss, "values"), 50, 3)
    history = net.fit(
        X, y, loss=loss, optimizer=fnn.SGD(0.05, momentum=0.9), epochs=5, batch_size=7
    )
    wanted = spec.fit(X, y, epochs=5, batch_size=7, seed=9)
    np.testing.assert_allclose(history.history["loss"], wanted["loss"], rtol=1e-10)
    _assert_same(net, spec)


def test_means_and_variances(rng):
    layers = [fnn.Dense(8), fnn.Tanh(), fnn.Dense(4)]
    net = fnn.Sequential(*layers, dtype="float64").build(5)
    spec = _specification(net, loss="gaussian", rule="sgd", lr=0.02)
    X, y = features(rng, 50), targets(rng, "means", 50, 4)
    optimizer = fnn.SGD(0.02)
    history = net.fit(X, y, loss="gaussian", optimizer=optimizer, epochs=5)
    wanted = spec.fit(X, y, epochs=5, batch_size=128, seed=0)
    np.testing.assert_allclose(history.history["loss"], wanted["loss"], rtol=1e-10)
    _assert_same(net, spec)


def test_another_seed_would_show(rng):
    net = fnn.Sequential(*NETS["dropout"], seed=0, dtype="float64").build(5)
    spec = _specification(net, lr=0.01)
    X, y = classes(rng, 50)
    net.fit(X, y, optimizer=fnn.Adam(lr=0.01), epochs=1, batch_size=16)
    spec.fit(X, y, epochs=1, batch_size=16, seed=1)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        _assert_same(net, spec)
