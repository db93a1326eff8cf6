"""Random networks, trained a little, in onnxruntime."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastnn as fnn
from fastnn.layers import ACTIVATIONS

pytest.importorskip("onnxruntime")


def _activations(dtype):
    names = sorted(ACTIVATIONS)
    if dtype == "float64":
        names.remove("gelu")  # onnxruntime has no erf of float64
    return st.sampled_from(names).map(lambda name: ACTIVATIONS[name]())


@st.composite
def networks(draw):
    """A network of one to five blocks and the width of its input."""
    dtype = draw(st.sampled_from(["float32", "float64"]))
    layers = []
    for _ in range(draw(st.integers(1, 5))):
        blocks = [
            st.builds(fnn.Dense, st.integers(1, 20), activation=_activations(dtype)),
            st.builds(fnn.Dense, st.integers(1, 20), use_bias=st.booleans()),
            st.builds(fnn.BatchNorm, eps=st.floats(1e-4, 0.1)),
            st.builds(fnn.Dropout, st.floats(0, 0.5)),
            _activations(dtype),
        ]
        inner = st.lists(st.one_of(blocks), min_size=1, max_size=3)
        layers.append(draw(st.one_of(*blocks, inner.map(fnn.Residual))))
    return fnn.Sequential(layers, seed=draw(st.integers(0, 99)), dtype=dtype)


@given(net=networks(), width=st.integers(1, 12), n=st.sampled_from([1, 2, 77]))
def test_random_networks(runtime, net, width, n):
    rng = np.random.default_rng(width)
    X = rng.normal(size=(64, width))
    net.build(width)
    net.fit(X, net.predict(X)[::-1], loss="mse", epochs=2, batch_size=16)
    runtime.assert_same(net, rng.normal(size=(n, width)))
