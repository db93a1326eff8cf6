"""Estimators for scikit-learn: `MLPClassifier` and `MLPRegressor`.

They take the parameters of scikit-learn's classes of these names and have their
attributes, with the same meaning; `fastnn.MLPClassifier` imports this package when it
is first asked for.
"""

from __future__ import annotations

try:
    import sklearn as _  # noqa: F401  (is it there?)
except ModuleNotFoundError as error:
    raise ImportError(
        "fastnn's estimators need scikit-learn: pip install 'fastnn[sklearn]'"
    ) from error

from fastnn.sklearn.classifier import MLPClassifier
from fastnn.sklearn.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
