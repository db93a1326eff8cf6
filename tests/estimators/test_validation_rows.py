"""Validation rows: held out or given, and what stops by them."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, get_scorer, r2_score

import fastnn as fnn
from estimators.data import cancer, classifier, diabetes, iris, labels, regressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("data", [iris, cancer, labels])
def test_the_score_of_a_classifier_is_its_accuracy(data):
    X, y = data()
    fitted = classifier().fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    found = fitted.predict(X[1::2])
    assert fitted.validation_scores_[-1] == pytest.approx(
        accuracy_score(y[1::2], found)
    )
    assert fitted.t_ == 30 * len(X[::2])
    assert len(fitted.history_.history["val_loss"]) == 30


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_the_score_of_a_regressor_is_r2(loss):
    X, y = diabetes()
    y = np.abs(y)
    fitted = regressor(loss=loss).fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert fitted.validation_scores_[-1] == pytest.approx(
        r2_score(y[1::2], fitted.predict(X[1::2]))
    )
    assert fitted.best_validation_score_ == max(fitted.validation_scores_)


@pytest.mark.parametrize("data", [iris, cancer, labels])
def test_the_best_weights_come_back(data):
    X, y = data()
    fitted = classifier(early_stopping=True, n_iter_no_change=5, max_iter=300)
    fitted.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert fitted.score(X[1::2], y[1::2]) == pytest.approx(
        fitted.best_validation_score_
    )
    assert fitted.best_validation_score_ == max(fitted.validation_scores_)
    assert fitted.best_loss_ is None
    assert fitted.history_.stop_reason == "early_stopping"
    assert fitted.converged_


def names_of(data):
    X, y = data()
    return X, np.array(["no", "yes", "perhaps"])[y]


@pytest.mark.parametrize(
    ("make", "data", "scoring"),
    [
        (classifier, iris, "f1_macro"),
        (classifier, lambda: names_of(iris), "balanced_accuracy"),
        (classifier, cancer, "average_precision"),
        (classifier, labels, "f1_micro"),
        (regressor, diabetes, "neg_median_absolute_error"),
    ],
)
def test_stopping_by_any_scorer(make, data, scoring):
    X, y = data()
    fitted = make(
        early_stopping=True, scoring=scoring, n_iter_no_change=3, max_iter=300
    )
    fitted.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    scorer = get_scorer(scoring)
    assert fitted.best_validation_score_ == pytest.approx(
        scorer(fitted, X[1::2], y[1::2])
    )
    assert fitted.best_validation_score_ == max(fitted.validation_scores_)
    assert fitted.history_.stop_reason == "early_stopping"


def test_scoring_by_a_function_of_the_estimator_as_it_is():
    pd = pytest.importorskip("pandas")
    X, y = names_of(iris)
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    seen = []

    def score(estimator, X, y):
        seen.append((estimator.predict_proba(X), set(y)))
        return np.float64((estimator.predict(X) == y).mean())

    fitted = classifier(scoring=score, max_iter=3)
    fitted.fit(frame, y, X_val=frame, y_val=y)
    assert len(seen) == len(fitted.validation_scores_) == 3
    assert np.array_equal(seen[-1][0], fitted.predict_proba(frame))
    assert seen[0][1] == {"no", "yes", "perhaps"}
    assert fitted.validation_scores_[-1] == fitted.score(frame, y)


@pytest.mark.parametrize("answer", [None, "good", [1.0, 2.0]])
def test_a_score_that_is_no_number(answer):
    X, y = iris()
    estimator = classifier(scoring=lambda *_: answer)
    with pytest.raises(TypeError, match=r"scoring: .* must return a number, got"):
        estimator.fit(X, y, X_val=X, y_val=y)
    assert not hasattr(estimator, "net_")


def test_classes_give_their_share_to_the_rows_held_out():
    X, y = cancer()
    seen = []

    def look(info):
        seen.append(info.logs)

    fitted = classifier(early_stopping=True, callbacks=[look], max_iter=1).fit(X, y)
    assert fitted.t_ == len(X) - np.ceil(0.1 * len(X))
    assert "val_accuracy" in seen[0]
    # A class of one row cannot be in both parts; it does not matter.
    rare = np.where(np.arange(len(y)) == 0, 7, y)
    assert set(classifier(early_stopping=True).fit(X, rare).classes_) == {0, 1, 7}


def test_lbfgs_stops_early_too():
    X, y = cancer()
    fitted = classifier(
        solver="lbfgs", early_stopping=True, n_iter_no_change=3, max_iter=200
    ).fit(X, y)
    assert fitted.history_.stop_reason in ("early_stopping", "converged")
    assert len(fitted.validation_scores_) == fitted.n_iter_


def test_a_score_for_a_rule_of_ones_own():
    X, y = cancer()
    rule = fnn.EarlyStopping(monitor="val_auc", patience=2)
    fitted = classifier(early_stopping=rule, max_iter=300).fit(X, y)
    assert fitted.n_iter_ == fitted.history_.best_epoch + 3
    assert fitted.n_iter_ < 300


@pytest.mark.parametrize(
    ("parameters", "arguments", "message"),
    [
        ({}, {"X_val": np.ones((2, 4))}, "X_val is given without y_val"),
        ({}, {"y_val": [0, 1]}, "y_val is given without X_val"),
        ({}, {"X_val": np.ones((2, 3)), "y_val": [0, 1]}, "3 features"),
        ({}, {"X_val": np.full((1, 4), np.nan), "y_val": [0]}, "NaN"),
        ({}, {"X_val": np.ones((2, 4)), "y_val": [0, 9]}, "y_val holds classes"),
        ({"validation_fraction": 0.001}, {}, "validation_fraction=0.001 of 150 rows"),
        ({"validation_fraction": 0.0}, {}, "validation_fraction=0.0 of 150 rows"),
        ({"validation_fraction": 0.999}, {}, "leaves 0 for training"),
        ({"validation_fraction": 1.0}, {}, "validation_fraction must be"),
    ],
)
def test_rows_that_cannot_validate(parameters, arguments, message):
    new = classifier(early_stopping=True, **parameters)
    with pytest.raises(ValueError, match=message):
        new.fit(*iris(), **arguments)
    assert not hasattr(new, "net_")


def test_weights_of_rows_held_out_count():
    X, y = diabetes()
    weight = np.random.default_rng(0).exponential(size=len(y))
    plain = regressor(early_stopping=True).fit(X, y)
    weighted = regressor(early_stopping=True).fit(X, y, weight)
    assert plain.validation_scores_ != weighted.validation_scores_


def test_a_diagnosis_takes_them_by_either_name():
    """As `fit` has them, and as `fastnn.diagnose` does."""
    X, y = iris()
    new = classifier()
    apart = new.diagnose(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2], verbose=0)
    pair = new.diagnose(X[::2], y[::2], validation_data=(X[1::2], y[1::2]), verbose=0)
    assert pair.verdict == apart.verdict
    found = pair.measurements["generalisation"]["validation"]
    assert found == apart.measurements["generalisation"]["validation"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"validation_data": 3}, TypeError, r"a tuple \(X_val, y_val\), got int"),
        ({"validation_data": (1, 2, 3)}, TypeError, "got tuple of 3"),
        (
            {"validation_data": iris(), "X_val": iris()[0]},
            ValueError,
            "validation_data and X_val, y_val are both given",
        ),
    ],
)
def test_validation_data_that_are_none(arguments, error, message):
    with pytest.raises(error, match=message):
        classifier().diagnose(*iris(), **arguments, verbose=0)
