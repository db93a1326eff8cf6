"""scikit-learn's own checks, all of them, none expected to fail."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

import fastnn as fnn

ESTIMATORS = [
    fnn.MLPClassifier(),
    fnn.MLPRegressor(),
    fnn.MLPClassifier((20,), max_iter=100, learning_rate_init=0.01, random_state=0),
    fnn.MLPRegressor(
        hidden_layer_sizes=(20,), max_iter=100, learning_rate_init=0.01, random_state=0
    ),
    # L-BFGS without a penalty is sure of all, which the checks do not like (p < 1); and
    # after some dozens of iterations rounding has grown to what they can see.
    fnn.MLPClassifier((20,), solver="lbfgs", alpha=0.1, max_iter=20, random_state=0),
    fnn.MLPRegressor(
        hidden_layer_sizes=(20,), solver="lbfgs", alpha=0.1, max_iter=20, random_state=0
    ),
]


@pytest.mark.filterwarnings("ignore")  # the checks warn of convergence and of columns
@parametrize_with_checks(ESTIMATORS)
def test_estimator(estimator, check):
    check(estimator)


# Checks that the list above leaves out, for its own reasons.
BY_HAND = [
    "check_dataframe_column_names_consistency",
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", BY_HAND)
@pytest.mark.parametrize("estimator", ESTIMATORS[2:], ids=repr)
def test_more(check, estimator):
    getattr(estimator_checks, check)(type(estimator).__name__, estimator)


@pytest.mark.filterwarnings("ignore")
def test_many_labels_a_row():
    estimator_checks.check_classifier_multioutput("MLPClassifier", ESTIMATORS[2])


@pytest.mark.filterwarnings("ignore")
def test_balanced_weights_help_the_rare_class():
    X, y = make_classification(
        n_samples=1200,
        weights=[0.9],
        class_sep=0.5,
        n_informative=4,
        random_state=0,
    )
    train = np.arange(len(y)) % 2 == 0
    rare = np.flatnonzero(~train & (y == 1))
    often = np.flatnonzero(~train & (y == 0))[: len(rare)]
    test = np.concatenate([rare, often])  # as many of each
    estimator_checks.check_class_weight_balanced_classifiers(
        "MLPClassifier", ESTIMATORS[2], X[train], y[train], X[test], y[test], [0.9, 0.1]
    )
