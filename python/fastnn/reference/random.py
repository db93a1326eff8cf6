"""Counter-based random numbers: dropout masks and shuffles that need no generator.

Every number is a pure function of (seed, purpose, layer, step or epoch, position), so
masks and shuffles do not depend on the number of threads, and an interrupted run
resumes without stored state. The counter's words are::

    dropout      (column, row // 4, 1 << 16 | layer, step)   word row % 4
    shuffle      (b mod 2^32, b >> 32, 2 << 16, epoch)       b = i // 2
    gradients    (b mod 2^32, b >> 32, 5 << 16, step)        b = i // 4, words of i
    dropconnect  (input, unit // 4, 8 << 16 | layer, step)   word unit % 4
    noise        (column, row // 4, 9 << 16 | layer, step)   words of a row's pair
    survival     (0, row // 4, 10 << 16 | layer, step)       word row % 4
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastnn.reference._checks import (
    check_floating,
    check_matrix,
    check_range,
    check_shape,
    check_threads,
    stored,
)

if TYPE_CHECKING:
    from fastnn.reference._checks import Array

Words = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

DROPOUT, SHUFFLE, GRADIENT_NOISE = 1 << 16, 2 << 16, 5 << 16
DROPCONNECT, NOISE, SURVIVAL = 8 << 16, 9 << 16, 10 << 16

SELU_SATURATION = -1.7580993408473766
"""What SELU tends to for x to minus infinity: -scale alpha."""

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10


def philox4x32(counter: npt.ArrayLike, key: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    """Return four random words for every counter: Philox4x32-10.

    One round, of ten, is two 32x32 -> 64 bit products, hi_i 2^32 + lo_i = M_i c_{2i}::

        (c0, c1, c2, c3) <- (hi1 ^ c1 ^ k0, lo1, hi0 ^ c3 ^ k1, lo0)
        (k0, k1) <- (k0 + 0x9E3779B9, k1 + 0xBB67AE85)  mod 2^32

    Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
    (SC 2011).

    Parameters
    ----------
    counter : (..., 4) integers in [0, 2^32)
    key : (2,) integers in [0, 2^32)

    Returns
    -------
    (..., 4) uint32

    Examples
    --------
    >>> from fastnn.reference import philox4x32
    >>> [f"{word:08x}" for word in philox4x32([0, 0, 0, 0], [0, 0])]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    c = _words("counter", counter)
    k = _words("key", key)
    check_range("last axis of counter", c.shape[-1], c.shape[-1] == 4, "4 words")
    check_range("words of key", k.size, k.shape == (2,), "2")
    words = _philox(c[..., 0], c[..., 1], c[..., 2], c[..., 3], int(k[0]), int(k[1]))
    return np.stack(np.broadcast_arrays(*words), axis=-1).astype(np.uint32)


def dropout_forward(
    x: Array,
    p: float,
    seed: int,
    step: int,
    *,
    layer: int = 0,
    out: tuple[Array | None, Mask | None] | None = None,
    n_threads: int | None = None,
) -> tuple[Array, Mask]:
    """Zero each element with probability p and scale the others by 1 / (1 - p).

    Srivastava et al., "Dropout" (2014), inverted as torch and Keras do it, so that
    prediction needs no scaling. Element (r, c) is dropped iff its random word is below
    floor(p 2^32); which word that is stands at the head of the module.

    Parameters
    ----------
    x : (rows, columns) float32 or float64
    p : float in [0, 1)
    seed : int in [0, 2^64)
    step : int >= 0
        Taken modulo 2^32; another step, another mask.
    layer : int in [0, 2^16), default 0
        Tells apart the dropout layers of one network.
    out : (y, mask), optional
        Arrays that receive the results, or None for a fresh one; y may be `x`.
    n_threads : int, optional
        As the kernel has it; no matter here.

    Returns
    -------
    y : (rows, columns)
    mask : (rows, columns) bool
        True where kept, for `dropout_backward`.

    Raises
    ------
    ValueError
        p, seed, step or layer out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import dropout_forward
    >>> y, mask = dropout_forward(np.ones((2, 3)), 0.5, seed=0, step=0)
    >>> bool((y == 2.0 * mask).all())
    True
    """
    check_floating(x=x)
    check_threads(n_threads)
    if out is not None and not (isinstance(out, tuple) and len(out) == 2):
        msg = f"out must be None or the tuple (y, mask), got {type(out).__name__}"
        raise TypeError(msg)
    into_y, into_mask = (None, None) if out is None else out
    check_matrix("x", x)
    mask = _kept(x.shape, p, seed, DROPOUT, layer, step)
    y = stored(_scaled(x, mask, p), into_y, "y")
    return y, stored(mask, into_mask, "mask")


