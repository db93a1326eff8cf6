"""Wrong arguments: each is one clear error, and nothing is written."""

import re

import numpy as np
import pytest

from fastnn import kernels

F = np.float32
X, W, B = np.ones((4, 3), F), np.ones((2, 3), F), np.ones(2, F)
Y = np.ones((4, 2), F)
C, R = np.ones(3, F), np.ones(4, F)

ERRORS = [
    # dtypes
    ("dense_forward", (X.astype(int), W, B), {}, TypeError, "x must be float32 or float"),
    ("dense_forward", (X.astype("f2"), W, B), {}, TypeError, "got float16: convert it"),
    ("dense_forward", (X, W.astype("f8"), B), {}, TypeError, "w is float64, other arrays"),
    ("dense_forward", (X, W, B.astype("f8")), {}, TypeError, "b is float64"),
    ("dense_forward", (X.astype(complex), W, B), {}, TypeError, "got complex128"),
    ("dense_forward", ([[1.0]], W, B), {}, TypeError, "x must be a plain NumPy array"),
    ("dense_forward", (X, None, B), {}, TypeError, "w must be a plain NumPy array, got No"),
    ("activation_forward", (np.ma.ones(3), "relu"), {}, TypeError, "got float64 array"),
    ("mse", (X, np.full(X.shape, "a")), {}, TypeError, "y must hold numbers, got <U1"),
    ("mse", (X, X.astype(complex)), {}, TypeError, "y must hold numbers, got complex"),
    ("softmax_cross_entropy", (Y, R), {}, TypeError, "y must hold integer labels, got fl"),
    ("dropout_backward", (X, X, 0.5), {}, TypeError, "mask must be bool, got float32"),
    # shapes
    ("dense_forward", (C, W, B), {}, ValueError, "x has 1 dimensions, expected 2"),
    ("dense_forward", (X, Y, B), {}, ValueError, "x has 3 columns, w has 2"),
    ("dense_forward", (X, W, C), {}, ValueError, "b has shape (3,), expected (2,)"),
    ("dense_backward", (X, X, W, Y), {}, ValueError, "dy has shape (4, 3), expected (4, 2)"),
    ("dense_backward", (Y, X, W, X), {}, ValueError, "y has shape (4, 3)"),
    ("dense_backward", (Y, X, W, Y, "silu"), {"z": X}, ValueError, "z has shape (4, 3)"),
    ("activation_backward", (X, Y, "relu"), {}, ValueError, "dy has shape (4, 3), expected"),
    ("batchnorm_forward", (X, B, C), {}, ValueError, "gamma has shape (2,), expected (3,)"),
    ("batchnorm_backward", (Y, X, C, C, C), {}, ValueError, "dy has shape (4, 2)"),
    ("batchnorm_inference", (X, C, C, C, R), {}, ValueError, "running_var has shape (4,)"),
    ("batchnorm_forward", (X[:0], C, C), {}, ValueError, "number of rows of x must be at"),
    ("layernorm_forward", (X[:, :0], C[:0], C[:0]), {}, ValueError, "number of columns of"),
    ("layernorm_backward", (X, X, C, C, R), {}, ValueError, "mean has shape (3,), expected"),
    ("mse", (X, Y), {}, ValueError, "y has shape (4, 2), expected (4, 3)"),
    ("mse", (X[:0], X[:0]), {}, ValueError, "the number of rows must be at least 1"),
    ("mse", (X[:, :0], X[:, :0]), {}, ValueError, "number of columns of outputs must be"),
    ("mse", (X[None], X[None]), {}, ValueError, "outputs has 3 dimensions, expected 1 or"),
    ("softmax_cross_entropy", (Y, [0, 1]), {}, ValueError, "y has 2 labels, expected 4"),
    ("softmax_cross_entropy", (Y, X), {}, ValueError, "y has shape (4, 3), expected (4,)"),
    ("dropout_forward", (C, 0.5, 0, 0), {}, ValueError, "x has 1 dimensions"),
    ("dropout_backward", (X, Y > 0, 0.5), {}, ValueError, "dy has shape (4, 3), expected"),
    ("dropout_backward", (X, C > 0, 0.5), {}, ValueError, "mask must have 2 dimensions"),
    # values
    ("dense_forward", (X, W, B, "rleu"), {}, ValueError, "did you mean 'relu'?"),
    ("dense_forward", (X, W, B, "step"), {}, ValueError, "unknown activation 'step'"),
    ("dense_forward", (X, W, B, "relu"), {"alpha": 1}, ValueError, "takes no parameter"),
    ("dense_forward", (X, W, B, "elu"), {"alpha": -1}, ValueError, "alpha must be a finit"),
    ("dense_forward", (X, W, B, "elu"), {"alpha": np.nan}, ValueError, "alpha must be a f"),
    ("dense_forward", (X, W, B, "celu"), {"alpha": 0}, ValueError, "alpha must be a finit"),
    ("dense_forward", (X, W, B, "elu"), {"alpha": "a"}, TypeError, "alpha: unusable value"),
    ("activation_forward", (X, "relu"), {"approximate": "tanh"}, ValueError, 'with "gelu"'),
    ("activation_forward", (X, "gelu"), {"approximate": "erf"}, ValueError, "must be"),
    ("activation_forward", (X, "elu"), {"negative_slope": 1}, ValueError, "takes 'alpha'"),
    ("dense_backward", (Y, X, W, Y, "gelu"), {}, ValueError, "give z, the pre-activation"),
    ("batchnorm_forward", (X, C, C, 0), {}, ValueError, "eps must be a finite number > 0"),
    ("layernorm_forward", (X, C, C, np.inf), {}, ValueError, "eps must be a finite number"),
    ("softmax_cross_entropy", (Y, [0, 1, 2, 0]), {}, ValueError, "y[2] is 2, expected a l"),
    ("softmax_cross_entropy", (Y, [0, -1, 1, 0]), {}, ValueError, "y[1] is -1"),
    ("softmax_cross_entropy", (Y, [0] * 4), {"label_smoothing": 2}, ValueError, "in [0, 1]"),
    ("huber", (X, X), {"delta": 0}, ValueError, "delta must be a finite number > 0, got 0"),
    ("binary_cross_entropy", (X, 2 * X), {}, ValueError, "y at position 0 must be in [0"),
    ("binary_cross_entropy", (X, X * np.nan), {}, ValueError, "y at position 0 must be in"),
    ("binary_cross_entropy", (X, X), {"pos_weight": -1}, ValueError, "pos_weight must be"),
    ("binary_cross_entropy", (X, X), {"pos_weight": [1, 2]}, ValueError, "in pos_weight"),
    ("mse", (X, X), {"sample_weight": C}, ValueError, "sample_weight has shape (3,), expe"),
    ("mse", (X, X), {"sample_weight": -R}, ValueError, "sample_weight[0] must be not neg"),
    ("mse", (X, X), {"sample_weight": 0 * R}, ValueError, "sum of sample_weight must be"),
    ("mse", (X, X), {"sample_weight": R * np.nan}, ValueError, "sample_weight[0] must be"),
    ("dropout_forward", (X, 1.0, 0, 0), {}, ValueError, "p must be in [0, 1), got 1"),
    ("dropout_forward", (X, np.nan, 0, 0), {}, ValueError, "p must be in [0, 1), got nan"),
    ("dropout_forward", (X, 0.5, -1, 0), {}, ValueError, "seed must be in [0, 2^64), got"),
    ("dropout_forward", (X, 0.5, 0, -1), {}, ValueError, "step must be at least 0, got -1"),
    ("dropout_forward", (X, 0.5, 1.5, 0), {}, TypeError, "float"),
    ("dropout_forward", (X, 0.5, 0, 0), {"layer": 1 << 16}, ValueError, "layer must be in"),
    # threads
    ("mse", (X, X), {"n_threads": 0}, ValueError, "n_threads must be from 1 to 1024"),
    ("mse", (X, X), {"n_threads": 1.5}, TypeError, "n_threads must be an integer or None"),
    ("mse", (X, X), {"n_threads": True}, TypeError, "n_threads must be an integer or None"),
    # out
    ("dense_forward", (X, W), {"out": X}, ValueError, "out has shape (4, 3), expected (4, 2)"),
    ("dense_forward", (X, W), {"out": Y.astype("f8")}, TypeError, "out is float64, expecte"),
    ("dense_forward", (X, W), {"out": np.asfortranarray(Y)}, ValueError, "C-contiguous"),
    ("dense_forward", (X, W), {"out": np.broadcast_to(B, (4, 2))}, ValueError, "writable"),
    ("dense_forward", (X, W), {"out": 3}, TypeError, "out must be a plain NumPy array"),
    ("dense_backward", (Y, X, W, Y), {"out": X}, TypeError, "tuple (dx, dw, db), got flo"),
    ("dense_backward", (Y, X, W, Y), {"out": (X,)}, TypeError, "tuple (dx, dw, db)"),
    ("dense_backward", (Y, X, W, Y), {"out": (X, None, None)}, ValueError, "dx overlaps x"),
    ("mse", (X, Y[:, :1] * C), {"out": X}, ValueError, "out overlaps outputs"),
]


