"""What is wrong with an augmentation: one clear error, and the network as it was."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import bits
from fastnn import augment as a

X = np.ones((6, 4, 3), "float32")
FLAT = X.reshape(6, -1)
Y = np.array([0, 1, 2, 0, 1, 2])

VALUES = [
    (lambda: a.Mixup(0), ["Mixup", "alpha", "> 0", "got 0"]),
    (lambda: a.Mixup(float("nan")), ["Mixup", "alpha", "nan"]),
    (lambda: a.Mixup(-1), ["Mixup", "alpha"]),
    (lambda: a.Noise(-0.1), ["Noise", "std", ">= 0", "got -0.1"]),
    (lambda: a.Noise(float("inf")), ["Noise", "std"]),
    (lambda: a.Brightness(-1), ["Brightness", "limit"]),
    (lambda: a.Contrast(1.5), ["Contrast", "limit", "[0, 1]"]),
    (lambda: a.Flip(p=1.1), ["Flip", "p", "[0, 1]"]),
    (lambda: a.Flip(horizontal=False), ["Flip", "horizontal or vertical", "True"]),
    (lambda: a.Flip(shape=(4,)), ["Flip", "shape", "(4,)"]),
    (lambda: a.Flip(shape=(4, 0)), ["Flip", "shape", "got 0"]),
    (lambda: a.Flip(shape=(2**40, 2**40)), ["Flip", "shape"]),
    (lambda: a.Flip(shape=(10**100, 1)), ["Flip", "shape"]),
    (lambda: a.Cutout(10**100), ["Cutout", "size"]),
    (lambda: a.Shift(0), ["Shift", "limit", "pixels", "got 0"]),
    (lambda: a.Shift(1.5), ["Shift", "limit", "whole number", "1.5"]),
    (lambda: a.Shift(float("inf")), ["Shift", "limit"]),
    (lambda: a.Shift(1, fill=float("nan")), ["Shift", "fill"]),
    (lambda: a.Shift(5, shape=(4, 3)), ["Shift", "limit", "4 x 3", "got 5"]),
    (lambda: a.Rotate(181), ["Rotate", "degrees", "[0, 180]"]),
    (lambda: a.Crop((0.0, 1.0)), ["Crop", "scale", "(0, 1]"]),
    (lambda: a.Crop((0.9, 0.8)), ["Crop", "scale[0]", "0.9", "0.8"]),
    (lambda: a.Cutout(0), ["Cutout", "size", ">= 1"]),
    (lambda: a.Cutout(5, shape=(4, 3)), ["Cutout", "size", "4 x 3", "got 5"]),
]

TYPES = [
    (lambda: a.Mixup("0.2"), ["Mixup", "alpha", "str"]),
    (lambda: a.Noise(None), ["Noise", "std"]),
    (lambda: a.Flip(1), ["Flip", "horizontal", "True or False"]),
    (lambda: a.Flip(shape=12), ["Flip", "shape", "(height, width)", "12"]),
    (lambda: a.Flip(shape=(4.0, 3)), ["Flip", "shape"]),
    (lambda: a.Shift(True), ["Shift", "limit"]),
    (lambda: a.Cutout(2.5), ["Cutout", "size", "integer"]),
    (lambda: a.Crop(0.8), ["Crop", "scale", "tuple"]),
]


@pytest.mark.parametrize(
    ("error", "make", "words"),
    [(ValueError, *row) for row in VALUES] + [(TypeError, *row) for row in TYPES],
)
def test_settings(error, make, words):
    with pytest.raises(error) as caught:
        make()
    for word in words:
        assert word in str(caught.value)


def _ones(outputs, y):
    return np.ones(len(y)), np.zeros_like(outputs)


FITS = [
    (FLAT, {"augment": "flip"}, TypeError, ["augment", "list", "'flip'"]),
    (FLAT, {"augment": [a.Mixup(), "flip"]}, TypeError, ["augment[1]", "'flip'"]),
    (
        FLAT,
        {"augment": a.Mixup},
        TypeError,
        ["augment[0]", "class Mixup", "Mixup(...)"],
    ),
    (FLAT, {"augment": [fnn.Dropout()]}, TypeError, ["augment[0]", "Dropout"]),
    (FLAT, {"augment": 3}, TypeError, ["augment", "int 3"]),
    (
        FLAT,
        {"augment": [a.Mixup(), a.Mixup(1)]},
        ValueError,
        ["augment[1]", "second Mixup", "augment[0]"],
    ),
    (
        FLAT,
        {"augment": [a.Noise(0.1), a.Flip()]},
        ValueError,
        ["augment[1]", "Flip", "shape=(height", "12 features"],
    ),
    (
        FLAT,
        {"augment": a.Cutout(2)},
        ValueError,
        ["augment[0]", "Cutout", "shape=(height"],
    ),
    (
        FLAT,
        {"augment": a.Flip(shape=(3, 5))},
        ValueError,
        ["augment[0]", "Flip", "3 x 5 = 15", "12 features"],
    ),
    (
        X,
        {"augment": a.Rotate(5, shape=(3, 4))},
        ValueError,
        ["augment[0]", "(3, 4)", "(4, 3)", "leave shape out"],
    ),
    (X, {"augment": a.Shift(4)}, ValueError, ["augment[0]", "Shift", "limit", "4 x 3"]),
    (
        FLAT,
        {"augment": a.Mixup(), "loss": _ones},
        ValueError,
        ["augment[0]", "Mixup", "loss", "function"],
    ),
    (
        FLAT,
        {"augment": a.Noise(0.1), "optimizer": fnn.LBFGS()},
        ValueError,
        ["augment", "LBFGS", "Noise(0.1)", "another optimizer"],
    ),
]


@pytest.mark.parametrize(("rows", "options", "error", "words"), FITS)
def test_fit(rows, options, error, words):
    net = fnn.Sequential(fnn.Dense(3)).build(12)
    before = bits(net)
    with pytest.raises(error) as caught:
        net.fit(rows, Y, **options)
    for word in words:
        assert word in str(caught.value)
    assert bits(net) == before


TURNED = (np.swapaxes(X, 1, 2), Y)
WAYS = {
    "fit": lambda net, *data, **options: net.fit(*data, **options),
    "Trainer.fit": lambda net, *data, **options: fnn.Trainer(net).fit(*data, **options),
    "Ensemble": lambda net, *data, **o: fnn.Ensemble(net, n=2).fit(*data, **o),
    "diagnose": lambda net, *data, **o: fnn.diagnose(net, *data, verbose=0, **o),
    "depth_study": lambda net, *data, **o: fnn.depth_study(net, *data, [1], **o),
}


@pytest.mark.parametrize("way", WAYS)
def test_validation_pictures_of_another_shape(way):
    """As many pixels, but another one at each place in the row."""
    net = fnn.Sequential(fnn.Dense(4), fnn.Dense(3)).build(12)
    before = bits(net)
    for turned in (TURNED, (TURNED[0].tolist(), Y)):
        with pytest.raises(ValueError, match="pictures of shape") as caught:
            WAYS[way](net, X, Y, validation_data=turned)
        for word in ("validation_data[0]", "(3, 4)", "X has", "(4, 3)"):
            assert word in str(caught.value)
    assert bits(net) == before


@pytest.mark.parametrize("rows", [X, X[..., None], FLAT, X.tolist()])
@pytest.mark.parametrize("others", [X, X[..., None], FLAT, list(X)])
def test_validation_pictures_of_the_same_shape(rows, others):
    """One channel need not be said, and flat rows say nothing."""
    net = fnn.Sequential(fnn.Dense(3))
    assert net.fit(rows, Y, validation_data=(others, Y), epochs=1).epoch == [0]


def test_a_loss_function_with_others_than_mixup():
    net = fnn.Sequential(fnn.Dense(3))
    assert net.fit(FLAT, Y, loss=_ones, augment=a.Noise(0.1), epochs=1).epoch == [0]


def test_preview():
    with pytest.raises(ValueError, match="y has shape"):
        a.preview(X, a.Mixup(), y=Y[:3])
    with pytest.raises(ValueError, match="labels 0, 1, "):
        a.preview(X, a.Mixup(), y=Y - 1)
    with pytest.raises(ValueError, match="X has 0 rows"):
        a.preview(X[:0], a.Mixup())
    with pytest.raises(ValueError, match="NaN"):
        a.preview(np.full((2, 2), np.nan), a.Mixup())
    with pytest.raises(ValueError, match="seed must be >= 0"):
        a.preview(X, a.Mixup(), seed=-1)
    with pytest.raises(TypeError, match=r"augment\[0\]"):
        a.preview(X, [None])
    shifted = a.preview(FLAT, a.Shift(1), 7, (4, 3))
    assert shifted.shape == FLAT.shape
    with pytest.raises(ValueError, match="3 x 3 = 9"):
        a.preview(FLAT, a.Shift(1), shape=(3, 3))


def test_pictures_of_another_size():
    net = fnn.Sequential(fnn.Dense(3)).build(12)
    for use in (net.predict, lambda rows: net.fit(rows, Y)):
        with pytest.raises(ValueError, match="4 x 4 = 16") as caught:
            use(np.ones((6, 4, 4)))
        assert "expects 12" in str(caught.value)
    with pytest.raises(ValueError, match=r"\(1, 6, 4, 3, 1\)"):
        net.predict(X[None, ..., None])
