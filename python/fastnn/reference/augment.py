"""Augmentation of a batch, a readable function for each.

Everything drawn is a function of (seed, step, place in the list, row of the batch). A
row has four uniform numbers, ``u_k = (w_k + 1/2) / 2^32`` of the words of the Philox
block::

    (0, row, 11 << 16 | place, step)

but for the noise, whose elements have words as those of dropout do.

Pictures are (rows, height, width, channels).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fastnn.reference.random import box_muller, open_fractions, philox4x32

if TYPE_CHECKING:
    from fastnn.reference._checks import Array

__all__ = [
    "brightness",
    "contrast",
    "crop",
    "cutout",
    "flip",
    "mixup",
    "noise",
    "rotate",
    "shift",
    "uniforms",
]

AUGMENT = 11 << 16


def uniforms(n: int, seed: int, step: int, place: int = 0) -> Array:
    """Return four numbers in (0, 1) for each of n rows.

    Examples
    --------
    >>> from fastnn.reference import augment
    >>> augment.uniforms(2, seed=0, step=0).shape
    (2, 4)
    """
    rows = np.arange(n)
    counter = np.zeros((n, 4), np.int64)
    counter[:, 1], counter[:, 2], counter[:, 3] = rows, AUGMENT | place, step
    return _to_unit(philox4x32(counter, _key(seed)))


def mixup(
    x: Array, y: Array, alpha: float, seed: int, step: int, place: int = 0
) -> tuple[Array, Array]:
    """Return rows and targets mixed with those of another row.

    ``share x_i + (1 - share) x_j``, ``j = floor(u_2 n)``. The share is Beta(alpha,
    alpha) by Devroye, "Random variate generation in one line of code" (1996)::

        s = (u_0^(-1 / alpha) - 1) cos^2(2 pi u_1)
        share = (1 + sign(cos(2 pi u_1)) / sqrt(1 + 1 / s)) / 2

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import augment
    >>> x = np.array([[0.0], [1.0]])
    >>> mixed, target = augment.mixup(x, x, 0.2, seed=0, step=0)
    >>> bool((mixed == target).all())
    True
    """
    u = uniforms(len(x), seed, step, place)
    cosine = np.cos(2 * np.pi * u[:, 1])
    with np.errstate(over="ignore", divide="ignore"):
        s = (u[:, 0] ** (-1 / alpha) - 1) * cosine**2
        share = 0.5 * (1 + np.copysign(1 / np.sqrt(1 + 1 / s), cosine))
    partner = (u[:, 2] * len(x)).astype(int)

    def mixed(values: Array) -> Array:
        own = share.reshape(-1, *(1,) * (values.ndim - 1))
        result: Array = own * values + (1 - own) * values[partner]
        return result

    return mixed(x), mixed(y)


def noise(x: Array, std: float, seed: int, step: int, place: int = 0) -> Array:
    """Return x + std n, n standard normal by Box and Muller.

    Rows 4 b .. 4 b + 3 of a column c have the words of block (c, b), made fractions v
    as for `reference.gradient_noise`: ``sqrt(-2 log v_0) cos(2 pi v_1)``, the same with
    sin, and both of v_2 and v_3.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import augment
    >>> augment.noise(np.ones((2, 3)), 0.0, seed=0, step=0).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    n, columns = x.shape
    counter = np.zeros(((n + 3) // 4, columns, 4), np.int64)
    counter[..., 0] = np.arange(columns)
    counter[..., 1] = np.arange(len(counter))[:, None]
    counter[..., 2], counter[..., 3] = AUGMENT | place, step
    v = open_fractions(philox4x32(counter, _key(seed)), x.dtype)
    pairs = np.stack(box_muller(v[..., ::2], v[..., 1::2]), axis=-1)
    normal = pairs.reshape(*pairs.shape[:2], 4).transpose(0, 2, 1).reshape(-1, columns)
    return np.asarray(x + std * normal[:n])


def brightness(x: Array, limit: float, seed: int, step: int, place: int = 0) -> Array:
    """Return x + limit (2 u_0 - 1), one number for a row.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import augment
    >>> float(np.ptp(augment.brightness(np.ones((1, 3)), 0.5, seed=0, step=0)))
    0.0
    """
    return np.asarray(x + _sides(uniforms(len(x), seed, step, place)[:, :1], limit))


def contrast(x: Array, limit: float, seed: int, step: int, place: int = 0) -> Array:
    """Return m + (1 + limit (2 u_0 - 1)) (x - m), m the mean of the row.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import augment
    >>> augment.contrast(np.ones((1, 3)), 0.5, seed=0, step=0).tolist()
    [[1.0, 1.0, 1.0]]
    """
    mean = x.mean(axis=1, keepdims=True)
    factor = 1 + _sides(uniforms(len(x), seed, step, place)[:, :1], limit)
    return np.asarray(mean + factor * (x - mean))


def flip(
    x: Array,
    horizontal: bool,
    vertical: bool,
    p: float,
    seed: int,
    step: int,
    place: int = 0,
) -> Array:
    """Return pictures mirrored: left and right if u_0 < p, top and bottom if u_1 < p.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import augment
    >>> x = np.arange(3.0).reshape(1, 1, 3, 1)
    >>> augment.flip(x, True, False, 1.0, seed=0, step=0).ravel().tolist()
    [2.0, 1.0, 0.0]
    """
    result: Array = x.copy()
    for picture, u in zip(result, uniforms(len(x), seed, step, place), strict=True):
        if horizontal and u[0] < p:
            picture[...] = picture[:, ::-1].copy()
        if vertical and u[1] < p:
            picture[...] = picture[::-1].copy()
    return result


def shift(
    x: Array, limit: float, fill: float, seed: int, step: int, place: int = 0
) -> Array:
    """Return pictures moved by ``floor(u_0 (2 k + 1)) - k`` pixels down, u_1 right.

    k is the limit, or the rounded part of the side if it is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import augment
    >>> float(augment.shift(np.ones((1, 2, 2, 1)), 1, 1.0, seed=0, step=0).sum())
    4.0
    """
    height, width = x.shape[1:3]
    result = np.full_like(x, fill)
    k = [limit if limit >= 1 else np.floor(limit * n + 0.5) for n in (height, width)]
    for to, picture, u in zip(
        result, x, uniforms(len(x), seed, step, place), strict=True
    ):
        down, right = (
            int(np.floor(v * (2 * n + 1)) - n) for v, n in zip(u, k, strict=False)
        )
        for i in range(height):
            for j in range(width):
                if 0 <= i - down < height and 0 <= j - right < width:
                    to[i, j] = picture[i - down, j - right]
    return result


def rotate(
    x: Array, degrees: float, fill: float, seed: int, step: int, place: int = 0
) -> Array:
    """Return pictures turned by degrees (2 u_0 - 1) about their centre.

    With (r, c) the distance of a pixel from the centre, down and right, and t the
    angle, it is taken from (r cos t + c sin t, c cos t - r sin t).

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import augment
    >>> augment.rotate(np.ones((1, 1, 1, 1)), 90, 0.0, seed=0, step=0).ravel().tolist()
    [1.0]
    """
    result = np.empty_like(x)
    for i, u in enumerate(uniforms(len(x), seed, step, place)):
        angle = np.deg2rad(_sides(u[0], degrees))
        r, c, middle = _from_centre(x.shape[1], x.shape[2])
        rows = r * np.cos(angle) + c * np.sin(angle) + middle[0]
        columns = c * np.cos(angle) - r * np.sin(angle) + middle[1]
        result[i] = _bilinear(x[i], rows, columns, fill)
    return result


def crop(
    x: Array, scale: tuple[float, float], seed: int, step: int, place: int = 0
) -> Array:
    """Return a part of each picture, stretched to the whole.

    Its area is ``scale_0 + u_0 (scale_1 - scale_0)`` of the picture's, its sides the
    root s of that; its upper edge lies at u_1 (1 - s) of the height, its left one at
    u_2 (1 - s) of the width. Pixel i covers the places i .. i + 1, so its middle comes
    from top + s (i + 1/2).

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import augment
    >>> x = np.arange(4.0).reshape(1, 2, 2, 1)
    >>> bool((augment.crop(x, (1.0, 1.0), seed=0, step=0) == x).all())
    True
    """
    height, width = x.shape[1:3]
    result = np.empty_like(x)
    for k, u in enumerate(uniforms(len(x), seed, step, place)):
        side = np.sqrt(scale[0] + u[0] * (scale[1] - scale[0]))
        top, left = u[1] * (1 - side) * height, u[2] * (1 - side) * width
        rows = top + side * (np.arange(height)[:, None] + 0.5) - 0.5
        columns = left + side * (np.arange(width)[None, :] + 0.5) - 0.5
        rows, columns = np.broadcast_arrays(
            np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
        )
        result[k] = _bilinear(x[k], rows, columns, 0.0)
    return result


def cutout(
    x: Array, size: int, fill: float, seed: int, step: int, place: int = 0
) -> Array:
    """Return pictures with a square blanked.

    Its rows are ``floor(u_0 height) - size // 2`` and the next, `size` in all, as far
    as the picture has them; likewise its columns by u_1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import augment
    >>> float(augment.cutout(np.ones((1, 2, 2, 1)), 1, 0.0, seed=0, step=0).sum())
    3.0
    """
    height, width = x.shape[1:3]
    result: Array = x.copy()
    for picture, u in zip(result, uniforms(len(x), seed, step, place), strict=True):
        top, left = int(u[0] * height) - size // 2, int(u[1] * width) - size // 2
        picture[max(top, 0) : top + size, max(left, 0) : left + size] = fill
    return result


def _from_centre(height: int, width: int) -> tuple[Array, Array, tuple[float, float]]:
    middle = (height - 1) / 2, (width - 1) / 2
    r, c = np.meshgrid(
        np.arange(height) - middle[0], np.arange(width) - middle[1], indexing="ij"
    )
    return r, c, middle


def _bilinear(picture: Array, rows: Array, columns: Array, fill: float) -> Array:
    """Return the picture at real positions; beyond its edges lies `fill`."""
    height, width, channels = picture.shape
    padded = np.full((height + 4, width + 4, channels), fill, picture.dtype)
    padded[2:-2, 2:-2] = picture
    rows, columns = np.clip(rows, -2, height + 1), np.clip(columns, -2, width + 1)
    above, before = np.floor(rows).astype(int), np.floor(columns).astype(int)
    above, before = np.clip(above, -2, height), np.clip(before, -2, width)
    down, right = (rows - above)[..., None], (columns - before)[..., None]
    i, j = above + 2, before + 2
    upper = padded[i, j] * (1 - right) + padded[i, j + 1] * right
    lower = padded[i + 1, j] * (1 - right) + padded[i + 1, j + 1] * right
    result: Array = upper * (1 - down) + lower * down
    return result


def _sides(u: npt.ArrayLike, limit: float) -> Array:
    """Return u in (0, 1) as a number in (-limit, limit)."""
    return np.asarray(limit * (2 * np.asarray(u) - 1))


def _to_unit(words: npt.NDArray[np.uint32]) -> Array:
    return np.asarray((words + 0.5) * 2.0**-32)


def _key(seed: int) -> tuple[int, int]:
    return seed & 0xFFFFFFFF, seed >> 32
