"""Each augmentation against its readable twin, and by hand."""

import numpy as np
import pytest
import scipy.stats

from fastnn import augment as a
from fastnn.reference import augment as reference

ROWS, HEIGHT, WIDTH, CHANNELS = 39, 7, 5, 2

# augmentation -> its twin on (rows, height, width, channels), and the tolerance: 0 for
# what only moves numbers about
TWINS = [
    (a.Flip(), lambda x, *key: reference.flip(x, True, False, 0.5, *key), 0),
    (a.Flip(True, True, 0.3), lambda x, *k: reference.flip(x, True, True, 0.3, *k), 0),
    (a.Shift(2), lambda x, *key: reference.shift(x, 2, 0.0, *key), 0),
    (a.Shift(6, fill=-1.5), lambda x, *key: reference.shift(x, 6, -1.5, *key), 0),
    (a.Shift(0.3, fill=2), lambda x, *key: reference.shift(x, 0.3, 2, *key), 0),
    (a.Rotate(25), lambda x, *key: reference.rotate(x, 25, 0.0, *key), 1),
    (a.Rotate(180, fill=3), lambda x, *key: reference.rotate(x, 180, 3, *key), 1),
    (a.Crop(), lambda x, *key: reference.crop(x, (0.8, 1.0), *key), 1),
    (a.Crop((0.05, 0.5)), lambda x, *key: reference.crop(x, (0.05, 0.5), *key), 1),
    (a.Cutout(3), lambda x, *key: reference.cutout(x, 3, 0.0, *key), 0),
    (a.Cutout(4, fill=9), lambda x, *key: reference.cutout(x, 4, 9, *key), 0),
]


def _flat(function):
    return lambda x, *key: function(x.reshape(len(x), -1), *key).reshape(x.shape)


TWINS += [
    (a.Noise(0.3), _flat(lambda x, *key: reference.noise(x, 0.3, *key)), 1),
    (a.Brightness(0.4), _flat(lambda x, *key: reference.brightness(x, 0.4, *key)), 1),
    (a.Contrast(0.5), _flat(lambda x, *key: reference.contrast(x, 0.5, *key)), 1),
    (
        a.Mixup(0.4),
        _flat(lambda x, *key: reference.mixup(x, x, 0.4, *key)[0]),
        1,
    ),
]


def _pictures(rng, dtype="float64"):
    return rng.normal(size=(ROWS, HEIGHT, WIDTH, CHANNELS)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("augment", "twin", "rounds"), TWINS, ids=str)
def test_twins(rng, augment, twin, rounds, dtype):
    X = _pictures(rng, dtype)
    tolerance = rounds * (2e-5 if dtype == "float32" else 1e-12)
    for seed, step in ((0, 0), (2**64 - 1, 1), (7, 2**32 - 1)):
        found = a.preview(X, augment, seed=seed, step=step)
        assert found.dtype == X.dtype
        wanted = twin(X, seed, step)
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
        assert not np.array_equal(found, X)


def test_the_table_holds_every_augmentation():
    assert {type(row[0]) for row in TWINS} == set(a.AUGMENTS.values())


def test_one_after_another(rng):
    """Each has the numbers of its place in the list."""
    X = _pictures(rng)
    found = a.preview(X, [a.Shift(1), a.Flip(), a.Shift(2)], seed=3, step=5)
    wanted = reference.shift(X, 1, 0.0, 3, 5, 0)
    wanted = reference.flip(wanted, True, False, 0.5, 3, 5, 1)
    wanted = reference.shift(wanted, 2, 0.0, 3, 5, 2)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("y", [np.arange(ROWS) % 4, np.linspace(0, 1, ROWS)], ids=str)
