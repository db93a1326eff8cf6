import numpy as np
import pytest

from fastnn.reference import activation_forward, dense_backward, dense_forward
from fastnn.reference._activation_table import ACTIVATIONS

NEEDS_Z = ("gelu", "gelu_tanh", "hard_swish", "mish", "silu")


def make(rng, rows=4, inputs=3, outputs=5, dtype=np.float64):
    shapes = ((rows, inputs), (outputs, inputs), (outputs,), (rows, outputs))
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def test_forward_by_hand():
    x = np.array([[1.0, 2.0], [3.0, -1.0]])
    w = np.array([[2.0, 1.0], [0.0, -1.0], [1.0, 1.0]])
    b = np.array([0.5, 0.0, -10.0])
    # x w^T = [[4, -2, 3], [5, 1, 2]]
    np.testing.assert_array_equal(
        dense_forward(x, w, b), [[4.5, -2.0, -7.0], [5.5, 1.0, -8.0]]
    )
    np.testing.assert_array_equal(
        dense_forward(x, w, activation="relu"), [[4.0, 0.0, 3.0], [5.0, 1.0, 2.0]]
    )


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_backward_is_the_slope(activation, rng, check_gradient):
    x, w, b, dy = make(rng)
    y = dense_forward(x, w, b, activation)
    z = dense_forward(x, w, b) if activation in NEEDS_Z else None
    dx, dw, db = dense_backward(dy, x, w, y, activation, z=z)

    def loss(x, w, b):
        return float((dy * dense_forward(x, w, b, activation)).sum())

    check_gradient(lambda x: loss(x, w, b), x, dx)
    check_gradient(lambda w: loss(x, w, b), w, dw)
    check_gradient(lambda b: loss(x, w, b), b, db)


@pytest.mark.parametrize("activation", ["leaky_relu", "elu", "celu"])
def test_alpha_reaches_both_directions(activation, rng, check_gradient):
    x, w, b, dy = make(rng)
    y = dense_forward(x, w, b, activation, alpha=0.4)
    dx, _, _ = dense_backward(dy, x, w, y, activation, alpha=0.4)
    assert not np.array_equal(y, dense_forward(x, w, b, activation))
    check_gradient(
        lambda x: float((dy * dense_forward(x, w, b, activation, alpha=0.4)).sum()),
        x,
        dx,
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_dtype_is_kept_and_out_is_filled(activation, dtype, rng):
    x, w, b, dy = make(rng, dtype=dtype)
    out = np.full_like(dy, np.nan)
    y = dense_forward(x, w, b, activation, out=out)
    assert y is out
    np.testing.assert_array_equal(
        y, activation_forward(dense_forward(x, w, b), activation)
    )
    gradients = dense_backward(dy, x, w, y, activation, z=dense_forward(x, w, b))
    assert [g.dtype for g in (y, *gradients)] == [dtype] * 4


@pytest.mark.parametrize(
    ("rows", "inputs", "outputs"), [(0, 3, 2), (2, 0, 3), (2, 3, 0)]
)
def test_empty_shapes(rows, inputs, outputs, rng):
    x, w, b, dy = make(rng, rows, inputs, outputs)
    y = dense_forward(x, w, b, "tanh")
    dx, dw, db = dense_backward(dy, x, w, y, "tanh")
    assert y.shape == (rows, outputs)
    assert (dx.shape, dw.shape, db.shape) == (x.shape, w.shape, b.shape)
    assert not dx.any() or outputs > 0


@pytest.mark.parametrize("activation", NEEDS_Z)
def test_z_is_asked_for(activation, rng):
    x, w, b, dy = make(rng)
    y = dense_forward(x, w, b, activation)
    with pytest.raises(ValueError, match="give z, the pre-activation"):
        dense_backward(dy, x, w, y, activation)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"w": np.ones((5, 4))}, ValueError, r"x has 3 columns, w has 4"),
        ({"b": np.ones(4)}, ValueError, r"b has shape \(4,\), expected \(5,\)"),
        ({"x": np.ones(3)}, ValueError, "x has 1 dimensions"),
        (
            {"w": np.ones((5, 3), np.float32)},
            TypeError,
            "w is float32 but x is float64",
        ),
        ({"activation": "sigmoyd"}, ValueError, "did you mean 'sigmoid'"),
    ],
)
def test_errors_name_the_argument(change, error, message, rng):
    x, w, b, _ = make(rng)
    arguments = {"x": x, "w": w, "b": b, **change}
    with pytest.raises(error, match=message):
        dense_forward(**arguments)


def test_backward_refuses_other_shapes(rng):
    x, w, _, dy = make(rng)
    with pytest.raises(ValueError, match="dy has shape"):
        dense_backward(dy[:, :1], x, w, dy)
    with pytest.raises(ValueError, match="y has shape"):
        dense_backward(dy, x, w, dy[:1])
    with pytest.raises(ValueError, match="z has shape"):
        dense_backward(dy, x, w, dy, "gelu", z=dy[:1])
