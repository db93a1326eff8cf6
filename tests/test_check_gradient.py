"""The check of gradients that users' losses return."""

import numpy as np
import pytest

from fastnn.losses import CustomLoss, check_gradient


def right(outputs, y):
    """Cross-entropy with labels."""
    e = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    losses = -np.log(p[rows, y])
    p[rows, y] -= 1
    return losses, p


def coupled(outputs, _):
    """Half the squared distance of each row to the mean of all: rows meet."""
    d = outputs - outputs.mean(axis=0)
    return 0.5 * (d * d).sum(axis=1), d


def _wrong(change):
    def loss(outputs, y):
        losses, gradient = right(outputs, y)
        change(gradient)
        return losses, gradient

    return loss


def _double(g):
    g *= 2


def _negate_one(g):
    g[2, 1] *= -1


def _mean_over_rows(g):
    g /= len(g)


def _one_too_much(g):
    g[0, 0] += 1e-3


OUTPUTS = np.random.default_rng(5).normal(size=(4, 3))
Y = np.array([0, 2, 1, 0])


@pytest.mark.parametrize("loss", [right, coupled, CustomLoss(right, targets="classes")])
def test_right_ones_pass(loss):
    assert 0 <= check_gradient(loss, OUTPUTS, Y) < 1e-8
    check_gradient(loss, OUTPUTS.astype(np.float32).tolist(), Y.tolist())


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_any_scale_of_outputs(scale):
    def fourth(outputs, _):
        return (outputs**4).sum(axis=1), 4 * outputs**3

    assert check_gradient(fourth, scale * OUTPUTS, Y) < 1e-8


@pytest.mark.parametrize(
    "change", [_double, _negate_one, _mean_over_rows, _one_too_much]
)
def test_wrong_ones_are_found(change):
    with pytest.raises(ValueError, match=r"loss 'loss': gradient\[\d, \d\] is"):
        check_gradient(_wrong(change), OUTPUTS, Y)


def test_the_error_names_the_worst():
    with pytest.raises(ValueError, match=r"gradient\[2, 1\] is 0\.\d+, but .* -0\.\d+"):
        check_gradient(_wrong(_negate_one), OUTPUTS, Y)


def test_the_tolerance():
    loss = _wrong(_one_too_much)
    assert check_gradient(loss, OUTPUTS, Y, tolerance=0.01) == pytest.approx(1e-3)


def test_arguments_are_not_changed():
    def greedy(outputs, y):
        answer = right(outputs, y)
        outputs[...] = 0
        y[...] = 0
        return answer

    outputs, y = OUTPUTS.copy(), Y.copy()
    check_gradient(greedy, outputs, y)
    np.testing.assert_array_equal(outputs, OUTPUTS)
    np.testing.assert_array_equal(y, Y)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((right, OUTPUTS[0], Y), {}, ValueError, r"outputs must have shape \(n, out\)"),
        ((right, OUTPUTS[:0], Y[:0]), {}, ValueError, "outputs must have shape"),
        ((right, OUTPUTS, Y[:2]), {}, ValueError, "y must have 4 rows"),
        ((right, OUTPUTS, 3), {}, ValueError, "y must have 4 rows"),
        ((right, OUTPUTS, Y), {"tolerance": 0}, ValueError, "tolerance must be > 0"),
        ((right, OUTPUTS, Y), {"tolerance": "1"}, TypeError, "tolerance must be a num"),
        ((right, OUTPUTS, Y), {"tolerance": np.nan}, ValueError, "tolerance must be"),
        (("mse", OUTPUTS, Y), {}, TypeError, "function must be callable"),
        ((lambda o, _: o, OUTPUTS, Y), {}, TypeError, "tuple"),
    ],
)
def test_errors(arguments, options, error, message):
    with pytest.raises(error, match=message):
        check_gradient(*arguments, **options)