def test_mixup_among_others(rng, y):
    """What stands before it is done to both rows, what stands behind to the mixture."""
    X = _pictures(rng)
    listed = [a.Shift(2), a.Noise(0.1), a.Mixup(0.7), a.Flip()]
    found, mixed = a.preview(X, listed, y=y, seed=3, step=5)
    rows = reference.shift(X, 2, 0.0, 3, 5, 0).reshape(ROWS, -1)
    rows = reference.noise(rows, 0.1, 3, 5, 1)
    target = np.eye(4)[y] if y.dtype.kind == "i" else y
    rows, target = reference.mixup(rows, target, 0.7, 3, 5, 2)
    wanted = reference.flip(rows.reshape(X.shape), True, False, 0.5, 3, 5, 3)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(mixed, target, rtol=1e-7, atol=1e-7)


def test_three_rows_of_pixels_by_hand():
    picture = np.arange(9.0).reshape(1, 3, 3)
    flipped = a.Flip(vertical=True, p=1.0).apply(picture)[0]
    np.testing.assert_array_equal(flipped, [[8, 7, 6], [5, 4, 3], [2, 1, 0]])
    pictures = np.repeat(picture, 200, axis=0)
    seen = {tuple(p.ravel()) for p in a.Shift(1, fill=-1).apply(pictures)}
    assert len(seen) == 9  # every shift by -1, 0 or 1 in both directions
    assert (-1, -1, -1, -1, 0, 1, -1, 3, 4) in seen  # down and right
    assert (4, 5, -1, 7, 8, -1, -1, -1, -1) in seen  # up and left
    assert tuple(range(9)) in seen


def test_a_quarter_turn_by_hand():
    """Anticlockwise: the map itself, in the twin, at an angle that is known."""
    picture = np.arange(9.0).reshape(3, 3, 1)
    r, c, middle = reference._from_centre(3, 3)
    # t = 90 degrees: a pixel comes from (c, -r)
    turned = reference._bilinear(picture, c + middle[0], -r + middle[1], 0.0)
    np.testing.assert_array_equal(turned[..., 0], [[2, 5, 8], [1, 4, 7], [0, 3, 6]])


def test_what_does_nothing_does_nothing(rng):
    X = _pictures(rng)
    nothing = [a.Noise(0), a.Brightness(0), a.Contrast(0), a.Rotate(0), a.Flip(p=0)]
    np.testing.assert_allclose(
        a.preview(X, [*nothing, a.Crop((1, 1))]), X, rtol=1e-12, atol=1e-12
    )
    np.testing.assert_array_equal(a.preview(X, []), X)


@pytest.mark.parametrize("alpha", [1e-3, 0.2, 0.5, 1.0, 3.0, 200.0])
def test_shares_are_beta(alpha):
    n = 4000
    y = np.eye(n)
    _, mixed = a.preview(np.zeros((n, 1)), a.Mixup(alpha), y=y, seed=1)
    own = np.diagonal(mixed)
    alone = mixed.max(axis=1) == 1  # a row mixed with itself, or a share of 0 or 1
    if alpha == 1e-3:  # nearly always 0 or 1, as often each
        assert 0.46 < own.mean() < 0.54
        assert np.minimum(own, 1 - own).mean() < 0.01
        return
    assert alone.mean() < 0.2
    assert scipy.stats.kstest(
        own[~alone], scipy.stats.beta(alpha, alpha).cdf
    ).pvalue > (1e-3 if alpha > 0.3 else 0)


def test_partners_are_as_likely():
    n, counts = 8, np.zeros((8, 8))
    for step in range(2000):
        _, mixed = a.preview(
            np.zeros((n, 1)), a.Mixup(1.0), y=np.eye(n), seed=2, step=step
        )
        counts += mixed > 0
    pairs = counts[~np.eye(n, dtype=bool)]
    assert scipy.stats.chisquare(pairs).pvalue > 1e-4


def test_noise_is_normal():
    X = a.Noise(2.0).apply(np.ones((500, 40)), seed=4)
    assert scipy.stats.kstest(X.ravel(), scipy.stats.norm(1, 2).cdf).pvalue > 1e-3
    rows = np.corrcoef(X)[~np.eye(500, dtype=bool)]
    assert abs(rows).max() < 0.8  # no two rows are the same draw
