"""Wrong arguments: each is one clear error, and nothing is written."""

import re

import numpy as np
import pytest

from fastnn import kernels

F = np.float32
X, W, B = np.ones((4, 3), F), np.ones((2, 3), F), np.ones(2, F)
Y = np.ones((4, 2), F)
C, R = np.ones(3, F), np.ones(4, F)

# fmt: off
TYPE_ERRORS = [
    ("dense_forward", (X.astype(int), W, B), {}, "x must be float32 or float"),
    ("dense_forward", (X.astype("f2"), W, B), {}, "got float16: convert it"),
    ("dense_forward", (X, W.astype("f8"), B), {}, "w is float64, other arrays"),
    ("dense_forward", (X, W, B.astype("f8")), {}, "b is float64"),
    ("dense_forward", (X.astype(complex), W, B), {}, "got complex128"),
    ("dense_forward", ([[1.0]], W, B), {}, "x must be a plain NumPy array"),
    ("dense_forward", (X, None, B), {}, "w must be a plain NumPy array, got No"),
    ("activation_forward", (np.ma.ones(3), "relu"), {}, "got float64 array"),
    ("mse", (X, np.full(X.shape, "a")), {}, "y must hold numbers, got <U1"),
    ("mse", (X, X.astype(complex)), {}, "y must hold numbers, got complex"),
    ("softmax_cross_entropy", (Y, R), {}, "y must hold integer labels, got fl"),
    ("dropout_backward", (X, X, 0.5), {}, "mask must be bool, got float32"),
    ("dense_forward", (X, W, B, "elu"), {"alpha": "a"}, "alpha must be a number"),
    ("dropout_forward", (X, 0.5, 1.5, 0), {}, "float"),
    ("poisson_nll", (X, X), {"sum_outputs": "no"}, "sum_outputs: unusable value"),
    ("quantile_loss", (X, X), {"q": "0.5"}, "q must be a number"),
    ("mse", (X, X), {"n_threads": 1.5}, "n_threads must be an integer or None"),
    ("mse", (X, X), {"n_threads": True}, "n_threads must be an integer or None"),
    ("dense_forward", (X, W), {"out": Y.astype("f8")}, "out is float64, expecte"),
    ("dense_forward", (X, W), {"out": 3}, "out must be a plain NumPy array"),
    ("dense_backward", (Y, X, W, Y), {"out": X}, "tuple (dx, dw, db), got flo"),
    ("dense_backward", (Y, X, W, Y), {"out": (X,)}, "tuple (dx, dw, db)"),
    ("activation_forward", (X, ["relu"]), {}, "activation must be a name such as"),
    ("dense_forward", (X, W, B, X), {}, "a name such as 'relu', got ndarray"),
    ("dense_backward", (Y, X, W, Y, None), {}, "such as 'relu', got NoneType"),
]
VALUE_ERRORS = [
    # shapes
    ("dense_forward", (C, W, B), {}, "x has 1 dimensions, expected 2"),
    ("dense_forward", (X, Y, B), {}, "x has 3 columns, w has 2"),
    ("dense_forward", (X, W, C), {}, "b has shape (3,), expected (2,)"),
    ("dense_backward", (X, X, W, Y), {}, "dy has shape (4, 3), expected (4, 2)"),
    ("dense_backward", (Y, X, W, X), {}, "y has shape (4, 3)"),
    ("dense_backward", (Y, X, W, Y, "silu"), {"z": X}, "z has shape (4, 3)"),
    ("activation_backward", (X, Y, "relu"), {}, "dy has shape (4, 3), expected"),
    ("batchnorm_forward", (X, B, C), {}, "gamma has shape (2,), expected (3,)"),
    ("batchnorm_backward", (Y, X, C, C, C), {}, "dy has shape (4, 2)"),
    ("batchnorm_inference", (X, C, C, C, R), {}, "running_var has shape (4,)"),
    ("batchnorm_forward", (X[:0], C, C), {}, "number of rows of x must be at"),
    ("layernorm_forward", (X[:, :0], C[:0], C[:0]), {}, "number of columns of"),
    ("layernorm_backward", (X, X, C, C, R), {}, "mean has shape (3,), expected"),
    ("mse", (X, Y), {}, "y has shape (4, 2), expected (4, 3)"),
    ("mse", (X[:0], X[:0]), {}, "the number of rows must be at least 1"),
    ("mse", (X[:, :0], X[:, :0]), {}, "number of columns of outputs must be"),
    ("mse", (X[None], X[None]), {}, "outputs has 3 dimensions, expected 1 or"),
    ("softmax_cross_entropy", (Y, [0, 1]), {}, "y has 2 labels, expected 4"),
    ("softmax_cross_entropy", (Y, X), {}, "y has shape (4, 3), expected (4,)"),
    ("dropout_forward", (C, 0.5, 0, 0), {}, "x has 1 dimensions"),
    ("dropout_backward", (X, Y > 0, 0.5), {}, "dy has shape (4, 3), expected"),
    ("dropout_backward", (X, C > 0, 0.5), {}, "mask must have 2 dimensions"),
    # values
    ("dense_forward", (X, W, B, "rleu"), {}, "did you mean 'relu'?"),
    ("dense_forward", (X, W, B, "step"), {}, "activation: unknown name 'step'"),
    ("dense_forward", (X, W, B, "relu"), {"alpha": 1}, "takes no parameter"),
    ("dense_forward", (X, W, B, "elu"), {"alpha": -1}, "alpha must be a finit"),
    ("dense_forward", (X, W, B, "elu"), {"alpha": np.nan}, "alpha must be a f"),
    ("dense_forward", (X, W, B, "celu"), {"alpha": 0}, "alpha must be a finit"),
    ("activation_forward", (X, "relu"), {"approximate": "tanh"}, 'with "gelu"'),
    ("activation_forward", (X, "gelu"), {"approximate": "erf"}, "must be"),
    ("activation_forward", (X, "elu"), {"negative_slope": 1}, "takes 'alpha'"),
    ("dense_backward", (Y, X, W, Y, "gelu"), {}, "give z, the pre-activation"),
    ("batchnorm_forward", (X, C, C, 0), {}, "eps must be a finite number > 0"),
    ("layernorm_forward", (X, C, C, np.inf), {}, "eps must be a finite number"),
    ("softmax_cross_entropy", (Y, [0, 1, 2, 0]), {}, "y[2] is 2, expected a l"),
    ("softmax_cross_entropy", (Y, [0, -1, 1, 0]), {}, "y[1] is -1"),
    ("softmax_cross_entropy", (Y, [0] * 4), {"label_smoothing": 2}, "in [0, 1]"),
    ("huber", (X, X), {"delta": 0}, "delta must be a finite number > 0, got 0"),
    ("poisson_nll", (X, -X), {}, "y at position 0 must be at least 0, got -1"),
    ("poisson_nll", (X, X * np.nan), {}, "y at position 0 must be at least 0"),
    ("gaussian_nll", (X, X), {}, "the number of outputs for gaussian must be even"),
    ("gaussian_nll", (Y, Y), {}, "y has shape (4, 2), expected (4, 1): half the ou"),
    ("gaussian_nll", (Y, R), {}, "y has shape (4,), expected (4, 1): half the ou"),
    ("gaussian_nll", (R, R), {}, "the number of outputs for gaussian must be even"),
    ("gaussian_nll", (Y, Y[:, :1]), {"eps": 0}, "eps must be a finite number > 0"),
    ("hinge", (X, -X), {}, "y at position 0 must be in [0, 1], got -1"),
    ("quantile_loss", (X, X), {"q": 1}, "q must be in (0, 1), got 1"),
    ("focal_loss", (Y, [0] * 4), {"gamma": -1}, "gamma must be a finite number >="),
    ("focal_loss", (Y, [0, 1, 2, 0]), {}, "y[2] is 2, expected a label in [0, 2)"),
    ("binary_cross_entropy", (X, 2 * X), {}, "y at position 0 must be in [0"),
    ("binary_cross_entropy", (X, X * np.nan), {}, "y at position 0 must be in"),
    ("binary_cross_entropy", (X, X), {"pos_weight": -1}, "pos_weight must be"),
    ("binary_cross_entropy", (X, X), {"pos_weight": [1, 2]}, "in pos_weight"),
    ("mse", (X, X), {"sample_weight": C}, "sample_weight has shape (3,), expe"),
    ("mse", (X, X), {"sample_weight": -R}, "sample_weight[0] must be not neg"),
    ("mse", (X, X), {"sample_weight": 0 * R}, "sum of sample_weight must be"),
    ("mse", (X, X), {"sample_weight": R * np.nan}, "sample_weight[0] must be"),
    ("dropout_forward", (X, 1.0, 0, 0), {}, "p must be in [0, 1), got 1"),
    ("dropout_forward", (X, np.nan, 0, 0), {}, "p must be in [0, 1), got nan"),
    ("dropout_forward", (X, 0.5, -1, 0), {}, "seed must be in [0, 2^64), got"),
    ("dropout_forward", (X, 0.5, 0, -1), {}, "step must be at least 0, got -1"),
    ("dropout_forward", (X, 0.5, 0, 0), {"layer": 1 << 16}, "layer must be in"),
    # threads
    ("mse", (X, X), {"n_threads": 0}, "n_threads must be from 1 to 1024"),
    # out
    ("dense_forward", (X, W), {"out": X}, "out has shape (4, 3), expected (4, 2)"),
    ("dense_forward", (X, W), {"out": np.asfortranarray(Y)}, "C-contiguous"),
    ("dense_forward", (X, W), {"out": np.broadcast_to(B, (4, 2))}, "writable"),
    ("dense_backward", (Y, X, W, Y), {"out": (X, None, None)}, "dx overlaps x"),
    ("mse", (X, Y[:, :1] * C), {"out": X}, "out overlaps outputs"),
]
# fmt: on

ERRORS = [(TypeError, *row) for row in TYPE_ERRORS]
ERRORS += [(ValueError, *row) for row in VALUE_ERRORS]


@pytest.mark.parametrize(
    ("error", "name", "arguments", "options", "message"),
    ERRORS,
    ids=[f"{row[1]}-{i}" for i, row in enumerate(ERRORS)],
)
def test_errors(error, name, arguments, options, message):
    with pytest.raises(error, match=re.escape(message)):
        getattr(kernels, name)(*arguments, **options)


def test_an_output_may_not_share_a_part_of_an_input():
    memory = np.zeros(20, F)
    a, b = memory[:16], memory[4:]
    with pytest.raises(ValueError, match="out overlaps z"):
        kernels.activation_forward(a, "relu", out=b)
    square, shared = np.ones((3, 3), F), np.empty((3, 3), F)
    with pytest.raises(ValueError, match="dx overlaps dw"):
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
