"""The same bits for any number of threads, and for a row alone or in company."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import (
    BLOCKS,
    EVERYTHING,
    MORE,
    bits,
    classes,
    curves,
    features,
    settled,
)

NETS = {
    "mlp": [fnn.Dense(33, "relu"), fnn.Dense(17, "tanh"), fnn.Dense(3)],
    "everything": list(EVERYTHING),
    "blocks": list(BLOCKS),
    "batchnorm first": [fnn.BatchNorm(), fnn.Dropout(0.2), fnn.Dense(40), fnn.Dense(3)],
    "more": list(MORE),
    "wide, more": [
        fnn.Dense(300, weight_norm=True, dropconnect=0.1),
        fnn.Maxout(150),
        fnn.Dense(3, dropconnect=0.5),
    ],
    "wide": [fnn.Dense(300), fnn.BatchNorm(), fnn.SiLU(), fnn.Dense(200), fnn.Dense(3)],
}

# batch sizes against 203 rows: last batches of 3, 1, 71 and 203 rows
BATCHES = [8, 101, 132, 500]


def _fit(name, data, validation, dtype, n_threads, **options):
    net = fnn.Sequential(*NETS[name], dtype=dtype, seed=2)
    history = net.fit(
        *data,
        epochs=3,
        validation_data=validation,
        metrics=["accuracy", "auc"],
        n_threads=n_threads,
        **options,
    )
    return bits(net), curves(history)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch_size", BATCHES)
@pytest.mark.parametrize("name", NETS)
def test_fit(rng, name, batch_size, dtype):
    data, validation = classes(rng, 203), classes(rng, 301)
    options = {"optimizer": fnn.Adam(lr=0.01), "clip_norm": 0.5, "l2": 1e-3}
    if name == "mlp":  # and without the extra stage of clipping
        options = {"optimizer": fnn.SGD(0.1, momentum=0.9), "max_norm": 2.0}
    first, *others = [
        _fit(name, data, validation, dtype, n, batch_size=batch_size, **options)
        for n in (1, 2, 3, 8)
    ]
    for other in others:
        assert other[1] == first[1]  # each number of the curves
        assert other[0] == first[0]  # each bit of parameters and statistics


def test_automatic_threads_too(rng):
    data = classes(rng, 203)
    automatic = _fit("everything", data, data, "float32", None, batch_size=32)
    assert automatic == _fit("everything", data, data, "float32", 1, batch_size=32)


def test_seeds_tell_runs_apart(rng):
    """The comparison above can fail."""
    X, y = classes(rng, 50)
    nets = [fnn.Sequential(*EVERYTHING, seed=seed) for seed in (0, 0, 1)]
    for net in nets:
        net.fit(X, y, epochs=1)
    assert bits(nets[0]) == bits(nets[1]) != bits(nets[2])


@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
def test_steps(rng, n_threads):
    """Batches that grow and shrink from step to step."""
    sizes = (1, 7, 64, 3, 130, 64, 2)
    nets = [fnn.Sequential(*EVERYTHING, seed=4) for _ in range(2)]
    trainers = [
        fnn.Trainer(net, clip_norm=1.0, n_threads=n)
        for net, n in zip(nets, (1, n_threads), strict=True)
    ]
    for size in sizes:
        X, y = classes(rng, size)
        assert trainers[0].step(X, y) == trainers[1].step(X, y)
    assert bits(nets[0]) == bits(nets[1])


def test_steps_are_those_of_a_fit(rng):
    X, y = classes(rng, 48)
    fitted, stepped = (fnn.Sequential(*EVERYTHING, seed=4) for _ in range(2))
    fitted.fit(X, y, epochs=2, batch_size=16, shuffle=False, l1=1e-3)
    trainer = fnn.Trainer(stepped, l1=1e-3)
    for _ in range(2):
        for begin in range(0, 48, 16):
            trainer.step(X[begin : begin + 16], y[begin : begin + 16])
    assert bits(fitted) == bits(stepped)


# -- predictions ----------------------------------------------------------------------


def _assert_rows_alone(net, X):
    together = net.predict(X, n_threads=1)
    alone = np.concatenate([net.predict(X[i : i + 1]) for i in range(len(X))])
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_predicts_the_same_alone_at_every_width(rng, dtype):
    for width in range(1, 71):
        layers = [fnn.Dense(width, "gelu"), fnn.LayerNorm(), fnn.Dense(71 - width)]
        if width % 2:
            layers = [
                *(fnn.Maxout(width, 3), fnn.RMSNorm(), fnn.PReLU(per_unit=True)),
                fnn.Dense(71 - width, weight_norm=True, dropconnect=0.5),
            ]
        net = fnn.Sequential(*layers, dtype=dtype)
        rows = 1 + width % 9
        _assert_rows_alone(net.build(width), features(rng, rows, width))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 2, 3, 5, 17, 63, 64, 65, 129, 257])
def test_a_row_predicts_the_same_alone_in_every_batch(rng, rows, dtype):
    layers = [fnn.Dense(30), fnn.BatchNorm(), fnn.Mish(), fnn.Dense(24, "tanh")]
    for outputs in (1, 3, 10, 33):
        net = fnn.Sequential(*layers, fnn.Dropout(0.5), fnn.Dense(outputs), dtype=dtype)
        X = features(rng, rows, 33)
        _assert_rows_alone(settled(net, rng, 33), X)
        wanted = net.predict(X, n_threads=1)
        for n_threads in (2, 3, 8):
            np.testing.assert_array_equal(net.predict(X, n_threads=n_threads), wanted)
        for start in range(1, min(rows, 5)):
            np.testing.assert_array_equal(net.predict(X[start:]), wanted[start:])
        for layer in range(len(net.layers)):
            np.testing.assert_array_equal(
                net.hidden(X, layer)[-1:], net.hidden(X[-1:], layer)
            )


def test_the_last_hidden_layer_is_the_prediction(rng):
    net = settled(fnn.Sequential(*EVERYTHING), rng)
    X = features(rng, 9)
    np.testing.assert_array_equal(net.hidden(X, -1), net.predict(X))
    # an activation of its own is told apart from the layer it is computed with
    before, after = net.hidden(X, 1), net.hidden(X, 2)
    np.testing.assert_array_equal(np.maximum(before, 0), after)
    assert (before < 0).any()
