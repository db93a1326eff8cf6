import math

import numpy as np
import pytest

from fastnn.reference import activation_backward, activation_forward
from fastnn.reference._activation_table import ACTIVATIONS
from fastnn.reference._erf import erf

LOG2 = math.log(2.0)
E1 = math.exp(-1.0)
SIGMOID_1 = 1.0 / (1.0 + E1)
PHI_1 = 0.5 * (1.0 + math.erf(math.sqrt(0.5)))
TANH_GELU_1 = 0.5 * (1.0 + math.tanh(math.sqrt(2.0 / math.pi) * 1.044715))

# name: f(-1), f(0), f(1), f(4)
BY_HAND = {
    "identity": (-1.0, 0.0, 1.0, 4.0),
    "relu": (0.0, 0.0, 1.0, 4.0),
    "leaky_relu": (-0.01, 0.0, 1.0, 4.0),
    "elu": (E1 - 1.0, 0.0, 1.0, 4.0),
    "selu": (
        1.0507009873554805 * 1.6732632423543772 * (E1 - 1.0),
        0.0,
        1.0507009873554805,
        4.0 * 1.0507009873554805,
    ),
    "celu": (E1 - 1.0, 0.0, 1.0, 4.0),
    "gelu": (PHI_1 - 1.0, 0.0, PHI_1, 4.0 - 2.0 * math.erfc(math.sqrt(8.0))),
    "gelu_tanh": (TANH_GELU_1 - 1.0, 0.0, TANH_GELU_1, 3.9999297540518075),
    "silu": (SIGMOID_1 - 1.0, 0.0, SIGMOID_1, 4.0 / (1.0 + math.exp(-4.0))),
    "mish": (
        -math.tanh(math.log1p(E1)),
        0.0,
        math.tanh(math.log1p(math.e)),
        4.0 * math.tanh(math.log1p(math.exp(4.0))),
    ),
    "sigmoid": (1.0 - SIGMOID_1, 0.5, SIGMOID_1, 1.0 / (1.0 + math.exp(-4.0))),
    "tanh": (-math.tanh(1.0), 0.0, math.tanh(1.0), math.tanh(4.0)),
    "softplus": (math.log1p(E1), LOG2, math.log1p(math.e), math.log1p(math.exp(4.0))),
    "softsign": (-0.5, 0.0, 0.5, 0.8),
    "hard_sigmoid": (1.0 / 3.0, 0.5, 2.0 / 3.0, 1.0),
    "hard_swish": (-1.0 / 3.0, 0.0, 2.0 / 3.0, 4.0),
    "hard_tanh": (-1.0, 0.0, 1.0, 1.0),
}
# Where slopes jump, the value is torch's: name -> {z: slope}
AT_KINKS = {
    "relu": {0.0: 0.0},
    "leaky_relu": {0.0: 0.01},
    "elu": {0.0: 1.0},
    "selu": {0.0: 1.0507009873554805 * 1.6732632423543772},
    "hard_sigmoid": {-3.0: 0.0, 3.0: 0.0},
    "hard_swish": {-3.0: 0.0, 3.0: 1.0},
    "hard_tanh": {-1.0: 0.0, 1.0: 0.0},
}
EXTREMES = (0.0, -0.0, 30.0, -30.0, 1000.0, -1000.0, 1e30, -1e30)
NAMES = sorted(ACTIVATIONS)
DTYPES = (np.float32, np.float64)


def test_every_activation_is_worked_by_hand():
    assert sorted(BY_HAND) == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_forward_by_hand(name, dtype):
    z = np.array([-1.0, 0.0, 1.0, 4.0], dtype=dtype)
    y = activation_forward(z, name)
    assert y.dtype == dtype
    tolerance = 1e-15 if dtype == np.float64 else 3e-7
    np.testing.assert_allclose(y, BY_HAND[name], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_backward_is_the_slope(name, rng, check_gradient):
    z = rng.uniform(-5.0, 5.0, size=(6, 9))
    z[np.abs(np.abs(z) - np.round(np.abs(z))) < 1e-3] += 0.01  # away from the kinks
    dy = rng.normal(size=z.shape)
    dz = activation_backward(dy, z, name)
    check_gradient(lambda z: float((dy * activation_forward(z, name)).sum()), z, dz)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("leaky_relu", {"negative_slope": 0.3}),
        ("elu", {"alpha": 0.7}),
        ("celu", {"alpha": 2.0}),
        ("gelu", {"approximate": "tanh"}),
    ],
)
def test_parameters_reach_both_directions(name, parameter, rng, check_gradient):
    z = rng.uniform(0.1, 4.0, size=(2, 8)) * [[1.0], [-1.0]]
    one = np.ones_like(z)
    y = activation_forward(z, name, **parameter)
    assert not np.array_equal(y, activation_forward(z, name))
    dz = activation_backward(one, z, name, **parameter)
    check_gradient(
        lambda z: float(activation_forward(z, name, **parameter).sum()), z, dz
    )


