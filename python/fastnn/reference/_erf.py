r"""The error function for arrays, which NumPy lacks.

For y = min(\|x|, 6), with the scaled complement erfcx(y) = exp(y^2) erfc(y),

    erf(x) = sign(x) (1 - exp(-y^2) erfcx(y)),    erfc(6) < 2^-53.

erfcx is smooth and decays as 1/y; in s = 3 y / (y + 3) - 1, which maps [0, 6] to
[-1, 1], its Chebyshev series converges by a factor of ten a term. (The variable is the
one of Schonfelder, "Chebyshev expansions for the error and related functions",
Math. Comp. 32 (1978); the coefficients were computed with 50 digits.)
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.polynomial import chebyshev

if TYPE_CHECKING:
    from fastnn.reference._checks import Array

_CHEBYSHEV = (
    0.431063405482002808,
    -0.431776884537461975,
    0.112400120308388639,
    -0.0216027011194122694,
    0.00292354832627404579,
    -0.000233953986799052181,
    1.31202282850007568e-06,
    1.83887695726669352e-06,
    -1.03615568234142702e-07,
    -1.55121442989393618e-08,
    1.39163899497627061e-09,
    1.81852191198994108e-10,
    -1.54158909409805762e-11,
    -2.76732113345418949e-12,
    1.19759599418368046e-13,
    4.52953979390185531e-14,
    6.09723097932300337e-16,
    -6.66518453849499239e-16,
    -5.62727762442817055e-17,
    6.66198267900526905e-18,
)
_TERMS_FLOAT32 = 9  # the tenth is below float32's resolution


@cache
def _polynomial(dtype: np.dtype[Any]) -> tuple[float, ...]:
    """Return the coefficients of s^0, s^1, ... as far as `dtype` needs them."""
    terms = _TERMS_FLOAT32 if dtype == np.float32 else len(_CHEBYSHEV)
    return tuple(chebyshev.cheb2poly(_CHEBYSHEV[:terms]).tolist())


def erf(x: Array) -> Array:
    """Return erf(x), absolute error below 3e-16 (float64) or 2e-7 (float32).

    Examples
    --------
    >>> import numpy as np
    >>> bool(abs(erf(np.array([0.5]))[0] - 0.5204998778130465) < 1e-15)
    True
    """
    y = np.minimum(np.abs(x), 6.0)
    s = 3.0 * y / (y + 3.0) - 1.0
    coefficients = _polynomial(x.dtype)
    erfcx = np.full_like(s, coefficients[-1])
    for c in coefficients[-2::-1]:  # Horner's scheme
        erfcx *= s
        erfcx += c
    np.multiply(y, y, out=y)
    np.negative(y, out=y)
    np.exp(y, out=y)
    y *= erfcx
    return np.copysign(np.subtract(1.0, y, out=y), x, out=y)
