"""Eigenvalues, density and trace against a whole Hessian's own."""

import numpy as np
import pytest

import fastnn as fnn
from curvature.problems import NETS, features, make, targets
from fastnn import curvature
from fastnn.curvature._lanczos import lanczos, random_signs
from fastnn.curvature.density import Density


@pytest.fixture
def problem(rng):
    """A network of 151 parameters with both signs of curvature, and its Hessian."""
    net = make([fnn.Dense(10, "tanh"), fnn.Dense(6, "silu"), fnn.Dense(3)], rng)
    X, y = features(rng, 60), targets(rng, "classes", 60, 3)
    H = curvature.hessian_matrix(net, X, y, loss="cross_entropy")
    return net, X, y, H


def _symmetric(rng, values):
    q, _ = np.linalg.qr(rng.normal(size=(len(values), len(values))))
    return (q * values) @ q.T


@pytest.mark.parametrize("method", ["full", "lanczos", "auto"])
def test_the_ends(problem, method):
    net, X, y, H = problem
    expected, _ = np.linalg.eigh(H)
    assert expected[0] < -0.01 * expected[-1]
    found = fnn.hessian_spectrum(
        net, X, y, loss="cross_entropy", k=3, method=method, tolerance=1e-7
    )
    assert found.converged
    assert found.method == ("lanczos" if method == "lanczos" else "full")
    np.testing.assert_allclose(
        found.eigenvalues, np.r_[expected[:3], expected[-3:]], atol=1e-8
    )
    assert found.lambda_min == found.eigenvalues[0]
    assert found.lambda_max == found.eigenvalues[-1]
    vectors = found.eigenvectors
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(6), atol=1e-10)
    np.testing.assert_allclose(
        np.linalg.norm(H @ vectors - vectors * found.eigenvalues, axis=0),
        found.residuals,
        atol=1e-9,
    )
    assert (vectors[np.abs(vectors).argmax(axis=0), range(6)] > 0).all()


def test_too_few_steps_are_told(problem):
    net, X, y, H = problem
    values = np.linalg.eigvalsh(H)
    found = fnn.hessian_spectrum(
        net, X, y, loss="cross_entropy", k=1, method="lanczos", max_steps=6
    )
    assert not found.converged
    assert "not converged" in repr(found)
    assert found.n_steps == 6
    assert values[0] <= found.lambda_min <= found.lambda_max <= values[-1] + 1e-12
    # The bound that residuals are: some eigenvalue is no further away.
    for value, residual in zip(found.eigenvalues, found.residuals, strict=True):
        assert np.abs(values - value).min() <= residual + 1e-12


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(-3, 8, 60),
        np.r_[np.zeros(55), -1e-3, 1.0, 2.0, 3.0, 1000.0],
        np.repeat([-1.0, 2.0], 30),  # the space of any vector has two dimensions
        np.zeros(60),
        np.full(60, 3.0),
    ],
)
def test_lanczos_against_eigh(rng, values):
    A = _symmetric(rng, values)
    run = lanczos(lambda v: A @ v, random_signs(60, 0, 0), 60)
    assert run.values[0] == pytest.approx(values.min(), abs=1e-9)
    assert run.values[-1] == pytest.approx(values.max(), abs=1e-9)
    assert run.weights.sum() == pytest.approx(1, abs=1e-12)
    m = len(run.values)
    np.testing.assert_allclose(run.basis @ run.basis.T, np.eye(m), atol=1e-12)
    vectors = run.vectors(np.arange(m))
    left = np.linalg.norm(A @ vectors - vectors * run.values, axis=0)
    np.testing.assert_allclose(left, run.residuals, atol=1e-9 * max(values.max(), 1))
    # Gauss quadrature: exact for the moments of the start's own measure.
    start = random_signs(60, 0, 0)
    for power in range(min(2 * m, 5)):
        assert run.weights @ run.values**power == pytest.approx(
            start @ np.linalg.matrix_power(A, power) @ start, rel=1e-8, abs=1e-9
        )


def test_repeatable_and_seeded(problem):
    net, X, y, _ = problem

    def run(**options):
        options = {"method": "lanczos", "density": True, "max_steps": 15, **options}
        found = fnn.hessian_spectrum(net, X, y, loss="cross_entropy", **options)
        return found.density.weights.tobytes()

    assert run() == run(n_threads=2) == run(seed=0)
    assert run(seed=1) != run()


@pytest.mark.parametrize("method", ["full", "lanczos"])
def test_density(problem, method):
    net, X, y, H = problem
    values = np.linalg.eigvalsh(H)
    n = len(values)
    found = fnn.hessian_spectrum(
        net,
        X,
        y,
        loss="cross_entropy",
        method=method,
        density=True,
        n_probes=40,
        max_steps=25,
    )
    density = found.density
    assert density.weights.sum() == pytest.approx(1, abs=1e-12)
    assert np.trapezoid(density.values, density.grid) == pytest.approx(1, abs=1e-6)
    rel = 1e-9 if method == "full" else 0.15
    for power in (1, 2, 3):
        assert density.moment(power) == pytest.approx(
            (values**power).mean(), rel=rel
        ), power
    at = 0.1 * values[-1]
    assert density.share_above(at) == pytest.approx(
        (values > at).mean(), abs=1e-12 if method == "full" else 2 / n
    )
    assert density.share_below(-1e9) == 0
    assert density.share_above(-1e9) == pytest.approx(1)
    assert density.counted == (method == "full")