def test_alpha_is_the_slope_of_leaky_relu_too():
    z = np.array([-2.0])
    assert activation_forward(z, "leaky_relu", alpha=0.5)[0] == -1.0


@pytest.mark.parametrize("name", sorted(AT_KINKS))
@pytest.mark.parametrize("dtype", DTYPES)
def test_slopes_at_the_kinks(name, dtype):
    z = np.array(list(AT_KINKS[name]), dtype=dtype)
    expected = np.array(list(AT_KINKS[name].values()), dtype=dtype)
    dz = activation_backward(np.ones_like(z), z, name)
    np.testing.assert_allclose(dz, expected, rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_finite_input_gives_finite_output(name, dtype):
    z = np.array(EXTREMES, dtype=dtype)
    y = activation_forward(z, name)
    dz = activation_backward(np.ones_like(z), z, name)
    assert np.isfinite(y).all()
    assert np.isfinite(dz).all()
    assert dz.dtype == dtype


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_stays_nan(name, dtype):
    y = activation_forward(np.array([np.nan, 1.0], dtype=dtype), name)
    assert np.isnan(y[0])
    assert np.isfinite(y[1])


@pytest.mark.parametrize("name", NAMES)
def test_out_may_be_the_argument(name, rng):
    z, dy = rng.normal(size=(2, 3, 5))
    y = activation_forward(z, name)
    dz = activation_backward(dy, z, name)
    over_dy = dy.copy()
    assert activation_backward(over_dy, z, name, out=over_dy) is over_dy
    np.testing.assert_array_equal(over_dy, dz)
    assert activation_forward(z, name, out=z) is z
    np.testing.assert_array_equal(z, y)


@pytest.mark.parametrize(
    ("dtype", "bound"), [(np.float64, 4e-16), (np.float32, 2.5e-7)]
)
def test_erf_against_the_standard_library(dtype, bound):
    x = np.concatenate([np.linspace(-7.0, 7.0, 4001), np.logspace(-12, 30, 200)])
    x = x.astype(dtype)
    expected = np.array([math.erf(value) for value in x.tolist()])
    assert np.abs(erf(x) - expected).max() < bound
    assert np.isnan(erf(np.array([np.nan], dtype=dtype)))[0]


@pytest.mark.parametrize(
    ("arguments", "parameters", "error", "message"),
    [
        ((np.ones(1), "rleu"), {}, ValueError, "did you mean 'relu'"),
        ((np.ones(1), "relu"), {"alpha": 1.0}, ValueError, "takes no parameter"),
        ((np.ones(1), "elu"), {"alpha": -1.0}, ValueError, "at least 0"),
        ((np.ones(1), "elu"), {"alpha": np.nan}, ValueError, "at least 0"),
        ((np.ones(1), "celu"), {"alpha": 0.0}, ValueError, "alpha must be"),
        ((np.ones(1), "elu"), {"negative_slope": 1.0}, ValueError, "takes 'alpha'"),
        ((np.ones(1), "gelu"), {"approximate": "erf"}, ValueError, "approximate"),
        ((np.ones(1), "relu"), {"approximate": "tanh"}, ValueError, "approximate"),
        ((np.ones(1, int), "relu"), {}, TypeError, "got int64"),
        (([1.0], "relu"), {}, TypeError, "got list"),
    ],
)
def test_errors_name_the_argument(arguments, parameters, error, message):
    with pytest.raises(error, match=message):
        activation_forward(*arguments, **parameters)
