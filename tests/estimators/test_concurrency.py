"""Many threads, processes and Ctrl-C around estimators."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score

import fastnn as fnn
from estimators.data import cancer, classifier, diabetes, iris, regressor
from fastnn.sklearn._threads import threads_here

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_eight_threads_predict_at_once():
    X, y = cancer()
    fitted = classifier().fit(X, y)
    alone = fitted.predict_proba(X)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: fitted.predict_proba(X), range(64)):
            np.testing.assert_array_equal(found, alone)


def _long_fit(estimator, *, partial=False):
    """Return the thread of a fit that runs until `go_on` is set, once it trains."""
    started, go_on = threading.Event(), threading.Event()

    def wait(_info):
        started.set()
        return go_on.wait(60)

    def run():
        X, y = iris()
        estimator.set_params(callbacks=[wait], max_iter=1000)
        if partial:
            estimator.partial_fit(X, y, classes=[0, 1, 2])
        else:
            estimator.fit(X, y)

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(60)
    return thread, go_on


@pytest.mark.parametrize("partial", [False, True])
def test_a_fit_and_anything_else_at_once_is_an_error(partial):
    X, y = iris()
    estimator = classifier(max_iter=2).fit(X, y)
    thread, go_on = _long_fit(estimator, partial=partial)
    try:
        for use in (
            lambda: estimator.predict(X),
            lambda: estimator.predict_proba(X),
            lambda: estimator.score(X, y),
            lambda: estimator.fit(X, y),
            lambda: estimator.partial_fit(X, y),
        ):
            with pytest.raises(RuntimeError, match="being fitted by another thread"):
                use()
    finally:
        go_on.set()
        thread.join()
    assert estimator.predict(X).shape == y.shape


def test_a_callback_may_predict_with_the_estimator_it_serves():
    X, y = iris()
    scores = []
    estimator = classifier(max_iter=3)
    estimator.set_params(callbacks=[lambda _info: scores.append(estimator.score(X, y))])
    estimator.fit(X, y)
    assert len(scores) == 3
    assert scores[-1] == estimator.score(X, y)


def test_fits_of_two_estimators_at_once_are_those_alone():
    X, y = cancer()
    alone = classifier().fit(X, y).predict_proba(X)
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(
            lambda _: classifier().fit(X, y).predict_proba(X), range(4)
        ):
            np.testing.assert_array_equal(found, alone)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_searches_side_by_side(backend):
    X, y = iris()
    grid = {
        "hidden_layer_sizes": [(4,), (16,)],
        "optimizer": [fnn.Adam(lr=0.02), "rmsprop"],
    }
    searches = []
    for n_jobs in (1, 2):
        search = GridSearchCV(classifier(), grid, cv=2, n_jobs=n_jobs)
        with joblib.parallel_backend(backend):
            searches.append(search.fit(X, y))
    np.testing.assert_array_equal(
        searches[0].cv_results_["mean_test_score"],
        searches[1].cv_results_["mean_test_score"],
    )


def test_cross_validation_in_threads():
    X, y = diabetes()
    with joblib.parallel_backend("threading"):
        side_by_side = cross_val_score(regressor(), X, y, cv=4, n_jobs=2)
    np.testing.assert_array_equal(
        side_by_side, cross_val_score(regressor(), X, y, cv=4)
    )


def test_a_worker_thread_of_joblib_fits_with_one_thread():
    assert threads_here(None) is None
    with joblib.parallel_backend("threading"):
        inside = joblib.Parallel(n_jobs=2)(
            joblib.delayed(threads_here)(n) for n in (None, 3)
        )
    assert inside == [1, 3]
    with ThreadPoolExecutor(1) as pool:  # a thread that is not joblib's
        assert pool.submit(threads_here, None).result() is None


@pytest.mark.parametrize("early_stopping", [False, True])
def test_ctrl_c_warns_and_keeps_the_last_finished_step(early_stopping):
    X, y = cancer()
    under_way = threading.Event()

    def note(info):
        if info.epoch == 20:
            under_way.set()

    estimator = classifier(
        max_iter=10**7,
        n_iter_no_change=np.inf,
        early_stopping=early_stopping,
        callbacks=[note],
    )

    def press():
        under_way.wait(60)
        time.sleep(0.05)  # into the midst of an epoch
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.warns(UserWarning, match="the fit was interrupted"):
        estimator.fit(X, y)  # else it would run for hours
    thread.join()
    assert estimator.history_.stop_reason == "interrupted"
    assert not estimator.converged_
    assert estimator.n_iter_ == len(estimator.loss_curve_) > 20
    assert estimator.score(X, y) > 0.9
    estimator.partial_fit(X, y)


def test_a_callbacks_exception_comes_out_and_leaves_the_estimator_as_it_was():
    X, y = iris()

    def fail(info):
        if info.epoch == 2:
            raise LookupError("as I please")

    new = classifier(callbacks=[fail])
    with pytest.raises(LookupError, match="as I please"):
        new.fit(X, y)
    assert not hasattr(new, "net_")
    fitted = classifier(max_iter=2).fit(X, y)
    before = fitted.predict_proba(X)
    with pytest.raises(LookupError):
        fitted.set_params(callbacks=[fail], max_iter=9).fit(X, y)
    np.testing.assert_array_equal(fitted.predict_proba(X), before)