def dropout_backward(
    dy: Array,
    mask: Mask,
    p: float,
    *,
    out: Array | None = None,
    n_threads: int | None = None,
) -> Array:
    """Return dx = dy / (1 - p) where kept and 0 where dropped.

    Parameters
    ----------
    dy : (rows, columns)
    mask : (rows, columns) bool
        As `dropout_forward` returned it.
    p : float in [0, 1)
    out : array like `dy`, optional
        Receives the result; may be `dy`.
    n_threads : int, optional
        As the kernel has it; no matter here.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import dropout_backward
    >>> dropout_backward(np.ones((1, 2)), np.array([[True, False]]), 0.5)
    array([[2., 0.]])
    """
    check_floating(dy=dy)
    check_threads(n_threads)
    check_range("p", p, 0.0 <= p < 1.0, "in [0, 1)")
    if mask.dtype != np.bool_:
        msg = f"mask must be bool, got {mask.dtype}: give what dropout_forward returned"
        raise TypeError(msg)
    check_shape("dy", dy, mask.shape, "the shape of mask")
    return stored(_scaled(dy, mask, p), out)


def alpha_dropout_forward(
    x: Array, p: float, seed: int, step: int, *, layer: int = 0
) -> tuple[Array, Mask]:
    """Put s = -1.7581 in place of dropped elements; keep mean 0 and variance 1.

    y = a x + b where kept and a s + b where dropped, with
    a = 1 / sqrt((1 - p) (1 + p s^2)) and b = -a p s: Klambauer et al.,
    "Self-normalizing neural networks" (2017), and ``torch.nn.AlphaDropout``. The mask
    is that of `dropout_forward`.

    Parameters
    ----------
    x, p, seed, step, layer
        As for `dropout_forward`.

    Returns
    -------
    y : (rows, columns)
    mask : (rows, columns) bool
        True where kept, for `alpha_dropout_backward`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import alpha_dropout_forward
    >>> x = np.random.default_rng(0).normal(size=(400, 500))
    >>> y, _ = alpha_dropout_forward(x, 0.3, seed=0, step=0)
    >>> bool(abs(y.mean()) < 0.01 and abs(y.std() - 1.0) < 0.01)
    True
    """
    check_floating(x=x)
    check_matrix("x", x)
    mask = _kept(x.shape, p, seed, DROPOUT, layer, step)
    a = _alpha_slope(p)
    b = -a * p * SELU_SATURATION
    kept = x * x.dtype.type(a) + x.dtype.type(b)
    return np.where(mask, kept, x.dtype.type(a * SELU_SATURATION + b)), mask


def alpha_dropout_backward(dy: Array, mask: Mask, p: float) -> Array:
    """Return dx = a dy where kept and 0 where dropped.

    Parameters
    ----------
    dy : (rows, columns)
    mask : (rows, columns) bool
        As `alpha_dropout_forward` returned it.
    p : float in [0, 1)

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import alpha_dropout_backward
    >>> alpha_dropout_backward(np.ones((1, 2)), np.array([[True, False]]), 0.0).tolist()
    [[1.0, 0.0]]
    """
    check_floating(dy=dy)
    check_shape("dy", dy, mask.shape, "the shape of mask")
    dx: Array = dy * dy.dtype.type(_alpha_slope(p))
    dx *= mask
    return dx