def test_shares_by_few_nodes(rng):
    """What 20 nodes tell of 400 eigenvalues, between these nodes as well."""
    values = np.sort(rng.normal(size=400))
    A = _symmetric(rng, values)
    run = lanczos(lambda v: A @ v, random_signs(400, 0, 0), 20)
    density = Density.of(run.values, run.weights, counted=False)
    assert density.weights.max() > 0.1
    for at in np.linspace(-4, 4, 50):
        exact = (values < at).mean()
        assert density.share_below(at) == pytest.approx(exact, abs=0.06)
        assert density.share_above(at) == 1 - density.share_below(at)


@pytest.mark.parametrize("value", [0.0, 3.0, -1e-300])
def test_a_density_in_one_point(value):
    density = Density.of(np.full(4, value), np.full(4, 0.25), counted=True)
    assert np.isfinite(density.values).all()
    assert np.trapezoid(density.values, density.grid) == pytest.approx(1, abs=1e-6)
    assert "4 nodes" in repr(density)


def test_trace(problem):
    net, X, y, H = problem
    options = {"loss": "cross_entropy"}
    found = curvature.hessian_trace(net, X, y, n_probes=400, **options)
    few = curvature.hessian_trace(net, X, y, n_probes=25, **options)
    assert abs(found.value - np.trace(H)) < 4 * found.standard_error
    # Of random signs the variance is 2 (|H|_F^2 - |diag H|^2).
    spread = np.sqrt(2 * ((H**2).sum() - (np.diag(H) ** 2).sum()))
    assert found.standard_error == pytest.approx(spread / 20, rel=0.2)
    assert few.standard_error == pytest.approx(spread / 5, rel=0.5)
    assert found == curvature.hessian_trace(net, X, y, n_probes=400, **options)
    assert found.n_probes == 400


def test_a_penalty_shifts_the_spectrum(rng):
    """Of a net whose parameters are all penalised, by l2."""
    layers = [fnn.Dense(4, "tanh", use_bias=False), fnn.Dense(2, use_bias=False)]
    net = make(layers, rng)
    X, y = features(rng, 20), targets(rng, "values", 20, 2)
    bare = fnn.hessian_spectrum(net, X, y, loss="mse")
    more = fnn.hessian_spectrum(net, X, y, loss="mse", l1=3.0, l2=0.5)
    np.testing.assert_allclose(more.eigenvalues, bare.eigenvalues + 0.5, atol=1e-12)


def test_a_net_beyond_2000_parameters(rng):
    net = make([fnn.Dense(60, "tanh"), fnn.Dense(30, "tanh"), fnn.Dense(3)], rng)
    assert net.n_parameters > 2000
    X, y = features(rng, 50), targets(rng, "classes", 50, 3)
    found = fnn.hessian_spectrum(net, X, y, loss="cross_entropy", k=2)
    assert found.method == "lanczos"
    assert found.density is None
    for value, u in zip(found.eigenvalues, found.eigenvectors.T, strict=True):
        Hu = fnn.hessian_vector_product(net, X, y, u, loss="cross_entropy")
        assert np.linalg.norm(Hu - value * u) < 2e-4 * found.lambda_max
    with pytest.raises(ValueError, match=r"'full' is for at most 2000 parameters"):
        fnn.hessian_spectrum(net, X, y, loss="cross_entropy", method="full")
    with pytest.raises(ValueError, match=r"too many for a whole Hessian"):
        curvature.hessian_matrix(net, X, y, loss="cross_entropy")


def test_frozen_layers_stand_still(rng):
    """The spectrum is that of the block of the Hessian which training moves in."""
    net = make([fnn.Dense(4, "tanh"), fnn.Dense(3, "tanh"), fnn.Dense(2)], rng)
    X, y = features(rng, 20), targets(rng, "values", 20, 2)
    H = curvature.hessian_matrix(net, X, y, loss="mse")
    net.freeze(1)
    moving = np.r_[0:24, 39:47]
    values = np.linalg.eigvalsh(H[np.ix_(moving, moving)])
    for method in ("full", "lanczos"):
        found = fnn.hessian_spectrum(
            net, X, y, loss="mse", k=2, method=method, tolerance=1e-7
        )
        np.testing.assert_allclose(
            found.eigenvalues, np.r_[values[:2], values[-2:]], atol=1e-8
        )
        assert found.eigenvectors.shape == (47, 4)
        assert not found.eigenvectors[24:39].any()
    assert curvature.hessian_trace(net, X, y, loss="mse", n_probes=500).value == (
        pytest.approx(values.sum(), rel=0.1)
    )
    net.freeze()
    with pytest.raises(ValueError, match="no parameters that training changes"):
        fnn.hessian_spectrum(net, X, y, loss="mse")


def test_relu_nets(rng):
    """Away from the corners their Hessian is symmetric and of both signs."""
    net = make([fnn.Dense(8, "relu"), fnn.Dense(8, "relu"), fnn.Dense(3)], rng)
    X, y = features(rng, 30), targets(rng, "classes", 30, 3)
    found = fnn.hessian_spectrum(net, X, y, loss="cross_entropy")
    assert found.lambda_min < 0 < found.lambda_max


def test_every_net_has_a_spectrum(rng):
    for layers in NETS.values():
        net = make(layers, rng)
        X, y = features(rng, 12), targets(rng, "values", 12, 3)
        found = fnn.hessian_spectrum(
            net, X, y, loss="mse", k=1, method="lanczos", max_steps=12
        )
        assert found.lambda_min <= found.lambda_max
