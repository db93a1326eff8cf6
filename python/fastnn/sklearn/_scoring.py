"""Validation scores by any scorer of scikit-learn's, or of the user's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import get_scorer, get_scorer_names

from fastnn._config import unknown_name
from fastnn.callbacks import EpochInfo

if TYPE_CHECKING:
    from fastnn.sklearn._rows import Rows

__all__ = ["Scorer", "check_scoring", "score_by"]

Scorer = Callable[..., float]  # (estimator, X, y)


def check_scoring(scoring: object) -> Scorer | None:
    """Return what computes the score, or None for the estimator's own."""
    if scoring is None:
        return None
    if isinstance(scoring, str):
        if scoring not in get_scorer_names():
            raise unknown_name("scoring", scoring, get_scorer_names())
        named: Scorer = get_scorer(scoring)
        return named
    if callable(scoring):
        return scoring
    raise TypeError(
        "scoring must be the name of a scorer of scikit-learn's such as 'f1_macro', a "
        f"function (estimator, X, y), or None, got {type(scoring).__name__} {scoring!r}"
    )


def score_by(
    scorer: Scorer, estimator: Any, validation: Rows, y: npt.NDArray[Any]
) -> Callable[[EpochInfo], float]:
    """Return what scores the estimator after an epoch; y are its targets, decoded."""
    shown = copy.copy(estimator)  # has the same network
    shown.__dict__.pop("feature_names_in_", None)  # the checked rows have none
    weights = {}
    if validation.weight is not None:
        weights["sample_weight"] = validation.weight

    def score(info: EpochInfo) -> float:
        del info
        value = scorer(shown, validation.X, y, **weights)
        if not np.isscalar(value) or not np.isreal(value):
            raise TypeError(
                f"scoring: {scorer!r} must return a number, got "
                f"{type(value).__name__} {value!r}"
            )
        return float(value)  # type: ignore[arg-type]

    return score