def dropconnect_forward(
    w: Array, p: float, seed: int, step: int, *, layer: int = 0
) -> tuple[Array, Mask]:
    """Zero each weight with probability p and scale the others by 1 / (1 - p).

    One mask for a whole batch; Wan et al., "Regularization of neural networks using
    DropConnect" (2013), draw one a sample. `dropout_backward` takes the gradient of
    what comes out to that of w.

    Parameters
    ----------
    w : (units, inputs) float32 or float64
    p, seed, step, layer
        As for `dropout_forward`.

    Returns
    -------
    masked : (units, inputs)
    mask : (units, inputs) bool

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import dropconnect_forward
    >>> masked, mask = dropconnect_forward(np.ones((3, 2)), 0.5, seed=0, step=0)
    >>> bool((masked == 2.0 * mask).all())
    True
    """
    check_floating(w=w)
    check_matrix("w", w)
    mask = _kept(w.shape, p, seed, DROPCONNECT, layer, step)
    return _scaled(w, mask, p), mask


def gaussian_noise(
    x: Array, std: float, seed: int, step: int, *, layer: int = 0
) -> Array:
    """Return x + std n with standard normal n, by Box and Muller (1958).

    Of the four words of a block, made fractions u_0 to u_3 as for `gradient_noise`, its
    rows get::

        sqrt(-2 log u_0) cos(2 pi u_1), sqrt(-2 log u_0) sin(2 pi u_1)
        sqrt(-2 log u_2) cos(2 pi u_3), sqrt(-2 log u_2) sin(2 pi u_3)

    Parameters
    ----------
    x : (rows, columns) float32 or float64
    std : float >= 0
    seed, step, layer
        As for `dropout_forward`.

    Returns
    -------
    (rows, columns)

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import gaussian_noise
    >>> n = gaussian_noise(np.zeros((400, 500)), 2.0, seed=0, step=0)
    >>> round(float(n.mean()), 1), round(float(n.std()), 1)
    (0.0, 2.0)
    """
    check_floating(x=x)
    check_matrix("x", x)
    check_range("std", std, 0.0 <= std < np.inf, "not negative and finite")
    words = _words_of(x.shape, seed, NOISE, layer, step)
    u = [open_fractions(word, x.dtype) for word in words]
    n = [*box_muller(u[0], u[1]), *box_muller(u[2], u[3])]
    noise = np.stack(n, axis=1).reshape(4 * len(words[0]), x.shape[1])[: len(x)]
    return x + (std * noise).astype(x.dtype)


