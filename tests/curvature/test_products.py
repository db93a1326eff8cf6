"""Hessian-vector products against differences of gradients, and their own algebra."""

import numpy as np
import pytest
import scipy.sparse

import fastnn as fnn
from curvature.problems import (
    ACTIVATIONS,
    LOSSES,
    NETS,
    assert_product,
    features,
    make,
    slope,
    targets,
)
from fastnn import curvature


# 7 rows are one tile, 150 several, 1100 two chunks.
@pytest.mark.parametrize("rows", [1, 7, 150])
@pytest.mark.parametrize("name", NETS)
def test_layers(rng, name, rows):
    net = make(NETS[name], rng)
    X, y = features(rng, rows), targets(rng, "values", rows, 3)
    v = rng.normal(size=net.n_parameters)
    assert_product(net, X, y, v, loss="mse")


def test_several_chunks(rng):
    net = make(NETS["everything"], rng)
    X, y = features(rng, 2500), targets(rng, "classes", 2500, 3)
    weight = rng.uniform(size=2500)
    v = rng.normal(size=net.n_parameters)
    assert_product(net, X, y, v, loss="cross_entropy", sample_weight=weight)


@pytest.mark.parametrize("place", ["fused", "alone", "after normalisation", "last"])
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_activations(rng, activation, place):
    layers = {
        "fused": [fnn.Dense(5, activation), fnn.Dense(2)],
        "alone": [fnn.Dense(5, "tanh"), activation, fnn.Dense(2)],
        "after normalisation": [
            fnn.Dense(5),
            fnn.BatchNorm(),
            activation,
            fnn.Dense(2),
        ],
        "last": [fnn.Dense(5, "tanh"), fnn.Dense(2, activation)],
    }[place]
    net = make(layers, rng)
    X, y = 2 * features(rng, 6), targets(rng, "values", 6, 2)
    v = rng.normal(size=net.n_parameters)
    assert_product(net, X, y, v, loss="mse", rtol=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_second_derivatives(activation):
    """f(w)^2 / 2 of one weight w bends by f'^2 + f f'': for w all over the domain."""
    loss = fnn.losses.SquaredError()
    net = fnn.Sequential(
        fnn.Dense(1, activation, use_bias=False), dtype="float64"
    ).build(1)
    for w in np.linspace(-8.3, 8.3, 40):
        net.parameters[:] = w
        assert_product(net, [[1.0]], [0.0], np.ones(1), loss=loss)
    # Far out f is linear, or constant: f^2 / 2 bends by f'^2.
    for w in (-1e6, -800.0, -40.5, 40.5, 800.0, 1e6):
        net.parameters[:] = w
        y = float(net.predict([[1.0]])[0, 0])
        (y_dy,) = slope(net, [[1.0]], [0.0], loss=loss)
        (bend,) = fnn.hessian_vector_product(net, [[1.0]], [0.0], [1.0], loss=loss)
        if activation == fnn.Softsign():
            assert bend == pytest.approx((1 - 2 * abs(w)) / (1 + abs(w)) ** 4)
        else:
            assert bend == pytest.approx((y_dy / y) ** 2 if y else 0.0, abs=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_losses(rng, name, weighted):
    loss, outputs, kind = LOSSES[name]
    net = make([fnn.Dense(4, "tanh"), fnn.Dense(outputs)], rng)
    X, y = features(rng, 11), targets(rng, kind, 11, outputs)
    weight = None
    if weighted:
        weight = rng.uniform(0.0, 3.0, size=11) * (rng.random(11) < 0.8)
    v = rng.normal(size=net.n_parameters)
    assert_product(net, X, y, v, loss=loss, sample_weight=weight)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_focal_far_out(rng, gamma):
    """Nearly certain, and certain, of the right class and of a wrong one."""
    net = fnn.Sequential(fnn.Dense(3, use_bias=False), dtype="float64").build(1)
    for certainty in (1.0, 20.0, 40.0, 800.0):
        net.parameters[:] = [certainty, 0.3, -0.2]
        for label in (0, 1):
            v = rng.normal(size=3)
            product = fnn.hessian_vector_product(
                net, [[1.0]], [label], v, loss=fnn.Focal(gamma)
            )
            assert np.isfinite(product).all()
            assert abs(product.sum()) < 1e-12  # shifting all outputs changes nothing
            if certainty <= 20:
                assert_product(net, [[1.0]], [label], v, loss=fnn.Focal(gamma))


def test_focal_of_0_is_cross_entropy(rng):
    net = make([fnn.Dense(4, "tanh"), fnn.Dense(3)], rng)
    X, y = features(rng, 20), targets(rng, "classes", 20, 3)
    v = rng.normal(size=net.n_parameters)
    np.testing.assert_allclose(
        fnn.hessian_vector_product(net, X, y, v, loss=fnn.Focal(0.0)),
        fnn.hessian_vector_product(net, X, y, v, loss="cross_entropy"),
        rtol=1e-12,
        atol=1e-14,
    )


@pytest.mark.parametrize("l2", [0.0, 0.7])
def test_penalties(rng, l2):
    """l2 adds l2 v for weights of dense layers; l1 has no curvature."""
    net = make(NETS["everything"], rng)
    X, y = features(rng, 9), targets(rng, "classes", 9, 3)
    v = rng.normal(size=net.n_parameters)
    assert_product(net, X, y, v, loss="cross_entropy", l2=l2)
    options = {"loss": "cross_entropy", "l2": l2}
    np.testing.assert_array_equal(
        fnn.hessian_vector_product(net, X, y, v, l1=0.5, **options),
        fnn.hessian_vector_product(net, X, y, v, **options),
    )


@pytest.mark.parametrize("penalty", [{"l1": 0.3}, {"l2": 0.7}, {"l1": 0.2, "l2": 0.1}])
def test_penalties_of_normalised_weights(rng, penalty):
    """Of w = g v / |v| even l1 bends."""
    net = make(NETS["weight norm"], rng)
    X, y = features(rng, 9), targets(rng, "classes", 9, 3)
    v = rng.normal(size=net.n_parameters)
    assert_product(net, X, y, v, loss="cross_entropy", **penalty)


def test_frozen_layers_are_part_of_products(rng):
    net = make(NETS["mlp"], rng)
    X, y = features(rng, 9), targets(rng, "values", 9, 3)
    v = rng.normal(size=net.n_parameters)
    before = fnn.hessian_vector_product(net, X, y, v, loss="mse")
    net.freeze(0)
    np.testing.assert_array_equal(
        fnn.hessian_vector_product(net, X, y, v, loss="mse"), before
    )


def test_a_loss_of_ones_own(rng):
    def quartic(outputs, y):
        d = outputs - y
        return (d**4).sum(axis=1), 4 * d**3

    net = make([fnn.Dense(4, "tanh"), fnn.Dense(2)], rng)
    X, y = features(rng, 1500), targets(rng, "values", 1500, 2)
    weight = rng.uniform(size=1500)
    v = rng.normal(size=net.n_parameters)
    loss = fnn.losses.CustomLoss(quartic, targets="values")
    assert_product(net, X, y, v, loss=loss, sample_weight=weight, rtol=1e-6)

    def squares(outputs, y):
        d = outputs - y
        return (d * d).mean(axis=1), 2 / d.shape[1] * d

    for product in (fnn.hessian_vector_product, fnn.gauss_newton_vector_product):
        np.testing.assert_allclose(
            product(net, X, y, v, loss=fnn.losses.CustomLoss(squares)),
            product(net, X, y, v, loss="mse"),
            rtol=1e-8,
            atol=1e-10,
        )


def test_errors_of_a_loss_of_ones_own_come_out(rng):
    def broken(outputs, y):
        raise ZeroDivisionError(f"mine, of {outputs.shape} and {y.shape}")

    net = make(NETS["linear"], rng)
    with pytest.raises(ZeroDivisionError, match="mine, of"):
        fnn.hessian_vector_product(
            net, features(rng, 3), np.zeros(3), np.ones(net.n_parameters), loss=broken
        )


@pytest.mark.parametrize("name", NETS)
def test_symmetric_and_linear(rng, name):
    net = make(NETS[name], rng)
    X, y = features(rng, 30), targets(rng, "classes", 30, 3)
    u, v = rng.normal(size=(2, net.n_parameters))

    def times(x, product=fnn.hessian_vector_product):
        return product(net, X, y, x, loss="cross_entropy", l2=0.1)

    assert u @ times(v) == pytest.approx(v @ times(u), rel=1e-10, abs=1e-12)
    np.testing.assert_allclose(
        times(2 * u - 3 * v), 2 * times(u) - 3 * times(v), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_array_equal(times(np.zeros_like(v)), 0.0)


@pytest.mark.parametrize("name", NETS)
def test_gauss_newton(rng, name):
    """J' H_l J by the derivative of the outputs, which differences make."""
    net = make(NETS[name], rng)
    X, y = features(rng, 8), targets(rng, "classes", 8, 3)
    v = rng.normal(size=net.n_parameters)
    start, h = net.parameters.copy(), 1e-5
    columns = []
    for i in range(net.n_parameters):
        sides = []
        for sign in (1, -1):
            net.parameters[:] = start
            net.parameters[i] += sign * h
            sides.append(net.predict(X))
        columns.append((sides[0] - sides[1]).ravel() / (2 * h))
    net.parameters[:] = start
    J = np.array(columns).T
    p = np.exp(net.predict(X))
    p /= p.sum(axis=1, keepdims=True)
    Jv = (J @ v).reshape(8, 3)
    HJv = p * (Jv - (p * Jv).sum(axis=1, keepdims=True)) / 8
    found = fnn.gauss_newton_vector_product(net, X, y, v, loss="cross_entropy")
    np.testing.assert_allclose(found, J.T @ HJv.ravel(), rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    "name", sorted(set(LOSSES) - {"gaussian", "focal", "focal-soft"})
)
def test_gauss_newton_of_convex_losses_is_not_negative(rng, name):
    loss, outputs, kind = LOSSES[name]
    net = make([fnn.Dense(4, "tanh"), fnn.Dense(outputs)], rng)
    X, y = features(rng, 11), targets(rng, kind, 11, outputs)
    n = net.n_parameters
    G = np.array(
        [fnn.gauss_newton_vector_product(net, X, y, e, loss=loss) for e in np.eye(n)]
    )
    np.testing.assert_allclose(G, G.T, atol=1e-12)
    assert np.linalg.eigvalsh(G).min() >= -1e-12


def test_gauss_newton_of_a_linear_net_is_the_hessian(rng):
    net = make(NETS["linear"], rng)
    X, y = features(rng, 40), targets(rng, "values", 40, 3)
    v = rng.normal(size=net.n_parameters)
    np.testing.assert_allclose(
        fnn.gauss_newton_vector_product(net, X, y, v, loss="mse"),
        fnn.hessian_vector_product(net, X, y, v, loss="mse"),
        rtol=1e-12,
        atol=1e-14,
    )


def test_the_hessian_column_by_column(rng):
    net = make([fnn.Dense(3, "tanh"), fnn.LayerNorm(), fnn.Dense(2)], rng)
    X, y = features(rng, 9), targets(rng, "values", 9, 2)
    H = curvature.hessian_matrix(net, X, y, loss="mse")
    v = rng.normal(size=net.n_parameters)
    np.testing.assert_allclose(
        H @ v, fnn.hessian_vector_product(net, X, y, v, loss="mse"), atol=1e-12
    )
    np.testing.assert_array_equal(H, H.T)


def test_by_hand():
    """l = (w2 w1 x - y)^2 at w1 = 2, w2 = 3, x = 1, y = 5: d = 1."""
    net = fnn.Sequential(
        fnn.Dense(1, use_bias=False, init=([[2.0]], None)),
        fnn.Dense(1, use_bias=False, init=([[3.0]], None)),
    ).build(1)
    H = curvature.hessian_matrix(net, [[1.0]], [5.0], loss="mse")
    # l_11 = 2 w2^2, l_22 = 2 w1^2, l_12 = 2 w1 w2 + 2 d
    np.testing.assert_allclose(H, [[18.0, 14.0], [14.0, 8.0]], rtol=1e-15)


@pytest.mark.parametrize("product", ["hessian", "gauss_newton"])
def test_the_same_bits_for_any_number_of_threads(rng, product):
    function = getattr(fnn, f"{product}_vector_product")
    net = make(
        [fnn.Dense(70, "tanh"), fnn.BatchNorm(), fnn.LayerNorm(), fnn.Dense(3)], rng
    )
    X, y = features(rng, 2100), targets(rng, "classes", 2100, 3)
    v = rng.normal(size=net.n_parameters)
    results = {
        function(net, X, y, v, loss="cross_entropy", n_threads=n).tobytes()
        for n in (1, 2, 3, 8)
    }
    assert len(results) == 1


def test_float32_nets_are_taken_in_float64(rng):
    layers = NETS["everything"]
    net = make(layers, rng, dtype="float32")
    twin = fnn.Sequential(*layers, dtype="float64").build(5)
    twin.load_state_dict(
        {
            name: a.astype(np.float64) if a.dtype.kind == "f" else a
            for name, a in net.state_dict().items()
        }
    )
    X, y = features(rng, 20), targets(rng, "classes", 20, 3)
    v = rng.normal(size=net.n_parameters)
    found = fnn.hessian_vector_product(net, X, y, v, loss="cross_entropy")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(
        found, fnn.hessian_vector_product(twin, X, y, v, loss="cross_entropy")
    )


def test_sparse_features(rng):
    net = make([fnn.Dense(6, "tanh"), fnn.Dense(3)], rng, columns=20)
    X = features(rng, 1200, 20) * (rng.random((1200, 20)) < 0.2)
    y = targets(rng, "classes", 1200, 3)
    v = rng.normal(size=net.n_parameters)
    np.testing.assert_array_equal(
        fnn.hessian_vector_product(
            net, scipy.sparse.csr_array(X), y, v, loss="cross_entropy"
        ),
        fnn.hessian_vector_product(net, X, y, v, loss="cross_entropy"),
    )


def test_the_net_and_its_loss_stay(rng):
    net = make(NETS["everything"], rng)
    X, y = features(rng, 50), targets(rng, "classes", 50, 3)
    net.fit(X, y, epochs=1, loss="cross_entropy")
    before = {name: a.tobytes() for name, a in net.state_dict().items()}
    v = rng.normal(size=net.n_parameters)
    np.testing.assert_array_equal(
        fnn.hessian_vector_product(net, X, y, v),  # the loss last fitted with
        fnn.hessian_vector_product(net, X, y, v, loss="cross_entropy"),
    )
    assert before == {name: a.tobytes() for name, a in net.state_dict().items()}


def test_a_product_predicts_how_the_gradient_changes(rng):
    """Taylor's theorem: what is left of the change is of second order in the step."""
    net = make(NETS["mlp"], rng)
    X, y = features(rng, 30), targets(rng, "classes", 30, 3)
    v = rng.normal(size=net.n_parameters)
    H_v = fnn.hessian_vector_product(net, X, y, v, loss="cross_entropy")
    start, g = net.parameters.copy(), slope(net, X, y, loss="cross_entropy")
    left = []
    for t in (1e-2, 1e-3):
        net.parameters[:] = start + t * v
        left.append(
            np.linalg.norm(slope(net, X, y, loss="cross_entropy") - g - t * H_v)
        )
    assert left[0] / left[1] == pytest.approx(100, rel=0.2)


TORCH = {
    "mse": ("values", lambda F, z, y: F.mse_loss(z, y)),
    "cross_entropy": ("classes", lambda F, z, y: F.cross_entropy(z, y)),
    "binary_cross_entropy": (
        "labels",
        lambda F, z, y: F.binary_cross_entropy_with_logits(z, y),
    ),
}


@pytest.mark.parametrize("activation", ["tanh", "gelu", "silu", "mish", "softplus"])
@pytest.mark.parametrize("name", TORCH)
def test_as_torch(rng, name, activation):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    kind, loss = TORCH[name]
    net = make([fnn.Dense(6, activation), fnn.LayerNorm(), fnn.Dense(3)], rng)
    X, y = features(rng, 12), targets(rng, kind, 12, 3)
    shapes = [a.shape for a in net.state_dict().values()]
    act = torch.tanh if activation == "tanh" else getattr(functional, activation)
    x_, y_ = torch.tensor(X), torch.tensor(y)

    def f(w):
        parts = torch.split(w, [int(np.prod(s)) for s in shapes])
        w1, b1, g, b, w2, b2 = (
            p.reshape(s) for p, s in zip(parts, shapes, strict=True)
        )
        h = functional.layer_norm(act(functional.linear(x_, w1, b1)), (6,), g, b)
        return loss(functional, functional.linear(h, w2, b2), y_)

    v = rng.normal(size=net.n_parameters)
    _, expected = torch.autograd.functional.hvp(
        f, torch.tensor(net.parameters.copy()), torch.tensor(v)
    )
    np.testing.assert_allclose(
        fnn.hessian_vector_product(net, X, y, v, loss=name),
        expected.numpy(),
        rtol=1e-8,
        atol=1e-11,
    )
