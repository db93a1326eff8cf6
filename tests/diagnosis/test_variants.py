"""Networks with one thing changed: what is changed, and that nothing else is."""

import numpy as np
import pytest

import fastnn as fnn
from fastnn.diagnosis import variants
from fastnn.layers.chain import named_layers

Dense, Residual, Maxout, BatchNorm = fnn.Dense, fnn.Residual, fnn.Maxout, fnn.BatchNorm

NORMALISED = [
    (
        (Dense(8, "relu"), Dense(2)),
        (Dense(8), BatchNorm(), fnn.ReLU(), Dense(2)),
    ),
    (
        (Dense(8), fnn.Tanh(), Dense(2)),
        (Dense(8), BatchNorm(), fnn.Tanh(), Dense(2)),
    ),
    ((Maxout(8), Dense(2)), (Maxout(8), BatchNorm(), Dense(2))),
    (
        (Dense(8, "relu"), Residual(Dense(8, "relu"), Dense(8)), fnn.ReLU(), Dense(2)),
        (
            *(Dense(8), BatchNorm(), fnn.ReLU()),
            Residual(Dense(8), BatchNorm(), fnn.ReLU(), Dense(8), BatchNorm()),
            fnn.ReLU(),
            Dense(2),
        ),
    ),
    (
        (Residual(Maxout(4), survival=0.5, projection=True), Dense(2)),
        (Residual(Maxout(4), BatchNorm(), survival=0.5, projection=True), Dense(2)),
    ),
    (
        (Residual(Residual(Dense(3))), Dense(2)),
        (Residual(Residual(Dense(3), BatchNorm())), Dense(2)),
    ),
    ((Dense(8), fnn.LayerNorm(), Dense(2)), None),
    ((Residual(Dense(8), BatchNorm()), Dense(2)), None),
    ((Dense(2),), None),
]


@pytest.mark.parametrize(("layers", "expected"), NORMALISED)
def test_normalised(layers, expected):
    changed = variants.normalised(layers)
    assert changed == expected
    if changed is not None:
        assert changed != variants.redrawn(layers)  # more than another draw
        X = np.random.default_rng(0).standard_normal((40, 3))
        net = fnn.Sequential(*changed).fit(X, np.arange(40) % 2, epochs=2)
        assert np.isfinite(net.history["loss"]).all()


def test_layers_that_are_normalised_stay_so():
    layers = (Dense(8), BatchNorm(), fnn.ReLU(), Maxout(4), Dense(2))
    inner = [layer for _, layer in named_layers(variants.normalised(layers))]
    assert sum(isinstance(layer, BatchNorm) for layer in inner) == 2


def test_nothing_random_is_left():
    layers = (
        Dense(8, dropconnect=0.5),
        fnn.Dropout(0.5),
        Residual(Dense(8, dropconnect=0.5), fnn.GaussianNoise(1.0), survival=0.5),
        Residual(fnn.Dropout(0.5)),
        Dense(2),
    )
    assert variants.without_dropout(layers) == (
        Dense(8),
        Residual(Dense(8)),
        Residual(fnn.Identity()),
        Dense(2),
    )


def test_what_a_block_skips_by_stays():
    block = Residual(Dense(8, "relu", dropconnect=0.5), survival=0.5, projection=True)
    (changed,) = variants.redrawn((block,))
    assert changed == block
