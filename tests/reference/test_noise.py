"""Noise and masks of the specification: their statistics, keys and errors."""

import numpy as np
import pytest

from fastnn.reference import (
    alpha_dropout_backward,
    alpha_dropout_forward,
    dropconnect_forward,
    dropout_forward,
    gaussian_noise,
    philox4x32,
)

SHAPE = (400, 250)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.7])
def test_alpha_dropout_keeps_mean_and_variance(rng, p):
    x = rng.normal(size=SHAPE)
    y, mask = alpha_dropout_forward(x, p, 7, 3, layer=2)
    assert abs(y.mean()) < 0.02
    assert abs(y.std() - 1) < 0.02
    np.testing.assert_array_equal(mask, dropout_forward(x, p, 7, 3, layer=2)[1])
    slope = alpha_dropout_backward(np.ones(SHAPE), mask, p)
    step = alpha_dropout_forward(x + 1, p, 7, 3, layer=2)[0] - y
    np.testing.assert_allclose(slope, step, atol=1e-12)


def test_noise_is_made_of_its_words():
    """Row 2 of column 1, by hand: the cosine of words 2 and 3 of block (1, 0)."""
    words = philox4x32([1, 0, 9 << 16 | 4, 6], [5, 0]).astype(float)
    u, v = (words[2] + 0.5) / 2**32, (words[3] + 0.5) / 2**32
    wanted = np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)
    n = gaussian_noise(np.zeros((5, 2)), 1.0, seed=5, step=6, layer=4)
    assert n[2, 1] == pytest.approx(wanted, rel=1e-14)


def test_what_numbers_depend_on(rng):
    w = rng.normal(size=SHAPE)
    for draw in (
        lambda **key: dropconnect_forward(w, 0.5, **key)[0],
        lambda **key: gaussian_noise(w, 0.5, **key),
        lambda **key: alpha_dropout_forward(w, 0.5, **key)[0],
    ):
        keys = [(0, 0, 0), (0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
        drawn = [draw(seed=a, step=b, layer=c).tobytes() for a, b, c in keys]
        assert drawn[0] == drawn[1]
        assert len(set(drawn)) == 4
    masks = dropconnect_forward(w, 0.5, 0, 0)[1], dropout_forward(w, 0.5, 0, 0)[1]
    assert abs((masks[0] == masks[1]).mean() - 0.5) < 0.01  # unrelated


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_noise_on_nothing(shape):
    x = np.ones(shape)
    assert gaussian_noise(x, 1.0, 0, 0).shape == shape
    assert alpha_dropout_forward(x, 0.5, 0, 0)[0].shape == shape
    assert dropconnect_forward(x, 0.5, 0, 0)[0].shape == shape


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: alpha_dropout_forward(x, 1.0, 0, 0), "p must be"),
        (
            lambda x: alpha_dropout_backward(x, np.ones((1, 1), bool), 0.5),
            "dy has shape",
        ),
        (lambda x: dropconnect_forward(x, -0.1, 0, 0), "p must be"),
        (lambda x: dropconnect_forward(x, 0.1, 0, -1), "step must be"),
        (lambda x: gaussian_noise(x, -1.0, 0, 0), "std must be"),
        (lambda x: gaussian_noise(x, np.inf, 0, 0), "std must be"),
        (lambda x: gaussian_noise(x, 1.0, -1, 0), "seed must be"),
        (lambda x: gaussian_noise(x, 1.0, 0, 0, layer=1 << 16), "layer must be"),
        (lambda x: gaussian_noise(x[0], 1.0, 0, 0), "x has 1 dimensions"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.ones((2, 3)))
