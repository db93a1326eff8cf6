"""Copies: pickles, memory maps, clones, and other versions."""

import copy
import warnings

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError

import fastnn as fnn
from estimators.data import cancer, classifier, diabetes, pickled, regressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_predicts_the_same_and_fits_on(copied):
    X, y = cancer()
    fitted = classifier(warm_start=True).fit(X, y)
    twin = copied(fitted)
    np.testing.assert_array_equal(twin.predict_proba(X), fitted.predict_proba(X))
    assert twin.loss_curve_ == fitted.loss_curve_
    assert twin.fit(X, y).n_iter_ == 30


@pytest.mark.parametrize("mmap_mode", [None, "r", "c"])
def test_read_only_arrays_of_a_file(tmp_path, mmap_mode):
    X, y = diabetes()
    fitted = regressor(hidden_layer_sizes=(300,)).fit(X, y)
    joblib.dump(fitted, tmp_path / "net.joblib")
    loaded = joblib.load(tmp_path / "net.joblib", mmap_mode=mmap_mode)
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))
    loaded.partial_fit(X, y)
    loaded.set_params(warm_start=True).fit(X, y)
    loaded.coefs_[0][:] = 0.0


def test_a_clone_knows_nothing():
    X, y = cancer()
    twin = clone(classifier().fit(X, y))
    with pytest.raises(NotFittedError):
        twin.predict(X)
    assert twin.get_params() == classifier().get_params()


def test_another_version_is_told():
    X, y = cancer()
    state = classifier(max_iter=2).fit(X, y).__getstate__()
    assert state["_fastnn_version"] == fnn.__version__
    old = fnn.MLPClassifier()
    with pytest.warns(InconsistentVersionWarning, match="pickled by fastnn 0.0.1 and"):
        old.__setstate__({**state, "_fastnn_version": "0.0.1"})
    assert old.score(X, y) > 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fnn.MLPClassifier().__setstate__(state)


def test_a_diverging_fit_can_be_told_across_processes():
    X, y = diabetes()
    with pytest.raises(fnn.DivergedError) as info:
        regressor(optimizer=fnn.SGD(lr=1e6), hidden_layer_sizes=(9, 9)).fit(X, y)
    twin = pickled(info.value)
    assert type(twin) is type(info.value)
    assert (str(twin), twin.lr) == (str(info.value), 1e6)
