"""Methods that an estimator has only with some parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sklearn.utils import metaestimators

__all__ = ["available_if"]

_F = TypeVar("_F", bound=Callable[..., Any])


def available_if(check: Callable[[Any], bool]) -> Callable[[_F], _F]:
    """Return scikit-learn's decorator, through which type checkers see the method."""
    decorate: Callable[[_F], _F] = metaestimators.available_if(check)
    return decorate
