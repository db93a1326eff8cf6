"""Numbers: one or many, counts, and other losses."""

import numpy as np
import pytest

import fastnn as fnn
from estimators.data import diabetes, regressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_one_number_and_many():
    X, y = diabetes()
    one = regressor().fit(X, y)
    assert one.predict(X).shape == y.shape
    assert (one.n_outputs_, one.out_activation_) == (1, "identity")
    many = regressor().fit(X, np.c_[y, -y])
    assert many.predict(X).shape == (len(y), 2)
    assert min(one.score(X, y), many.score(X, np.c_[y, -y])) > 0.5


def test_a_line_by_hand():
    """Without hidden layers the fit is least squares."""
    X, y = diabetes()
    fitted = regressor(
        hidden_layer_sizes=(), solver="lbfgs", alpha=0.0, max_iter=500, tol=1e-9
    ).fit(X, y)
    best, *_ = np.linalg.lstsq(np.c_[X, np.ones(len(X))], y, rcond=None)
    np.testing.assert_allclose(fitted.coefs_[0][:, 0], best[:-1], atol=1e-3)
    np.testing.assert_allclose(
        fitted.loss_, ((X @ best[:-1] + best[-1] - y) ** 2).mean() / 2, rtol=1e-6
    )


def test_rates():
    X, y = diabetes()
    counts = np.random.default_rng(0).poisson(np.exp(y))
    fitted = regressor(loss="poisson").fit(X, counts)
    rates = fitted.predict(X)
    assert fitted.out_activation_ == "exp"
    np.testing.assert_allclose(rates, np.exp(fitted.net_.predict(X)[:, 0]))
    assert rates.mean() == pytest.approx(counts.mean(), rel=0.1)
    assert fitted.score(X, counts) > 0.3
    alone = np.concatenate([fitted.predict(X[i : i + 1]) for i in range(20)])
    np.testing.assert_array_equal(rates[:20], alone)
    with pytest.raises(ValueError, match="y must be >= 0"):
        regressor(loss="poisson").fit(X, y)


def _absolute(outputs, y):
    return np.abs(outputs - y).sum(axis=1), np.sign(outputs - y)


@pytest.mark.parametrize("loss", ["mse", "mae", fnn.Huber(0.5), _absolute], ids=repr)
def test_other_losses(loss):
    X, y = diabetes()
    assert regressor(loss=loss).fit(X, y).score(X, y) > 0.4


def test_losses_that_do_not_suit():
    with pytest.raises(ValueError, match="for classes, not numbers"):
        regressor(loss="cross_entropy").fit(*diabetes())


def test_early_stopping_by_another_metric():
    X, y = diabetes()
    fitted = regressor(
        early_stopping=fnn.EarlyStopping(monitor="val_mae", patience=3), max_iter=500
    ).fit(X, y)
    curve = fitted.history_.history["val_mae"]
    assert fitted.history_.stop_reason == "early_stopping"
    assert fitted.history_.best_epoch == int(np.argmin(curve)) == len(curve) - 4
    assert fitted.n_iter_ == len(curve) < 500
    assert len(fitted.validation_scores_) == len(curve)


def test_early_stopping_by_the_training_loss_holds_no_rows_out():
    X, y = diabetes()
    fitted = regressor(
        early_stopping=fnn.EarlyStopping(monitor="loss", min_delta=0.05, patience=1),
        max_iter=500,
    ).fit(X, y)
    assert fitted.n_iter_ < 500
    assert fitted.t_ == fitted.n_iter_ * len(X)
    assert fitted.validation_scores_ is None


def test_another_number_of_columns_is_an_error():
    X, y = diabetes()
    fitted = regressor(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"y has 2 columns, but .* made for 1"):
        fitted.fit(X, np.c_[y, y])
    with pytest.raises(ValueError, match=r"y_val has 2 columns, but .* made for 1"):
        fitted.fit(X, y, X_val=X, y_val=np.c_[y, y])
