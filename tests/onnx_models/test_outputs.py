"""Probabilities and labels of a model, by the loss, and shapes as inferred."""

import numpy as np
import pytest

import fastnn as fnn

pytest.importorskip("onnxruntime")

ROWS = (1, 2, 1000)


def _fitted(rng, loss, units, dtype="float32"):
    X = rng.normal(size=(60, 4))
    if loss == "cross_entropy":
        y = rng.integers(0, units, 60)
    elif loss == "binary_cross_entropy":
        y = rng.integers(0, 2, (60, units))
    else:
        y = rng.normal(size=(60, units))
    net = fnn.Sequential(fnn.Dense(8, "relu"), fnn.Dense(units), dtype=dtype)
    net.fit(X, y, loss=loss, epochs=3)
    return net


def _inferred(model):
    """Return type and shape of every output, as onnx infers them from the nodes."""
    onnx = pytest.importorskip("onnx")
    bare = onnx.ModelProto.FromString(model.SerializeToString())
    for output in bare.graph.output:
        output.type.tensor_type.ClearField("shape")
    full = onnx.shape_inference.infer_shapes(bare, check_type=True, strict_mode=True)
    found = {}
    for output in full.graph.output:
        tensor = output.type.tensor_type
        axes = [axis.dim_param or axis.dim_value for axis in tensor.shape.dim]
        kind = onnx.TensorProto.DataType.Name(tensor.elem_type)
        found[output.name] = (kind, axes)
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_regression_has_raw_outputs_alone(runtime, rng, dtype):
    net = _fitted(rng, "mse", 2, dtype)
    kind = {"float32": "FLOAT", "float64": "DOUBLE"}[dtype]
    assert _inferred(runtime.model(net)) == {"outputs": (kind, ["n", 2])}
    runtime.assert_same(net, rng.normal(size=(3, 4)))


