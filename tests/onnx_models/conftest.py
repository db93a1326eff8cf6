"""Running a network in onnxruntime, and the tolerance it is held to."""

import os
from types import SimpleNamespace

import numpy as np
import pytest

import fastnn as fnn

# The folder is not called onnx: tests/ is on the path, where it would hide the package.
TOLERANCE = {"float32": 1e-5, "float64": 1e-9}


def _model(net, classes=None):
    """Return the model of a network, checked by onnx in full."""
    onnx = pytest.importorskip("onnx")
    model = fnn.onnx.to_model(net, classes=classes)
    onnx.checker.check_model(model, full_check=True)
    return model


def _run(model, X, *, optimized=True):
    """Return what onnxruntime makes of X, by the names of the outputs."""
    ort = pytest.importorskip("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    if not optimized:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    content = model if isinstance(model, (str, os.PathLike)) else None
    session = ort.InferenceSession(
        os.fspath(content) if content is not None else model.SerializeToString(),
        options,
        providers=["CPUExecutionProvider"],
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"X": X}), strict=True))


def _assert_same(net, X):
    """Let onnxruntime, with and without its optimiser, agree with ``net.predict``."""
    X = np.asarray(X, net.dtype)
    tolerance = TOLERANCE[net.dtype]
    for optimized in (True, False):
        outputs = _run(_model(net), X, optimized=optimized)["outputs"]
        assert outputs.dtype == net.dtype
        np.testing.assert_allclose(
            outputs, net.predict(X), rtol=tolerance, atol=tolerance
        )


@pytest.fixture(scope="session")
def runtime():
    """Models checked in full, runs of them, and comparisons with fastnn."""
    return SimpleNamespace(model=_model, run=_run, assert_same=_assert_same)
