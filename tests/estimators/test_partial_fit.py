"""partial_fit: one epoch a call, many labels, early stopping, copies that go on."""

import copy

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

import fastnn as fnn
from estimators.data import (
    cancer,
    classifier,
    diabetes,
    iris,
    labels,
    pickled,
    regressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_classes_must_be_known_at_first():
    X, y = iris()
    new = classifier()
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        new.partial_fit(X, y)
    with pytest.raises(NotFittedError):
        new.predict(X)
    new.partial_fit(X[:50], y[:50], classes=[0, 1, 2])
    assert new.predict_proba(X).shape == (150, 3)
    for _ in range(50):
        new.partial_fit(X, y)
    assert new.score(X, y) > 0.9
    with pytest.raises(ValueError, match=r"classes \[0, 1\] are not those"):
        new.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"y holds classes .* not know: \[3, 4\]"):
        new.partial_fit(X, y + 2)


def test_many_labels_a_row():
    X, y = labels()
    new = classifier()
    for _ in range(100):
        new.partial_fit(X, y)
    assert new.score(X, y) > 0.8
    with pytest.raises(ValueError, match="made for 4 labels a row"):
        new.partial_fit(X, y[:, :3])
    with pytest.raises(ValueError, match="made for 4 labels a row"):
        new.partial_fit(X, y[:, 0])


def test_there_is_none_for_lbfgs():
    for estimator in (
        classifier(solver="lbfgs"),
        classifier(optimizer="lbfgs"),
        regressor(optimizer=fnn.LBFGS()),
    ):
        assert not hasattr(estimator, "partial_fit")
    assert hasattr(classifier(optimizer="lion"), "partial_fit")


def test_epochs_of_one_fit_and_calls_are_the_same():
    X, y = diabetes()
    at_once = regressor(shuffle=False, max_iter=5).fit(X, y)
    in_calls = regressor(shuffle=False)
    for _ in range(5):
        in_calls.partial_fit(X, y)
    assert in_calls.loss_curve_ == at_once.loss_curve_
    assert in_calls.history_.epoch == at_once.history_.epoch
    np.testing.assert_array_equal(in_calls.predict(X), at_once.predict(X))


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.1},
        {"optimizer": fnn.AdamW(lr=0.01), "schedule": fnn.Exponential(0.9)},
        {"early_stopping": True},
    ],
)
def test_a_copy_goes_on_with_the_optimizers_state(copied, parameters):
    X, y = cancer()
    first = classifier(**parameters)
    for _ in range(3):
        first.partial_fit(X, y, classes=[0, 1])
    second = copied(first)
    for estimator in (first, second):
        for _ in range(3):
            estimator.partial_fit(X, y)
    assert first.loss_curve_ == second.loss_curve_
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_a_changed_parameter_counts_from_the_next_call():
    X, y = diabetes()
    new = regressor(solver="sgd", learning_rate_init=1e-9)
    before = new.partial_fit(X, y).loss_
    new.partial_fit(X, y)
    assert new.loss_ == pytest.approx(before, rel=1e-4)
    new.set_params(learning_rate_init=0.01).partial_fit(X, y).partial_fit(X, y)
    assert new.loss_ < before * 0.99
    assert len(new.loss_curve_) == 4


def test_stopping_early_with_rows_of_ones_own():
    X, y = cancer()
    new = classifier(early_stopping=True, n_iter_no_change=4)
    for _ in range(500):
        new.partial_fit(X[:400], y[:400], classes=[0, 1], X_val=X[400:], y_val=y[400:])
        if new.converged_:
            break
    assert new.validation_scores_[-1] <= new.best_validation_score_
    assert len(new.validation_scores_) == len(new.loss_curve_) < 500
    # The best weights are back.
    assert new.score(X[400:], y[400:]) == new.best_validation_score_
    assert new.history_.best_epoch == int(np.argmax(new.validation_scores_))
    # It goes on if asked to, and begins to count again.
    new.partial_fit(X[:400], y[:400], X_val=X[400:], y_val=y[400:])
    assert not new.converged_


def test_stopping_early_with_rows_held_out():
    X, y = iris()
    new = classifier(early_stopping=True)
    new.partial_fit(X, y, classes=[0, 1, 2])
    assert new.t_ == 135
    assert len(new.validation_scores_) == 1


def test_a_rule_for_one_fit_is_refused():
    with pytest.raises(ValueError, match="early_stopping must be True or False"):
        regressor(early_stopping=fnn.EarlyStopping()).partial_fit(*diabetes())


def test_balanced_classes_need_all_rows():
    X, y = iris()
    with pytest.raises(ValueError, match="needs all rows at once"):
        classifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])
    classifier(class_weight={0: 2.0}).partial_fit(X, y, classes=[0, 1, 2])


def test_the_network_stays():
    X, y = iris()
    new = classifier(warm_start=True, max_iter=3).fit(X, y)
    net = new.net_
    assert new.fit(X, y).net_ is net
    new.set_params(hidden_layer_sizes=(5,))
    with pytest.raises(ValueError, match="are not those of the fitted network"):
        new.fit(X, y)
    new.set_params(warm_start=False).fit(X, y)
    assert new.coefs_[0].shape == (4, 5)