def survival_factors(
    rows: int, survival: float, seed: int, step: int, *, layer: int = 0
) -> npt.NDArray[np.float64]:
    """Return what the branch of a residual block is multiplied by in each row.

    1 / survival with probability survival, else 0: stochastic depth (Huang et al.
    2016), inverted. Row r keeps its branch iff its random word is below
    floor(survival 2^32); which word that is stands at the head of the module.

    Parameters
    ----------
    rows : int >= 0
    survival : float in (0, 1]
    seed : int in [0, 2^64)
    step : int >= 0
        Taken modulo 2^32.
    layer : int in [0, 2^16), default 0
        Tells apart the blocks of one network.

    Returns
    -------
    (rows,) float64

    Raises
    ------
    ValueError
        survival, seed, step or layer out of range.

    Examples
    --------
    >>> from fastnn.reference import survival_factors
    >>> sorted(set(survival_factors(100, 0.5, seed=0, step=0).tolist()))
    [0.0, 2.0]
    """
    check_range("survival", survival, 0.0 < survival <= 1.0, "in (0, 1]")
    check_range("step", step, step >= 0, "at least 0")
    check_range("layer", layer, 0 <= layer < 1 << 16, "in [0, 65536)")
    blocks = np.arange((rows + 3) // 4, dtype=np.uint64)
    c2, c3 = np.uint64(SURVIVAL | layer), np.uint64(step & 0xFFFFFFFF)
    words = np.stack(_philox(np.uint64(0), blocks, c2, c3, *_key(seed)), axis=1)
    kept = words.ravel()[:rows] < np.uint64(int(survival * 2.0**32))
    return np.where(kept, 1.0 / survival, 0.0)


def permutation(n: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """Return a uniformly random order of 0 .. n-1: the shuffle of an epoch.

    Fisher and Yates' shuffle (Knuth, TAOCP 2, 3.4.2, algorithm P): for i = n-1 .. 1
    swap elements i and j, j = floor(u (i + 1) / 2^64), with u a 64-bit random number
    of its own for every i (Lemire 2019 without the rejection: the bias is below
    n / 2^64).

    Parameters
    ----------
    n : int in [0, 2^32]
    seed : int in [0, 2^64)
    epoch : int >= 0
        Taken modulo 2^32.

    Returns
    -------
    (n,) int64

    Examples
    --------
    >>> from fastnn.reference import permutation
    >>> sorted(permutation(5, seed=0, epoch=0).tolist())
    [0, 1, 2, 3, 4]
    """
    check_range("n", n, 0 <= n <= 1 << 32, "in [0, 2^32]")
    check_range("epoch", epoch, epoch >= 0, "at least 0")
    blocks = np.arange((n + 1) // 2, dtype=np.uint64)
    epoch_word = np.uint64(epoch & 0xFFFFFFFF)
    w0, w1, w2, w3 = _philox(
        blocks & _LOW, blocks >> _HALF, np.uint64(SHUFFLE), epoch_word, *_key(seed)
    )
    low = np.stack([w0, w2], axis=1).ravel()[:n]
    high = np.stack([w1, w3], axis=1).ravel()[:n]
    span = np.arange(1, n + 1, dtype=np.uint64)
    # (u span) >> 64 in two 64-bit steps; neither can overflow as span <= 2^32
    targets = (high * span + (low * span >> _HALF)) >> _HALF
    order = list(range(n))
    for i, j in zip(range(n - 1, 0, -1), targets[:0:-1].tolist(), strict=True):
        order[i], order[j] = order[j], order[i]
    return np.array(order, dtype=np.int64)


def gradient_noise(
    n: int, seed: int, step: int, dtype: npt.DTypeLike = np.float64
) -> Array:
    """Return the standard normal numbers of the noise on n gradients in one step.

    Of a block of four words, each made a fraction u in (0, 1), the first two numbers
    are those of Box and Muller (1958) for words 0 and 1, the others for 2 and 3::

        sqrt(-2 log u_0) cos(2 pi u_1),    sqrt(-2 log u_0) sin(2 pi u_1)
        u = (w + 1/2) / 2^32      or, in float32,      (floor(w / 2^9) + 1/2) / 2^23

    Parameters
    ----------
    n : int >= 0
    seed : int in [0, 2^64)
    step : int >= 0
        Taken modulo 2^32.
    dtype : float32 or float64, default float64
        Whose fractions are taken; all else is computed in float64.

    Returns
    -------
    (n,) float64

    Examples
    --------
    >>> from fastnn.reference import gradient_noise
    >>> z = gradient_noise(10000, seed=0, step=0)
    >>> bool(abs(z.mean()) < 0.05), bool(abs(z.std() - 1) < 0.05)
    (True, True)
    """
    check_range("n", n, n >= 0, "at least 0")
    check_range("step", step, step >= 0, "at least 0")
    blocks = np.arange((n + 3) // 4, dtype=np.uint64)
    step_word = np.uint64(step & 0xFFFFFFFF)
    words = np.stack(
        _philox(
            blocks & _LOW,
            blocks >> _HALF,
            np.uint64(GRADIENT_NOISE),
            step_word,
            *_key(seed),
        ),
        axis=1,
    )
    u = open_fractions(words, dtype)
    z: Array = np.stack(box_muller(u[:, 0::2], u[:, 1::2]), axis=2)
    return z.reshape(-1)[:n]


def open_fractions(words: npt.NDArray[Any], dtype: npt.DTypeLike) -> Array:
    """Return float64 fractions above 0 and below 1, of the bits the dtype holds."""
    bits = 23 if np.dtype(dtype) == np.float32 else 32
    u: Array = ((words.astype(np.uint64) >> np.uint64(32 - bits)) + 0.5) / 2.0**bits
    return u


def box_muller(u: Array, v: Array) -> tuple[Array, Array]:
    """Return two standard normal numbers of two fractions."""
    radius, angle = np.sqrt(-2.0 * np.log(u)), 2.0 * np.pi * v
    return radius * np.cos(angle), radius * np.sin(angle)


def _words_of(
    shape: tuple[int, ...], seed: int, purpose: int, layer: int, step: int
) -> tuple[Words, Words, Words, Words]:
    """Return four words a block and column, the w-th those of rows 4 block + w."""
    check_range("step", step, step >= 0, "at least 0")
    check_range("layer", layer, 0 <= layer < 1 << 16, "in [0, 65536)")
    rows, columns = shape
    c0 = np.arange(columns, dtype=np.uint64)[None, :]
    c1 = np.arange((rows + 3) // 4, dtype=np.uint64)[:, None]
    c2, c3 = np.uint64(purpose | layer), np.uint64(step & 0xFFFFFFFF)
    return _philox(c0, c1, c2, c3, *_key(seed))


def _kept(
    shape: tuple[int, ...], p: float, seed: int, purpose: int, layer: int, step: int
) -> Mask:
    """Return where a mask of this shape keeps: with probability 1 - p."""
    check_range("p", p, 0.0 <= p < 1.0, "in [0, 1)")
    threshold = np.uint64(int(p * 2.0**32))
    words = _words_of(shape, seed, purpose, layer, step)
    kept = np.stack([word >= threshold for word in words], axis=1)
    return kept.reshape(4 * len(kept), shape[1])[: shape[0]]


def _alpha_slope(p: float) -> float:
    check_range("p", p, 0.0 <= p < 1.0, "in [0, 1)")
    return float(1.0 / np.sqrt((1.0 - p) * (1.0 + p * SELU_SATURATION**2)))


def _philox(
    c0: Words | np.uint64,
    c1: Words | np.uint64,
    c2: Words | np.uint64,
    c3: Words | np.uint64,
    k0: int,
    k1: int,
) -> tuple[Words, Words, Words, Words]:
    """Run the ten rounds on words held in uint64 that broadcast together."""
    for _ in range(_ROUNDS):
        product0 = np.multiply(_MULTIPLIERS[0], c0)
        product1 = np.multiply(_MULTIPLIERS[1], c2)
        c0 = (product1 >> _HALF) ^ c1 ^ np.uint64(k0)
        c2 = (product0 >> _HALF) ^ c3 ^ np.uint64(k1)
        c1 = product1 & _LOW
        c3 = product0 & _LOW
        k0 = (k0 + _WEYL[0]) & 0xFFFFFFFF
        k1 = (k1 + _WEYL[1]) & 0xFFFFFFFF
    w0, w1, w2, w3 = np.broadcast_arrays(c0, c1, c2, c3)
    return w0, w1, w2, w3


def _key(seed: int) -> tuple[int, int]:
    check_range("seed", seed, 0 <= seed < 1 << 64, "in [0, 2^64)")
    return seed & 0xFFFFFFFF, seed >> 32


def _words(name: str, values: npt.ArrayLike) -> Words:
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        msg = f"{name} must hold integers, got {array.dtype}"
        raise TypeError(msg)
    if array.size and (array.min() < 0 or array.max() > 0xFFFFFFFF):
        msg = f"{name} must hold words in [0, 2^32), got {array.min()}..{array.max()}"
        raise ValueError(msg)
    return array.astype(np.uint64)


def _scaled(x: Array, mask: Mask, p: float) -> Array:
    """Return x / (1 - p) where mask; the factor is rounded to x's dtype first."""
    y: Array = x * x.dtype.type(1.0 / (1.0 - p))
    y *= mask
    return y
