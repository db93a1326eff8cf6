"""The dense layer with every activation fused, forward and backward."""

import numpy as np
import pytest

from fastnn import kernels, reference


def draw(rows, inputs, units, dtype):
    generator = np.random.default_rng([rows, inputs, units])
    shapes = (rows, inputs), (units, inputs), (units,), (rows, units)
    return [generator.standard_normal(shape).astype(dtype) for shape in shapes]


def wide(*arrays):
    return [a.astype(np.float64) for a in arrays]


def test_forward_over_sizes(all_triples, dtype, close):
    for rows, inputs, units in all_triples:
        x, w, b, _ = draw(rows, inputs, units, dtype)
        y = kernels.dense_forward(x, w, b)
        assert y.dtype == dtype
        close(y, reference.dense_forward(*wide(x, w, b)), terms=inputs)
        close(kernels.dense_forward(x, w), x.astype(float) @ w.T, terms=inputs)


def test_backward_over_sizes(all_triples, dtype, close):
    for rows, inputs, units in all_triples:
        x, w, b, dy = draw(rows, inputs, units, dtype)
        y = kernels.dense_forward(x, w, b, "sigmoid")
        results = kernels.dense_backward(dy, x, w, y, "sigmoid")
        exact = reference.dense_backward(*wide(dy, x, w, y), "sigmoid")
        for a, e, terms in zip(results, exact, (units, rows, rows), strict=True):
            assert a.dtype == dtype
            close(a, e, terms=terms)


def test_every_activation_fuses(activation, needs_z, dtype, close):
    x, w, b, dy = draw(67, 19, 21, dtype)
    y = kernels.dense_forward(x, w, b, activation)
    close(y, reference.dense_forward(*wide(x, w, b), activation), terms=19)
    z = kernels.dense_forward(x, w, b) if needs_z else None
    z_wide = None if z is None else z.astype(float)
    results = kernels.dense_backward(dy, x, w, y, activation, z=z)
    exact = reference.dense_backward(*wide(dy, x, w, y), activation, z=z_wide)
    for a, e in zip(results, exact, strict=True):
        close(a, e, terms=67)


@pytest.mark.parametrize("name", ["leaky_relu", "elu", "celu"])
def test_alpha_reaches_the_activation(name, close):
    x, w, b, dy = draw(9, 4, 3, np.float64)
    y = kernels.dense_forward(x, w, b, name, alpha=0.4)
    close(y, reference.dense_forward(x, w, b, name, alpha=0.4), terms=4)
    results = kernels.dense_backward(dy, x, w, y, name, alpha=0.4)
    exact = reference.dense_backward(dy, x, w, y, name, alpha=0.4)
    for a, e in zip(results, exact, strict=True):
        close(a, e, terms=9)


def test_worked_example():
    # y = relu([1 2] [[1 1] [1 -1]]^T + [0.5 0.5]) = relu([3.5, -0.5]) = [3.5, 0]
    # dz = dy * [1, 0] = [2, 0];  dx = dz w = [2, 2];  dw = dz^T x = [[2, 4], [0, 0]]
    x, w, b = np.array([[1.0, 2]]), np.array([[1.0, 1], [1, -1]]), np.array([0.5, 0.5])
    y = kernels.dense_forward(x, w, b, "relu")
    dx, dw, db = kernels.dense_backward(np.array([[2.0, 3]]), x, w, y, "relu")
    assert y.tolist() == [[3.5, 0]]
    assert dx.tolist() == [[2, 2]]
    assert dw.tolist() == [[2, 4], [0, 0]]
    assert db.tolist() == [2, 0]


def test_gradient_is_that_of_the_forward_pass(activation, needs_z):
    """Central differences of sum(dy * dense_forward) in float64."""
    x, w, b, dy = draw(3, 4, 5, np.float64)
    y = kernels.dense_forward(x, w, b, activation)
    z = kernels.dense_forward(x, w, b) if needs_z else None
    gradients = kernels.dense_backward(dy, x, w, y, activation, z=z)
    for array, gradient in zip((x, w, b), gradients, strict=True):
        for at in np.ndindex(array.shape):
            value, step = array[at], 1e-6
            sides = []
            for shifted in (value + step, value - step):
                array[at] = shifted
                sides.append((dy * kernels.dense_forward(x, w, b, activation)).sum())
            array[at] = value
            difference = (sides[0] - sides[1]) / (2 * step)
            assert difference == pytest.approx(gradient[at], rel=1e-6, abs=1e-8)


def test_results_go_where_out_says():
    x, w, b, dy = draw(9, 4, 3, np.float32)
    y = np.empty((9, 3), np.float32)
    assert kernels.dense_forward(x, w, b, out=y) is y
    fresh = kernels.dense_backward(dy, x, w, y)
    dw = np.empty_like(w)
    dx, dw_out, db = kernels.dense_backward(dy, x, w, y, out=(None, dw, None))
    assert dw_out is dw
    for a, e in zip((dx, dw, db), fresh, strict=True):
        np.testing.assert_array_equal(a, e)
