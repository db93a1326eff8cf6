"""Hypothesis: small random networks, losses and settings keep the promises."""

import numpy as np
from hypothesis import given, note, settings
from hypothesis import strategies as st

import fastnn as fnn
from engine.problems import LOSSES, bits, curves, features, settled, targets
from gradcheck import assert_network_gradient

# Smooth ones: central differences straddle no kink.
SMOOTH = ["tanh", "sigmoid", "gelu", "silu", "mish", "softplus", "identity"]
ANY = [*SMOOTH, "relu", "leaky_relu", "elu", "selu", "hard_tanh", "hard_swish"]

OPTIMIZERS = st.sampled_from(
    [
        fnn.SGD(0.05),
        fnn.SGD(0.05, momentum=0.9, nesterov=True),
        fnn.Adam(0.01, amsgrad=True),
        fnn.AdamW(0.01),
        fnn.RMSprop(0.01, centered=True),
        fnn.NAdam(),
        fnn.RAdam(),
        fnn.Adagrad(),
        fnn.Adadelta(),
        fnn.Adamax(),
        fnn.Lion(),
        fnn.Rprop(),
        fnn.ASGD(),
    ]
)


def _block(inner, survival, projection):
    return fnn.Residual(inner, survival=survival, projection=projection)


@st.composite
def layers(draw, activations, *, blocks=False):
    """Up to six layers in any order, then a Dense is put behind by the test."""
    activation = st.sampled_from(activations)
    kinks = [fnn.PReLU(), fnn.PReLU(per_unit=True), fnn.Maxout(3), fnn.Maxout(5, 3)]
    layer = st.one_of(
        st.builds(
            fnn.Dense,
            st.integers(1, 20),
            st.none() | activation,
            use_bias=st.booleans(),
            weight_norm=st.booleans(),
            dropconnect=st.sampled_from([0.0, 0.3]),
        ),
        st.sampled_from(kinks if activations is ANY else [fnn.RMSNorm(0.1)]),
        st.sampled_from(
            [fnn.AlphaDropout(0.2), fnn.GaussianNoise(0.2), fnn.RMSNorm(0.1)]
        ),
        st.just(fnn.BatchNorm(eps=0.1)),
        st.just(fnn.LayerNorm(eps=0.1)),
        st.builds(fnn.Dropout, st.sampled_from([0.0, 0.3, 0.8])),
        activation.map(lambda name: fnn.layers.ACTIVATIONS[name]()),
    )
    if blocks:
        survival, projection = (
            st.sampled_from([1.0, 0.6]),
            st.sampled_from(["auto", True]),
        )
        layer = st.recursive(
            layer,
            lambda inner: st.builds(
                _block, st.lists(inner, min_size=1, max_size=3), survival, projection
            ),
            max_leaves=6,
        )
    return draw(st.lists(layer, min_size=0, max_size=6))


@st.composite
def tasks(draw, max_rows):
    """A loss with its outputs, data and perhaps weights."""
    loss, outputs, kind = LOSSES[draw(st.sampled_from(sorted(LOSSES)))]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, columns = draw(st.integers(1, max_rows)), draw(st.integers(1, 9))
    X, y = features(rng, rows, columns), targets(rng, kind, rows, outputs)
    weight = rng.uniform(0.1, 2.0, size=rows) if draw(st.booleans()) else None
    return loss, outputs, (X, y, weight)


OPTIONS = st.fixed_dictionaries(
    {
        "batch_size": st.integers(1, 70),
        "l1": st.sampled_from([0.0, 1e-3]),
        "l2": st.sampled_from([0.0, 1e-2]),
        "clip_norm": st.sampled_from([None, 1.0]),
        "clip_value": st.sampled_from([None, 0.5]),
        "max_norm": st.sampled_from([None, 3.0]),
        "optimizer": OPTIMIZERS,
        "shuffle": st.booleans(),
        "schedule": st.sampled_from([None, fnn.Cosine(3), fnn.Exponential(0.9)]),
    }
)


def _fit(inner, task, options, dtype, n_threads):
    loss, outputs, (X, y, weight) = task
    net = fnn.Sequential(*inner, fnn.Dense(outputs), dtype=dtype, seed=7)
    history = net.fit(
        X, y, sample_weight=weight, loss=loss, epochs=3, n_threads=n_threads, **options
    )
    return net, history


@given(layers(ANY), tasks(140), OPTIONS, st.sampled_from(["float32", "float64"]))
def test_a_fit(inner, task, options, dtype):
    """Finite, the same again, and the same bits on three threads."""
    net, history = _fit(inner, task, options, dtype, 1)
    assert all(np.isfinite(a).all() for a in net.state_dict().values())
    assert np.isfinite(history.history["loss"]).all()
    for n_threads in (1, 3):
        twin, other = _fit(inner, task, options, dtype, n_threads)
        assert bits(net) == bits(twin)
        assert curves(history) == curves(other)
    X = task[2][0].astype(dtype)
    together = net.predict(X)
    for i in {0, len(X) // 2, len(X) - 1}:
        np.testing.assert_array_equal(net.predict(X[i : i + 1])[0], together[i])


@given(
    layers(ANY, blocks=True), tasks(140), st.booleans(), st.sampled_from(["f4", "f8"])
)
def test_a_pass_through_blocks(inner, task, training, dtype):
    """The same bits on three threads, and for a row alone."""
    loss, outputs, (X, y, weight) = task
    dtype = np.dtype(dtype).name
    net = fnn.Sequential(*inner, fnn.Dense(outputs), dtype=dtype, seed=7)
    settled(net, np.random.default_rng(0), X.shape[1])
    options = {"loss": loss, "sample_weight": weight, "training": training}
    first, *others = [
        net.loss_and_gradients(X, y, n_threads=n, **options) for n in (1, 3)
    ]
    for other in others:
        assert other[0] == first[0]
        for name, gradient in first[1].items():
            assert other[1][name].tobytes() == gradient.tobytes(), name
    together = net.predict(X)
    for i in {0, len(X) // 2, len(X) - 1}:
        np.testing.assert_array_equal(net.predict(X[i : i + 1])[0], together[i])


@given(
    layers(SMOOTH, blocks=True), tasks(20), st.booleans(), st.sampled_from([0.0, 0.1])
)
@settings(max_examples=settings().max_examples // 3)
def test_gradient(inner, task, training, l2):
    loss, outputs, (X, y, weight) = task
    rng = np.random.default_rng(0)
    net = fnn.Sequential(*inner, fnn.Dense(outputs), dtype="float64", seed=7)
    settled(net, rng, X.shape[1])
    note(repr(net))
    assert_network_gradient(
        net, X, y, loss=loss, sample_weight=weight, training=training, l2=l2
    )