def test_an_unfitted_network_has_raw_outputs_alone(runtime):
    net = fnn.Sequential(fnn.Dense(3)).build(4)
    assert list(_inferred(runtime.model(net))) == ["outputs"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", ROWS)
def test_one_class_of_many(runtime, rng, n, dtype):
    net = _fitted(rng, "cross_entropy", 3, dtype)
    X = rng.normal(size=(n, 4)).astype(dtype)
    found = runtime.run(runtime.model(net), X)
    assert list(found) == ["outputs", "probabilities", "label"]
    np.testing.assert_allclose(found["probabilities"], net.predict_proba(X), atol=1e-6)
    np.testing.assert_array_equal(found["label"], net.predict(X).argmax(axis=1))
    assert found["label"].dtype == np.int64


@pytest.mark.parametrize("n", ROWS)
def test_one_yes_or_no(runtime, rng, n):
    net = _fitted(rng, "binary_cross_entropy", 1)
    X = rng.normal(size=(n, 4)).astype("f4")
    found = runtime.run(runtime.model(net), X)
    np.testing.assert_allclose(found["probabilities"], net.predict_proba(X), atol=1e-6)
    np.testing.assert_array_equal(found["label"], net.predict(X)[:, 0] > 0)
    assert found["label"].dtype == np.int64


@pytest.mark.parametrize("n", ROWS)
def test_many_labels(runtime, rng, n):
    net = _fitted(rng, "binary_cross_entropy", 3)
    X = rng.normal(size=(n, 4)).astype("f4")
    found = runtime.run(runtime.model(net), X)
    np.testing.assert_allclose(found["probabilities"], net.predict_proba(X), atol=1e-6)
    np.testing.assert_array_equal(found["label"], net.predict(X) > 0)
    assert found["label"].dtype == np.int64


CLASSES = {
    "strings": (np.array(["dog", "cat", "Käfer 🐞"]), "STRING"),
    "objects": (np.array(["dog", "cat", ""], dtype=object), "STRING"),
    "integers": (np.array([3, -1, 10**12]), "INT64"),
    "small unsigned": (np.array([3, 1, 255], np.uint8), "INT64"),
    "floats": ([0.5, 1.5, 2.5], "DOUBLE"),
}


@pytest.mark.parametrize("name", CLASSES)
def test_class_labels_as_a_scikit_learn_model_has_them(runtime, rng, name):
    classes, kind = CLASSES[name]
    net = _fitted(rng, "cross_entropy", 3)
    model = runtime.model(net, classes)
    assert _inferred(model) == {
        "label": (kind, ["n"]),
        "probabilities": ("FLOAT", ["n", 3]),
    }
    for n in ROWS:
        X = rng.normal(size=(n, 4)).astype("f4")
        found = runtime.run(model, X)
        best = net.predict(X).argmax(axis=1)
        assert found["label"].tolist() == np.asarray(classes)[best].tolist()
        np.testing.assert_allclose(found["probabilities"], net.predict_proba(X), 1e-5)


@pytest.mark.parametrize("classes", [["no", "yes"], [False, True], [-1, 1]])
def test_two_classes_by_one_logistic_output(runtime, rng, classes):
    net = _fitted(rng, "binary_cross_entropy", 1)
    X = rng.normal(size=(50, 4)).astype("f4")
    found = runtime.run(runtime.model(net, classes), X)
    yes = net.predict_proba(X)
    np.testing.assert_allclose(
        found["probabilities"], np.hstack([1 - yes, yes]), atol=1e-6
    )
    decided = (net.predict(X)[:, 0] > 0).astype(int)
    assert found["label"].tolist() == np.array(classes)[decided].tolist()
    assert 0 < decided.sum() < 50


@pytest.mark.parametrize(
    ("loss", "units"), [("binary_cross_entropy", 1), ("cross_entropy", 2)]
)
def test_the_only_class_there_was(runtime, rng, loss, units):
    net = _fitted(rng, loss, units)
    model = runtime.model(net, ["cat"])
    assert _inferred(model) == {
        "label": ("STRING", ["n"]),
        "probabilities": ("FLOAT", ["n", 1]),
    }
    found = runtime.run(model, rng.normal(size=(3, 4)).astype("f4"))
    assert found["label"].tolist() == ["cat"] * 3
    assert found["probabilities"].tolist() == [[1.0]] * 3


def test_multilabel_classes_leave_the_indicators(runtime, rng):
    net = _fitted(rng, "binary_cross_entropy", 3)
    model = runtime.model(net, ["a", "b", "c"])
    assert _inferred(model) == {
        "label": ("INT64", ["n", 3]),
        "probabilities": ("FLOAT", ["n", 3]),
    }


def test_a_hinge_has_labels_alone(runtime, rng):
    X = rng.normal(size=(30, 4)).astype("f4")
    net = fnn.Sequential(fnn.Dense(1))
    net.fit(X, (X[:, 0] > 0).astype(int), loss="hinge", epochs=3)
    yes = net.predict(X)[:, 0] > 0
    found = runtime.run(runtime.model(net), X)
    assert list(found) == ["outputs", "label"]
    np.testing.assert_array_equal(found["label"], yes)
    found = runtime.run(runtime.model(net, ["no", "yes"]), X)
    assert list(found) == ["label"]
    assert found["label"].tolist() == np.where(yes, "yes", "no").tolist()


def test_poisson_has_rates(runtime, rng):
    X = rng.normal(size=(30, 4)).astype("f4")
    net = fnn.Sequential(fnn.Dense(2))
    net.fit(X, rng.poisson(2, (30, 2)), loss="poisson", epochs=3)
    found = runtime.run(runtime.model(net), X)
    assert list(found) == ["outputs", "rates"]
    np.testing.assert_allclose(found["rates"], np.exp(net.predict(X)), rtol=1e-5)


def test_a_loss_of_the_users_own_has_outputs_alone(runtime, rng):
    X = rng.normal(size=(30, 4)).astype("f4")
    net = fnn.Sequential(fnn.Dense(1))
    net.fit(X, X[:, 0], loss=_squared, epochs=1)
    assert list(runtime.run(runtime.model(net), X)) == ["outputs"]


def _squared(outputs, y):
    d = outputs - y.reshape(outputs.shape)
    return (d**2).sum(axis=1), 2 * d


def test_the_class_of_a_tie_is_the_first(runtime, rng):
    net = _fitted(rng, "cross_entropy", 3)
    net.parameters[:] = 0.0
    found = runtime.run(runtime.model(net, ["b", "a", "c"]), np.ones((2, 4), "f4"))
    assert found["label"].tolist() == ["b", "b"]


BAD = [
    ("cross_entropy", ["a", "b"], ValueError, r"must be 3 labels.*got shape \(2,\)"),
    ("cross_entropy", [["a", "b", "c"]], ValueError, r"got shape \(1, 3\)"),
    ("cross_entropy", "abc", ValueError, r"got shape \(\)"),
    ("cross_entropy", [1j, 2, 3], TypeError, "strings, integers.*complex128"),
    ("cross_entropy", ["a", None, "c"], TypeError, "strings, integers.*object"),
    ("cross_entropy", np.array([2**63, 1, 2], "u8"), TypeError, "below 2"),
    ("binary_cross_entropy", ["a", "b"], ValueError, "must be 3 labels for 3 outputs"),
    ("mse", ["a", "b", "c"], ValueError, "loss 'mse'.*leave classes out"),
]


@pytest.mark.parametrize(("loss", "classes", "error", "message"), BAD)
def test_classes_that_do_not_fit(runtime, rng, loss, classes, error, message):
    net = _fitted(rng, loss, 3)
    with pytest.raises(error, match=message):
        runtime.model(net, classes)


def test_three_classes_of_one_output(runtime, rng):
    net = _fitted(rng, "binary_cross_entropy", 1)
    with pytest.raises(ValueError, match="must be 2 labels for 1 output of"):
        runtime.model(net, ["a", "b", "c"])


def test_classes_of_an_unfitted_network(runtime):
    net = fnn.Sequential(fnn.Dense(2)).build(2)
    with pytest.raises(ValueError, match="classes: the network was not fitted yet"):
        runtime.model(net, ["a", "b"])
