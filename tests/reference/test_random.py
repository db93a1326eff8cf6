from itertools import permutations

import numpy as np
import pytest

from fastnn.reference import dropout_backward, dropout_forward, permutation, philox4x32

WORD = 0xFFFFFFFF


def philox_word_by_word(counter, key):
    """Philox4x32-10 in Python's integers, straight from the definition."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (
            (p1 >> 32) ^ c1 ^ k0,
            p1 & WORD,
            (p0 >> 32) ^ c3 ^ k1,
            p0 & WORD,
        )
        k0, k1 = (k0 + 0x9E3779B9) & WORD, (k1 + 0xBB67AE85) & WORD
    return c0, c1, c2, c3


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [  # known answers of the Random123 distribution
        ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([WORD] * 4, [WORD] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_known_answers(counter, key, expected):
    words = philox4x32(counter, key)
    assert words.dtype == np.uint32
    assert " ".join(f"{word:08x}" for word in words) == expected
    assert " ".join(f"{w:08x}" for w in philox_word_by_word(counter, key)) == expected


def test_philox_on_many_counters(rng):
    counters = rng.integers(0, 2**32, size=(3, 5, 4), dtype=np.uint32)
    key = [123, WORD]
    words = philox4x32(counters, key)
    assert words.shape == (3, 5, 4)
    for index in np.ndindex(3, 5):
        expected = philox_word_by_word(counters[index].tolist(), key)
        assert tuple(words[index].tolist()) == expected


@pytest.mark.parametrize(
    ("p", "seed", "step", "layer"),
    [(0.5, 0, 0, 0), (0.2, 2**40 + 17, 3, 5), (0.9, 2**64 - 1, 2**32 + 3, 65535)],
)
def test_dropout_follows_the_contract(p, seed, step, layer):
    x = np.arange(1.0, 22.0).reshape(7, 3)
    y, mask = dropout_forward(x, p, seed, step, layer=layer)
    key = (seed & WORD, seed >> 32)
    for row, column in np.ndindex(7, 3):
        counter = (column, row // 4, 1 << 16 | layer, step % 2**32)
        word = philox_word_by_word(counter, key)[row % 4]
        assert mask[row, column] == (word >= int(p * 2**32))
    np.testing.assert_array_equal(y, np.where(mask, x * (1.0 / (1.0 - p)), 0.0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_keeps_the_mean_and_the_dtype(dtype):
    x = np.ones((400, 250), dtype=dtype)
    y, mask = dropout_forward(x, 0.3, seed=1, step=2)
    assert (y.dtype, mask.dtype) == (np.dtype(dtype), np.dtype(bool))
    # standard deviation of the share kept: sqrt(0.21 / 1e5) = 0.0014
    assert abs(mask.mean() - 0.7) < 0.006
    assert abs(y.mean() - 1.0) < 0.01
    np.testing.assert_array_equal(dropout_backward(x, mask, 0.3), y)


def test_dropout_of_a_row_does_not_depend_on_the_others():
    x = np.ones((9, 6))
    _, mask = dropout_forward(x, 0.5, seed=3, step=4)
    _, fewer = dropout_forward(x[:5, :2], 0.5, seed=3, step=4)
    np.testing.assert_array_equal(mask[:5, :2], fewer)


def test_dropout_masks_differ():
    x = np.ones((16, 16))
    masks = [
        dropout_forward(x, 0.5, seed=seed, step=step, layer=layer)[1]
        for seed, step, layer in [
            (0, 0, 0),
            (1, 0, 0),
            (2**32, 0, 0),
            (0, 1, 0),
            (0, 0, 1),
        ]
    ]
    for i, first in enumerate(masks):
        for second in masks[i + 1 :]:
            assert 0.35 < (first == second).mean() < 0.65


def test_no_dropout_at_p_zero():
    x = np.ones((5, 2))
    y, mask = dropout_forward(x, 0.0, seed=0, step=0)
    assert mask.all()
    np.testing.assert_array_equal(y, x)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_dropout_of_nothing(shape):
    y, mask = dropout_forward(np.ones(shape), 0.5, seed=0, step=0)
    assert y.shape == mask.shape == shape


def shuffle_by_the_contract(n, seed, epoch):
    order = list(range(n))
    key = (seed & WORD, seed >> 32)
    for i in range(n - 1, 0, -1):
        block = i // 2
        counter = (block & WORD, block >> 32, 2 << 16, epoch % 2**32)
        words = philox_word_by_word(counter, key)
        low, high = words[:2] if i % 2 == 0 else words[2:]
        j = ((low | high << 32) * (i + 1)) >> 64
        order[i], order[j] = order[j], order[i]
    return order


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 64, 101])
@pytest.mark.parametrize(("seed", "epoch"), [(0, 0), (2**63 + 5, 7), (1, 2**32 + 1)])
def test_permutation_follows_the_contract(n, seed, epoch):
    order = permutation(n, seed, epoch)
    assert order.dtype == np.int64
    assert order.tolist() == shuffle_by_the_contract(n, seed, epoch)


def test_permutations_are_uniform():
    draws = [tuple(permutation(3, seed=5, epoch=e).tolist()) for e in range(6000)]
    counts = [draws.count(order) for order in permutations(range(3))]
    assert sum(counts) == 6000
    # chi-squared with 5 degrees of freedom is below 25 with probability 0.9999
    assert sum((count - 1000) ** 2 / 1000 for count in counts) < 25.0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dropout_forward(np.ones((1, 1)), 1.0, 0, 0), ValueError, "p must be"),
        (lambda: dropout_forward(np.ones((1, 1)), np.nan, 0, 0), ValueError, "p must"),
        (lambda: dropout_forward(np.ones((1, 1)), 0.5, -1, 0), ValueError, "seed must"),
        (lambda: dropout_forward(np.ones((1, 1)), 0.5, 0, -1), ValueError, "step must"),
        (lambda: dropout_forward(np.ones(3), 0.5, 0, 0), ValueError, "1 dimensions"),
        (
            lambda: dropout_backward(np.ones((1, 1)), np.ones((1, 1)), 0.5),
            TypeError,
            "mask must be bool",
        ),
        (
            lambda: dropout_backward(np.ones((1, 1)), np.ones((1, 2), bool), 0.5),
            ValueError,
            "dy has shape",
        ),
        (lambda: permutation(-1, 0, 0), ValueError, "n must be"),
        (lambda: permutation(3, 2**64, 0), ValueError, "seed must be"),
        (lambda: philox4x32([0] * 3, [0, 0]), ValueError, "counter must be 4 words"),
        (lambda: philox4x32([0] * 4, [0]), ValueError, "words of key"),
        (lambda: philox4x32([2**32, 0, 0, 0], [0, 0]), ValueError, "counter must hold"),
        (lambda: philox4x32([0.5] * 4, [0, 0]), TypeError, "must hold integers"),
    ],
)
def test_errors_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()
