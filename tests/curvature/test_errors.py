"""What curvature refuses, and in what words; threads and Ctrl-C."""

import _thread
import threading
import time

import numpy as np
import pytest

import fastnn as fnn
from curvature.problems import features
from fastnn import curvature
from sanitized import usual_speed

CALLS = {
    "hessian_vector_product": lambda net, X, y, **k: fnn.hessian_vector_product(
        net, X, y, np.ones(net.n_parameters), **k
    ),
    "gauss_newton_vector_product": (
        lambda net, X, y, **k: fnn.gauss_newton_vector_product(
            net, X, y, np.ones(net.n_parameters), **k
        )
    ),
    "hessian_matrix": curvature.hessian_matrix,
    "hessian_trace": curvature.hessian_trace,
    "hessian_spectrum": fnn.hessian_spectrum,
    "critical_point": fnn.critical_point,
}


@pytest.fixture
def net():
    return fnn.Sequential(fnn.Dense(4, "tanh"), fnn.Dense(2)).build(3)


X, Y = features(np.random.default_rng(0), 6, 3), [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({}, ValueError, "pass loss="),
        ({"loss": "mze"}, ValueError, "did you mean"),
        ({"loss": "cross_entropy", "l2": -1}, ValueError, "l2 must be"),
        ({"loss": "cross_entropy", "l1": np.nan}, ValueError, "l1 must be"),
        ({"loss": "cross_entropy", "n_threads": 0}, ValueError, "n_threads must be"),
        (
            {"loss": "cross_entropy", "sample_weight": [1.0]},
            ValueError,
            r"sample_weight must have shape \(6,\)",
        ),
        ({"loss": "poisson"}, ValueError, "y has shape"),
    ],
)
@pytest.mark.parametrize("call", CALLS)
def test_arguments_of_all(net, call, options, error, words):
    with pytest.raises(error, match=words):
        CALLS[call](net, X, Y, **options)


@pytest.mark.parametrize("call", CALLS)
def test_data_of_all(net, call):
    with pytest.raises(ValueError, match="X has 2 features, but the network expects 3"):
        CALLS[call](net, X[:, :2], Y, loss="cross_entropy")
    with pytest.raises(ValueError, match="NaN"):
        CALLS[call](net, np.where(X > 1, np.nan, X), Y, loss="cross_entropy")
    with pytest.raises(ValueError, match="y"):
        CALLS[call](net, X, [7] * 6, loss="cross_entropy")
    with pytest.raises(ValueError, match="row"):
        CALLS[call](net, X[:0], [], loss="cross_entropy")


def test_nets():
    with pytest.raises(TypeError, match="net must be a Sequential, got str"):
        fnn.hessian_spectrum("net", X, Y)
    with pytest.raises(fnn.NotBuiltError, match="critical_point: this network"):
        fnn.critical_point(fnn.Sequential(fnn.Dense(2)), X, Y, loss="cross_entropy")


@pytest.mark.parametrize(
    ("v", "error", "words"),
    [
        (np.ones(25), ValueError, r"v must have shape \(26,\), .* got \(25,\)"),
        (np.ones((26, 1)), ValueError, r"got \(26, 1\)"),
        (np.full(26, np.nan), ValueError, "v"),
        (np.full(26, np.inf), ValueError, "v"),
        ([], ValueError, r"got \(0,\)"),
        (["a"] * 26, TypeError, "v"),
        (np.ones(26) * 1j, TypeError, "v"),
        (None, TypeError, "v"),
    ],
)
def test_v(net, v, error, words):
    with pytest.raises(error, match=words):
        fnn.hessian_vector_product(net, X, Y, v, loss="cross_entropy")


