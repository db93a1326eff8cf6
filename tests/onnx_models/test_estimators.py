"""Estimators as ONNX files: what `predict` and `predict_proba` say."""

import numpy as np
import pytest

import fastnn as fnn

pytest.importorskip("sklearn")
pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.filterwarnings("ignore:the fit ended after 20 epochs")


@pytest.fixture(name="X")
def _rows(rng):
    return rng.normal(size=(80, 5))


def _classes(X, names):
    edges = np.quantile(X[:, 0], np.linspace(0, 1, len(names) + 1)[1:-1])
    return np.asarray(names)[np.digitize(X[:, 0], edges)]


CLASSIFIERS = {
    "strings": (lambda X: _classes(X, ["cat", "dog", "eel"]), {}),
    "two strings": (lambda X: _classes(X, ["no", "yes"]), {}),
    "two booleans": (lambda X: X[:, 0] > 0, {}),
    "integers": (lambda X: _classes(X, [-1, 3, 10]), {"batch_norm": True}),
    "two by softmax": (lambda X: _classes(X, [0, 1]), {"loss": "cross_entropy"}),
    "many labels": (lambda X: (X[:, :3] > 0).astype(int), {"dropout": 0.1}),
    "one class": (lambda X: np.full(len(X), "cat"), {}),
    "one by softmax": (lambda X: np.full(len(X), 7), {"loss": "cross_entropy"}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers(runtime, tmp_path, X, name, dtype):
    target, options = CLASSIFIERS[name]
    X, y = X.astype(dtype), target(X)
    clf = fnn.MLPClassifier((8,), max_iter=20, tol=0, random_state=0, **options)
    clf.fit(X, y)
    clf.to_onnx(tmp_path / "clf.onnx")
    found = runtime.run(tmp_path / "clf.onnx", X)
    assert list(found) == ["label", "probabilities"]
    assert found["label"].tolist() == clf.predict(X).tolist()
    np.testing.assert_allclose(
        found["probabilities"], clf.predict_proba(X), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("loss", "output"), [("squared_error", "outputs"), ("poisson", "rates")]
)
@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 1e-5), ("float64", 1e-9)])
def test_regressors(runtime, tmp_path, X, columns, loss, output, dtype, rtol):
    X = X.astype(dtype)
    y = np.abs(X[:, 0]) if columns == 1 else np.abs(X[:, :columns])
    reg = fnn.MLPRegressor(loss, (8,), max_iter=20, tol=0, random_state=0).fit(X, y)
    reg.to_onnx(str(tmp_path / "reg.onnx"))
    found = runtime.run(tmp_path / "reg.onnx", X)[output]
    np.testing.assert_allclose(
        found.reshape(y.shape), reg.predict(X), rtol=rtol, atol=rtol
    )


def test_an_unfitted_estimator(tmp_path):
    from sklearn.exceptions import NotFittedError

    for estimator in (fnn.MLPClassifier(), fnn.MLPRegressor()):
        with pytest.raises(NotFittedError):
            estimator.to_onnx(tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []
