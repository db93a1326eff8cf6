"""Layer descriptions: fields, names, errors, and each layer's gradient."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest

import fastnn as fnn
from fastnn.layers import ACTIVATIONS, Activation, Layer
from gradcheck import assert_network_gradient

SETTINGS = [
    *(cls() for cls in ACTIVATIONS.values()),
    fnn.LeakyReLU(0.3),
    fnn.ELU(0.5),
    fnn.CELU(2.0),
    fnn.GELU("tanh"),
    fnn.Dense(4),
    fnn.Dense(4, use_bias=False),
    fnn.Dense(4, "tanh", init="torch", lr_scale=0.5),
    fnn.BatchNorm(),
    fnn.BatchNorm(eps=0.1, momentum=0.5),
    fnn.LayerNorm(),
    fnn.LayerNorm(eps=0.1),
    fnn.Dropout(0.0),
    fnn.Dropout(0.4),
    fnn.Dense(4, dropconnect=0.25),
    fnn.Dense(4, weight_norm=True),
    fnn.Maxout(4),
    fnn.Maxout(4, 3, init="torch", in_features=5, lr_scale=0.5),
    fnn.PReLU(),
    fnn.PReLU(-0.5, per_unit=True),
    fnn.RMSNorm(),
    fnn.RMSNorm(eps=0.1),
    fnn.AlphaDropout(0.0),
    fnn.AlphaDropout(0.4),
    fnn.GaussianNoise(0.0),
    fnn.GaussianNoise(0.3),
    fnn.Residual(fnn.Tanh()),
    fnn.Residual(fnn.Dense(5), fnn.Residual(fnn.Dense(4), survival=0.5)),
    fnn.Residual(fnn.Dense(5), projection=True, survival=0.75),
]


def _all_subclasses(cls):
    for child in cls.__subclasses__():
        yield child
        yield from _all_subclasses(child)


def test_every_activation_has_a_name():
    assert set(ACTIVATIONS.values()) == set(_all_subclasses(Activation))
    assert {type(s) for s in SETTINGS} == set(_all_subclasses(Layer)) - {Activation}


@pytest.mark.parametrize("layer", SETTINGS, ids=repr)
def test_descriptions_are_frozen_values(layer):
    with pytest.raises(dataclasses.FrozenInstanceError):
        layer.kind = "other"
    pickled = pickle.dumps(layer)
    for twin in (copy.deepcopy(layer), pickle.loads(pickled)):  # noqa: S301
        assert twin == layer
        assert hash(twin) == hash(layer)
    names = {name: getattr(fnn, name) for name in fnn.__all__}
    assert eval(repr(layer), names) == layer  # noqa: S307
    assert layer != fnn.Dense(7)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("layer", SETTINGS, ids=repr)
def test_gradient(layer, training, rng):
    net = fnn.Sequential(
        fnn.Dense(5), layer, fnn.Dense(2), seed=3, dtype="float64"
    ).build(3)
    X, y = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))
    assert_network_gradient(net, X, y, loss="mse", training=training)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradient_of_a_fused_activation(name, rng):
    net = fnn.Sequential(fnn.Dense(5, name), fnn.Dense(2), dtype="float64").build(3)
    X, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    assert_network_gradient(net, X, y, loss="mse")
    apart = fnn.Sequential(
        fnn.Dense(5), ACTIVATIONS[name](), fnn.Dense(2), dtype="float64"
    ).build(3)
    apart.parameters[:] = net.parameters
    np.testing.assert_allclose(apart.predict(X), net.predict(X), rtol=1e-12)


def test_activation_names_become_objects():
    assert fnn.Dense(3, "leaky_relu").activation == fnn.LeakyReLU(0.01)
    assert fnn.Dense(3, "ReLU").activation == fnn.ReLU()
    assert fnn.Dense(3, fnn.ELU(2.0)).activation == fnn.ELU(2.0)
    assert fnn.Dense(3).activation is None


def test_given_arrays_are_the_weights():
    W, b = np.arange(6.0).reshape(2, 3), np.array([1.0, -1.0])
    layer = fnn.Dense(2, init=(W, b))
    W += 100  # the layer keeps its own copy
    state = fnn.Sequential(layer).state_dict()
    np.testing.assert_array_equal(state["0.weight"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(state["0.bias"], b)
    assert layer.in_features == 3
    assert layer == fnn.Dense(2, init=(np.arange(6).reshape(2, 3), b))
    assert layer != fnn.Dense(2, init=(np.ones((2, 3)), b))


def test_schemes_differ_and_follow_the_seed():
    schemes = ["he_normal", "he_uniform", "glorot_normal", "glorot_uniform"]
    schemes += ["lecun_normal", "orthogonal", "torch", "zeros"]
    weights = {}
    for scheme in schemes:
        net = fnn.Sequential(fnn.Dense(30, init=scheme), seed=1).build(40)
        again = fnn.Sequential(fnn.Dense(30, init=scheme), seed=1).build(40)
        np.testing.assert_array_equal(net.parameters, again.parameters)
        weights[scheme] = net.state_dict()["0.weight"]
    assert len({w.tobytes() for w in weights.values()}) == len(schemes)
    deviations = {
        "he_normal": np.sqrt(2 / 40),
        "he_uniform": np.sqrt(2 / 40),
        "glorot_normal": np.sqrt(2 / 70),
        "glorot_uniform": np.sqrt(2 / 70),
        "lecun_normal": np.sqrt(1 / 40),
        "torch": np.sqrt(1 / 120),
    }
    for scheme, deviation in deviations.items():
        assert weights[scheme].std() == pytest.approx(deviation, rel=0.1), scheme
    product = weights["orthogonal"] @ weights["orthogonal"].T
    np.testing.assert_allclose(product, np.eye(30) * product[0, 0], atol=1e-5)


@pytest.mark.parametrize("layer", SETTINGS, ids=repr)
def test_a_summary_counts_what_a_network_holds(layer):
    net = fnn.Sequential(fnn.Dense(5), layer, fnn.Dense(2)).build(3)
    assert f"{net.n_parameters:,} parameters" in net.summary()
    if not layer.inner():  # whose layers have rows of their own
        assert repr(layer) in net.summary()
    assert type(layer).__name__ in net.summary()
    assert type(layer).__name__ in net._repr_html_()
    assert net.out_features == 2
    held = {name: a.shape for name, a in net.state_dict().items()}
    for name, (dtype, shape) in layer.tensors(5, "float32").items():
        assert held[f"1.{name}"] == shape
        assert net.state_dict()[f"1.{name}"].dtype == dtype


ERRORS = [
    (lambda: fnn.Dense(0), ValueError, ["Dense", "units", "0"]),
    (lambda: fnn.Dense(2.5), TypeError, ["units", "an integer", "2.5"]),
    (lambda: fnn.Dense(True), TypeError, ["units", "an integer"]),
    (lambda: fnn.Dense("8"), TypeError, ["units", "an integer", "'8'"]),
    (lambda: fnn.Dense(3, "rleu"), ValueError, ["activation", "rleu", "'relu'"]),
    (lambda: fnn.Dense(3, 7), TypeError, ["activation", "int 7"]),
    (lambda: fnn.Dense(3, use_bias=1), TypeError, ["use_bias", "True or False"]),
    (lambda: fnn.Dense(3, init="he_norml"), ValueError, ["init", "'he_normal'"]),
    (lambda: fnn.Dense(3, init=1.0), TypeError, ["init", "(W, b)", "float"]),
    (lambda: fnn.Dense(3, init=(np.ones((2, 3)), None)), ValueError, ["(3,", "(2, 3)"]),
    (lambda: fnn.Dense(2, init=(np.ones((2, 3)), None)), ValueError, ["init[1]"]),
    (
        lambda: fnn.Dense(2, init=(np.ones((2, 3)), [1.0])),
        ValueError,
        ["init[1]", "(2,)", "(1,)"],
    ),
    (
        lambda: fnn.Dense(1, init=([[np.nan]], [0.0])),
        ValueError,
        ["init[0]", "NaN"],
    ),
    (
        lambda: fnn.Dense(1, init=([[1.0]], [0.0]), in_features=2),
        ValueError,
        ["init[0]", "(1, 2)", "(1, 1)"],
    ),
    (lambda: fnn.Dense(3, in_features=0), ValueError, ["in_features", "0"]),
    (lambda: fnn.Dense(3, lr_scale=-1.0), ValueError, ["lr_scale", "-1"]),
    (lambda: fnn.Dense(3, lr_scale="1"), TypeError, ["lr_scale", "a number"]),
    (lambda: fnn.Dropout(1), ValueError, ["Dropout", "p", "[0, 1)", "1"]),
    (lambda: fnn.Dropout(-0.1), ValueError, ["p", "-0.1"]),
    (lambda: fnn.Dropout(float("nan")), ValueError, ["p", "nan"]),
    (lambda: fnn.Dropout("0.5"), TypeError, ["p", "a number"]),
    (lambda: fnn.BatchNorm(eps=0.0), ValueError, ["BatchNorm", "eps", "0"]),
    (lambda: fnn.BatchNorm(momentum=1.5), ValueError, ["momentum", "1.5"]),
    (lambda: fnn.LayerNorm(eps=-1.0), ValueError, ["LayerNorm", "eps", "-1"]),
    (lambda: fnn.RMSNorm(eps=0.0), ValueError, ["RMSNorm", "eps", "0"]),
    (lambda: fnn.RMSNorm(eps="1e-5"), TypeError, ["RMSNorm", "eps", "a number"]),
    (lambda: fnn.Dense(3, dropconnect=1.0), ValueError, ["dropconnect", "[0, 1)"]),
    (lambda: fnn.Dense(3, dropconnect=-0.1), ValueError, ["dropconnect", "-0.1"]),
    (lambda: fnn.Dense(3, dropconnect=np.nan), ValueError, ["dropconnect", "nan"]),
    (lambda: fnn.Dense(3, dropconnect=None), TypeError, ["dropconnect", "a number"]),
    (lambda: fnn.Dense(3, weight_norm=1), TypeError, ["weight_norm", "True or False"]),
    (
        lambda: fnn.Dense(3, init="zeros", weight_norm=True),
        ValueError,
        ["init", "zeros", "weight_norm", "direction"],
    ),
    (
        lambda: fnn.Dense(2, init=([[1.0], [0.0]], [0, 0]), weight_norm=True),
        ValueError,
        ["init[0]", "row of zeros", "weight_norm"],
    ),
    (lambda: fnn.Maxout(0), ValueError, ["Maxout", "units", "0"]),
    (lambda: fnn.Maxout(3, 1), ValueError, ["Maxout", "pieces", ">= 2", "1", "Dense"]),
    (lambda: fnn.Maxout(3, 0), ValueError, ["pieces", "0"]),
    (lambda: fnn.Maxout(3, 2.0), TypeError, ["pieces", "an integer", "2.0"]),
    (lambda: fnn.Maxout(3, init="ones"), ValueError, ["Maxout", "init", "'ones'"]),
    (lambda: fnn.Maxout(3, init=([[1]], [0])), TypeError, ["Maxout", "init"]),
    (lambda: fnn.Maxout(3, in_features=0), ValueError, ["in_features", "0"]),
    (lambda: fnn.Maxout(3, lr_scale=-1.0), ValueError, ["lr_scale", "-1"]),
    (lambda: fnn.PReLU(float("inf")), ValueError, ["PReLU", "init", "inf"]),
    (lambda: fnn.PReLU("0.25"), TypeError, ["PReLU", "init", "a number"]),
    (lambda: fnn.PReLU(per_unit=3), TypeError, ["per_unit", "True or False"]),
    (lambda: fnn.AlphaDropout(1), ValueError, ["AlphaDropout", "p", "[0, 1)"]),
    (lambda: fnn.AlphaDropout(float("nan")), ValueError, ["p", "nan"]),
    (lambda: fnn.GaussianNoise(-0.1), ValueError, ["GaussianNoise", "std", "-0.1"]),
    (lambda: fnn.GaussianNoise(float("inf")), ValueError, ["std", "inf"]),
    (lambda: fnn.GaussianNoise("1"), TypeError, ["std", "a number"]),
    (
        lambda: fnn.Sequential(fnn.Dense(3), fnn.Maxout(2, in_features=4)),
        ValueError,
        ["layers[1]", "in_features=4", "gives 3"],
    ),
    (lambda: fnn.GELU("erf"), ValueError, ["GELU", "approximate"]),
    (lambda: fnn.GELU(1), TypeError, ["GELU", "approximate", "string", "1"]),
    (lambda: fnn.CELU(0.0), ValueError, ["CELU", "alpha", "0"]),
    (lambda: fnn.ELU(float("inf")), ValueError, ["ELU", "alpha", "inf"]),
    (lambda: fnn.LeakyReLU(float("nan")), ValueError, ["negative_slope", "nan"]),
]


@pytest.mark.parametrize(("call", "error", "words"), ERRORS)
def test_errors_name_the_argument(call, error, words):
    with pytest.raises(error) as caught:
        call()
    for word in words:
        assert word in str(caught.value)
