"""Among scikit-learn's other things: pipelines, data frames, pages of notebooks."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.inspection import permutation_importance
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastnn as fnn
from estimators.data import cancer, classifier, diabetes, regressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_a_pipeline_and_its_page():
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), classifier(layers=[fnn.Dense(9)]))
    assert pipeline.fit(X, y).score(X, y) > 0.9
    for page in (pipeline._repr_html_(), pipeline[-1]._repr_html_()):
        assert "MLPClassifier" in page
    pipeline.set_params(mlpclassifier__alpha=1.0)
    assert pipeline[-1].alpha == 1.0


def test_ensembles_and_others():
    X, y = cancer()
    for kind in (
        BaggingClassifier(classifier(), n_estimators=2, random_state=0),
        VotingClassifier([("a", classifier()), ("b", classifier())], voting="soft"),
        CalibratedClassifierCV(classifier(), cv=2),
    ):
        assert kind.fit(X, y).score(X, y) > 0.95
    fitted = classifier().fit(X, y)
    report = permutation_importance(fitted, X, y, n_repeats=1, random_state=0)
    assert report.importances_mean.max() > 0
    X, y = diabetes()
    target = TransformedTargetRegressor(regressor(), transformer=StandardScaler())
    assert target.fit(X, 100 + 50 * y).score(X, 100 + 50 * y) > 0.4


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames(library):
    frames = pytest.importorskip(library)
    X, y = load_iris(return_X_y=True)
    names = ["a", "b", "c", "d"]
    frame = frames.DataFrame({name: X[:, j] for j, name in enumerate(names)})
    classes = frames.Series(np.array(["x", "y", "z"])[y])
    fitted = classifier().fit(frame, classes, X_val=frame, y_val=classes)
    if not hasattr(fitted, "feature_names_in_"):
        pytest.skip(f"this scikit-learn does not know the columns of {library}")
    assert fitted.feature_names_in_.tolist() == names
    assert fitted.n_features_in_ == 4
    assert set(fitted.classes_) == {"x", "y", "z"}
    assert fitted.predict(frame).shape == (150,)
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(frame[["b", "a", "c", "d"]])
    with pytest.warns(UserWarning, match="feature names"):
        fitted.predict(X)


def test_a_frame_of_dates_is_refused():
    pd = pytest.importorskip("pandas")
    days = pd.DataFrame({"when": pd.date_range("2020-01-01", periods=9)})
    with pytest.raises(TypeError, match="X holds dates or durations"):
        classifier().fit(days, [0, 1, 2] * 3)
    pl = pytest.importorskip("polars")
    with pytest.raises(TypeError, match="X holds dates or durations"):
        classifier().fit(pl.from_pandas(days), [0, 1, 2] * 3)


def test_the_import_waits_until_it_is_asked_for():
    code = (
        "import sys, fastnn\n"
        "assert 'sklearn' not in sys.modules\n"
        "assert 'MLPClassifier' in dir(fastnn)\n"
        "fastnn.MLPRegressor\n"
        "assert 'sklearn' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_package_is_named():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import fastnn\n"
        "try: fastnn.MLPClassifier\n"
        "except ImportError as error: print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert "pip install 'fastnn[sklearn]'" in run.stdout
