"""Dropout: masks that are the specification's bit for bit."""

import numpy as np
import pytest

from fastnn import kernels, reference

KEYS = [(0, 0, 0), (1, 2, 3), (2**64 - 1, 2**32 - 1, 65535), (2**40 + 5, 2**32 + 1, 9)]


@pytest.mark.parametrize(("seed", "step", "layer"), KEYS)
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.999])
def test_mask_is_the_specification_s(seed, step, layer, p, dtype):
    x = np.ones((37, 53), dtype)
    y, mask = kernels.dropout_forward(x, p, seed, step, layer=layer)
    exact, kept = reference.dropout_forward(x, p, seed, step, layer=layer)
    assert mask.dtype == np.bool_
    np.testing.assert_array_equal(mask, kept)
    np.testing.assert_array_equal(y, exact)


def test_share_of_dropped_elements():
    _, mask = kernels.dropout_forward(np.ones((1000, 1000), np.float32), 0.3, 5, 6)
    # a binomial share of 10^6 draws: standard deviation 0.00046
    assert 1 - mask.mean() == pytest.approx(0.3, abs=0.0025)


def test_another_step_layer_or_seed_is_another_mask():
    x = np.ones((64, 64))
    masks = [
        kernels.dropout_forward(x, 0.5, seed, step, layer=layer)[1]
        for seed, step, layer in ((1, 1, 0), (2, 1, 0), (1, 2, 0), (1, 1, 1))
    ]
    for i, a in enumerate(masks):
        for b in masks[i + 1 :]:
            assert 0.4 < (a == b).mean() < 0.6


def test_a_row_s_mask_does_not_depend_on_the_rows_after_it():
    x = np.ones((101, 20))
    _, whole = kernels.dropout_forward(x, 0.5, 1, 2)
    for rows in (1, 2, 3, 4, 5, 50):
        _, mask = kernels.dropout_forward(x[:rows], 0.5, 1, 2)
        np.testing.assert_array_equal(mask, whole[:rows])


def test_backward_is_the_same_factor(dtype):
    x = np.random.default_rng(0).standard_normal((30, 21)).astype(dtype)
    y, mask = kernels.dropout_forward(x, 0.4, 1, 2)
    np.testing.assert_array_equal(kernels.dropout_backward(x, mask, 0.4), y)


def test_nan_and_infinity_stay_visible(dtype):
    x = np.array([[np.nan, np.inf]] * 64, dtype)
    y, mask = kernels.dropout_forward(x, 0.5, 1, 2)
    assert 0 < mask.sum() < mask.size
    assert not np.isfinite(y).any()
    assert not np.isfinite(kernels.dropout_backward(x, mask, 0.5)).any()


def test_in_place_and_given_masks():
    x = np.ones((10, 7), np.float32)
    exact, kept = kernels.dropout_forward(x, 0.5, 1, 2)
    mask = np.empty((10, 7), bool)
    y, same = kernels.dropout_forward(x, 0.5, 1, 2, out=(x, mask))
    assert y is x
    assert same is mask
    np.testing.assert_array_equal(y, exact)
    np.testing.assert_array_equal(mask, kept)
