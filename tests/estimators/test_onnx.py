"""Estimators as ONNX models: labels and probabilities as they give them."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from estimators.data import cancer, classifier, diabetes, iris, labels, regressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


def run(estimator, path, X):
    estimator.to_onnx(path)
    session = onnxruntime.InferenceSession(path)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"X": X.astype("f4")}), strict=True))


@pytest.mark.parametrize("data", [iris, cancer, labels])
@pytest.mark.parametrize("text", [False, True])
def test_labels_and_probabilities(data, text, tmp_path):
    X, y = data()
    if text and y.ndim == 1:
        y = np.array(["a", "b", "c"])[y]
    fitted = classifier(dtype="float32").fit(X, y)
    found = run(fitted, tmp_path / "net.onnx", X)
    assert list(found) == ["label", "probabilities"]
    np.testing.assert_array_equal(found["label"], fitted.predict(X))
    np.testing.assert_allclose(
        found["probabilities"], fitted.predict_proba(X), atol=1e-5
    )


def test_numbers(tmp_path):
    X, y = diabetes()
    fitted = regressor(dtype="float32").fit(X, np.c_[y, -y])
    found = run(fitted, tmp_path / "net.onnx", X)
    np.testing.assert_allclose(found["outputs"], fitted.predict(X), atol=1e-5)


def test_before_a_fit(tmp_path):
    with pytest.raises(NotFittedError):
        classifier().to_onnx(tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())