@pytest.mark.parametrize("layout", [np.float32, np.int64, list, "strided"])
def test_v_of_other_kinds(net, layout):
    v = np.arange(26.0)
    given = np.repeat(v, 2)[::2] if layout == "strided" else None
    if given is None:
        given = v.tolist() if layout is list else v.astype(layout)
    np.testing.assert_array_equal(
        fnn.hessian_vector_product(net, X, Y, given, loss="cross_entropy"),
        fnn.hessian_vector_product(net, X, Y, v, loss="cross_entropy"),
    )


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"k": 0}, ValueError, "k must be >= 1"),
        ({"k": 2.5}, TypeError, "k must be an integer"),
        ({"density": 1}, TypeError, "density must be True or False"),
        ({"method": "lancsoz"}, ValueError, "did you mean 'lanczos'"),
        ({"method": None}, ValueError, "method must be"),
        ({"max_steps": 1}, ValueError, "max_steps must be >= 2"),
        ({"tolerance": 0}, ValueError, "tolerance must be"),
        ({"n_probes": 0}, ValueError, "n_probes must be >= 1"),
        ({"seed": -1}, ValueError, "seed must be >= 0"),
    ],
)
def test_settings_of_spectra(net, options, error, words):
    with pytest.raises(error, match=words):
        fnn.hessian_spectrum(net, X, Y, loss="cross_entropy", **options)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"tolerance": 1.0}, ValueError, "tolerance must be"),
        ({"tolerance": "small"}, TypeError, "tolerance must be a number"),
        ({"max_steps": 0}, ValueError, "max_steps must be"),
        ({"method": "eigh"}, ValueError, "method must be"),
    ],
)
def test_settings_of_critical_points(net, options, error, words):
    with pytest.raises(error, match=words):
        fnn.critical_point(net, X, Y, loss="cross_entropy", **options)


def test_one_probe_has_no_error(net):
    with pytest.raises(ValueError, match="n_probes must be >= 2"):
        curvature.hessian_trace(net, X, Y, loss="cross_entropy", n_probes=1)


def test_overflow():
    net = fnn.Sequential(fnn.Dense(1), dtype="float64").build(1)
    net.parameters[:] = 800.0
    with pytest.raises(ValueError, match="not finite"):
        fnn.hessian_vector_product(net, [[1.0]], [1.0], [1.0, 1.0], loss="poisson")
    with pytest.raises(ValueError, match="not finite"):
        fnn.critical_point(net, [[1.0]], [1.0], loss="poisson")


def test_a_diverged_net(net):
    net.parameters[3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fnn.critical_point(net, X, Y, loss="cross_entropy")


def test_from_many_threads_at_once(rng):
    net = fnn.Sequential(fnn.Dense(40, "tanh"), fnn.Dense(2)).build(3)
    X, y = features(rng, 500, 3), rng.integers(0, 2, size=500)
    v = rng.normal(size=net.n_parameters)
    results = []

    def run():
        product = fnn.hessian_vector_product(
            net, X, y, v, loss="cross_entropy", n_threads=2
        )
        results.append(product.tobytes())

    threads = [threading.Thread(target=run) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(results) == 6
    assert len(set(results)) == 1


def test_other_threads_run_meanwhile(rng):
    net = fnn.Sequential(fnn.Dense(400, "tanh"), fnn.Dense(2)).build(100)
    X, y = features(rng, 10_000, 100), rng.integers(0, 2, size=10_000)
    v, ticks = np.ones(net.n_parameters), 0
    arguments = {"loss": "cross_entropy", "n_threads": 1}
    thread = threading.Thread(
        target=fnn.hessian_vector_product, args=(net, X, y, v), kwargs=arguments
    )
    thread.start()
    while thread.is_alive():
        time.sleep(1e-3)
        ticks += 1
    assert ticks > 10


@usual_speed
@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c(rng, n_threads):
    """A product of some ten seconds is over within half a second of Ctrl-C."""
    net = fnn.Sequential(
        fnn.Dense(1500, "tanh"), fnn.Dense(1500, "tanh"), fnn.Dense(2)
    ).build(100)
    X, y = features(rng, 20_000, 100), rng.integers(0, 2, size=20_000)
    v = np.ones(net.n_parameters)
    before = net.parameters.copy()
    sent = []

    def interrupt():
        time.sleep(0.5)
        sent.append(time.monotonic())
        _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        fnn.hessian_vector_product(
            net, X, y, v, loss="cross_entropy", n_threads=n_threads
        )
    seconds = time.monotonic() - sent[0]
    thread.join()
    assert seconds < 0.5
    np.testing.assert_array_equal(net.parameters, before)
