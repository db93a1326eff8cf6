"""Every layer and activation in onnxruntime: the outputs fastnn predicts."""

import math

import numpy as np
import pytest

import fastnn as fnn
from fastnn.layers import ACTIVATIONS, Layer
from fastnn.layers import __all__ as layer_names

pytest.importorskip("onnxruntime")

# Beside each activation's defaults, settings that float32 cannot hold exactly.
SETTINGS = [
    fnn.LeakyReLU(0.3),
    fnn.LeakyReLU(1.7),
    fnn.ELU(0.7),
    fnn.CELU(0.3),
    fnn.CELU(2.1),
    fnn.GELU("tanh"),
]
ALL_ACTIVATIONS = [cls() for cls in ACTIVATIONS.values()] + SETTINGS

# Zeros, kinks, both tails, and what overflows exp.
POINTS = np.array(
    [0.0, -0.0, 1e-6, 0.5, 1.0, 2.9, 3.0, 3.1, 9.0, 30.0, 88.0, 120.0, 800.0]
)
POINTS = np.concatenate([POINTS, -POINTS, np.linspace(-6, 6, 60)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ALL_ACTIVATIONS, ids=repr)
def test_activations(runtime, activation, dtype):
    net = fnn.Sequential(activation, dtype=dtype).build(2)
    X = np.repeat(POINTS[:, None], 2, axis=1)
    if dtype == "float64" and activation == fnn.GELU():
        _reference_agrees(runtime, net, X)
    else:
        runtime.assert_same(net, X)


def _reference_agrees(runtime, net, X):
    """Compare where onnxruntime has no kernel (erf of float64), and see that."""
    reference = pytest.importorskip("onnx.reference")
    model = runtime.model(net)
    with pytest.raises(Exception, match="Could not find an implementation for Erf"):
        runtime.run(model, X)

    class Erf(reference.op_run.OpRun):  # the package's own rounds to float32
        op_domain = ""

        def _run(self, x):
            return (np.vectorize(math.erf)(x),)

    run = reference.ReferenceEvaluator(model, new_ops=[Erf]).run
    (outputs,) = run(None, {"X": X})
    np.testing.assert_allclose(outputs, net.predict(X), rtol=1e-9, atol=1e-9)


def test_selu_has_the_constants_of_its_paper_to_the_last_bit(runtime):
    net = fnn.Sequential(fnn.SELU(), dtype="float64").build(1)
    outputs = runtime.run(runtime.model(net), np.array([[1.0], [-1000.0]]))["outputs"]
    assert outputs[0, 0] == 1.0507009873554804934193349852946
    assert outputs[1, 0] == pytest.approx(-1.75809934084737685994, rel=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "layers",
    [
        [fnn.Dense(4)],
        [fnn.Dense(1)],
        [fnn.Dense(4, use_bias=False)],
        [fnn.Dense(4, "tanh"), fnn.Dense(3, fnn.ELU(0.3))],
        [fnn.Dropout(0.5), fnn.Dense(4), fnn.Dropout(0.3)],
        [fnn.BatchNorm()],
        [fnn.BatchNorm(eps=0.03), fnn.ReLU()],
        [fnn.Dense(4), fnn.BatchNorm(), fnn.SiLU(), fnn.Dense(2)],
        [fnn.Residual(fnn.Dense(4))],
        [
            fnn.Residual(
                *(fnn.Maxout(6), fnn.RMSNorm(), fnn.AlphaDropout(0.1), fnn.PReLU()),
                fnn.Residual(fnn.Dense(6, weight_norm=True), fnn.Dense(5)),
            ),
        ],
        [fnn.Residual(fnn.Dense(3), fnn.Tanh(), projection=True), fnn.Dense(2)],
        [
            fnn.Residual(
                fnn.Dense(5),
                fnn.BatchNorm(),
                fnn.ReLU(),
                fnn.Residual(fnn.Dropout(0.5)),
                fnn.Residual(fnn.Dense(5), survival=0.5),
            ),
            fnn.ReLU(),
            fnn.Residual(fnn.LayerNorm(), fnn.Dense(5)),
        ],
        [fnn.LayerNorm()],
        [fnn.LayerNorm(eps=0.03), fnn.Dense(3)],
        [fnn.Dropout(0.5)],
        [fnn.GaussianNoise(0.5), fnn.Dense(4), fnn.AlphaDropout(0.3)],
        [
            fnn.Dense(4, weight_norm=True),
            fnn.Dense(3, weight_norm=True, dropconnect=0.5),
        ],
        [fnn.Dense(4, "tanh", weight_norm=True, use_bias=False)],
        [fnn.Maxout(4, 3), fnn.Maxout(1)],
        [fnn.PReLU(), fnn.Dense(4), fnn.PReLU(per_unit=True)],
        [fnn.RMSNorm(), fnn.Dense(4), fnn.RMSNorm(0.03), fnn.ReLU()],
        [fnn.Identity(), fnn.Identity()],
    ],
    ids=repr,
)
def test_layers(runtime, rng, layers, dtype):
    net = fnn.Sequential(layers, dtype=dtype).build(5)
    _shake(net, rng)
    for n in (1, 2, 1000):
        runtime.assert_same(net, rng.normal(size=(n, 5)))


def _shake(net, rng):
    """Give every tensor, biases and running statistics too, numbers of its own."""
    state = net.state_dict()
    for name, array in state.items():
        if name.endswith("running_var"):
            array[...] = rng.uniform(0.1, 4, array.shape)
        elif array.ndim:
            array[...] = rng.normal(size=array.shape)
    net.load_state_dict(state)


def test_every_layer_of_the_package_is_exported():
    """Whoever adds a layer learns here that it has to be said in ONNX."""
    from fastnn.onnx import activations, layers

    things = [getattr(fnn.layers, name) for name in layer_names]
    known = {c for c in things if isinstance(c, type) and issubclass(c, Layer)}
    abstract = {fnn.layers.Layer, fnn.layers.Activation}
    assert known - abstract == {*layers.LAYERS, *activations.ACTIVATIONS}


def test_a_layer_without_a_form_in_onnx_is_named(runtime, monkeypatch):
    from fastnn.onnx import layers

    monkeypatch.delitem(layers.LAYERS, fnn.LayerNorm)
    net = fnn.Sequential(fnn.Dense(2), fnn.LayerNorm()).build(3)
    with pytest.raises(NotImplementedError, match=r"layer 1 is LayerNorm\(\)"):
        runtime.model(net)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batchnorm_of_columns_far_from_zero(runtime, rng, dtype):
    """Mean 1000, deviation 1: raw columns that are normalised by the first layer."""
    X = 1000 + rng.normal(size=(256, 3))
    net = fnn.Sequential(fnn.BatchNorm(), fnn.Dense(2), dtype=dtype)
    net.fit(X, X[:, :2], loss="mse", epochs=20, batch_size=32)
    runtime.assert_same(net, X)


def test_batchnorm_of_a_constant_column_in_float64(runtime):
    """Variance 0 leaves eps alone under the root, which float32 would round."""
    net = fnn.Sequential(fnn.BatchNorm(), dtype="float64").build(1)
    state = net.state_dict()
    state["0.running_var"][...] = 0.0
    net.load_state_dict(state)
    runtime.assert_same(net, [[1.0], [-2.0]])


def test_dense_worked_by_hand(runtime):
    """y = max(W x + b, 0): 3 - 5 + 0 = -2 and 1.5 + 2.5 + 1 = 5."""
    layer = fnn.Dense(2, "relu", init=([[1.0, -1.0], [0.5, 0.5]], [0.0, 1.0]))
    model = runtime.model(fnn.Sequential(layer))
    assert [node.op_type for node in model.graph.node] == ["Gemm", "Relu"]
    outputs = runtime.run(model, np.array([[3.0, 5.0]], "f4"))["outputs"]
    assert outputs.tolist() == [[0.0, 5.0]]


def test_weights_are_stored_as_they_are(runtime):
    net = fnn.Sequential(fnn.Dense(3), fnn.Dense(2)).build(4)
    stored = {t.name: t for t in runtime.model(net).graph.initializer}
    from onnx import numpy_helper

    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(numpy_helper.to_array(stored[name]), array)