@pytest.mark.parametrize(
    ("name", "arguments", "options", "error", "message"),
    ERRORS,
    ids=[f"{row[0]}-{i}" for i, row in enumerate(ERRORS)],
)
def test_errors(name, arguments, options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        getattr(kernels, name)(*arguments, **options)


def test_an_output_may_not_share_a_part_of_an_input():
    memory = np.zeros(20, F)
    a, b = memory[:16], memory[4:]
    with pytest.raises(ValueError, match="out overlaps z"):
        kernels.activation_forward(a, "relu", out=b)
    with pytest.raises(ValueError, match="dx overlaps dw"):
        square = np.ones((3, 3), F)
        shared = np.empty((3, 3), F)
        kernels.dense_backward(
            square, square, square, square, out=(shared, shared, None)
        )


def test_a_refused_call_leaves_out_alone():
    out = np.full((4, 2), 7, F)
    with pytest.raises(ValueError, match="b has shape"):
        kernels.dense_forward(X, W, C, out=out)
    assert (out == 7).all()


@pytest.mark.parametrize("rows", [0, 1, 5])
@pytest.mark.parametrize("inputs", [0, 1, 3])
@pytest.mark.parametrize("units", [0, 1, 3])
def test_dense_layers_without_extent(rows, inputs, units):
    x, w = np.ones((rows, inputs), F), np.ones((units, inputs), F)
    b = np.full(units, 2, F)
    y = kernels.dense_forward(x, w, b)
    assert y.tolist() == [[2.0 + inputs] * units] * rows
    dx, dw, db = kernels.dense_backward(y, x, w, y)
    assert dx.tolist() == [[units * (2.0 + inputs)] * inputs] * rows
    assert dw.tolist() == [[rows * (2.0 + inputs)] * inputs] * units
    assert db.tolist() == [rows * (2.0 + inputs)] * units
