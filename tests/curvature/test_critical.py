"""What kind of point it is, and the way out: worked by hand, then found in nets."""

import numpy as np
import pytest

import fastnn as fnn
from curvature.problems import NETS, features, make, targets


def _chain(*weights, dtype="float32"):
    """y = w_n ... w_2 w_1 x"""
    layers = [fnn.Dense(1, use_bias=False, init=([[float(w)]], None)) for w in weights]
    return fnn.Sequential(*layers, dtype=dtype).build(1)


ONE = {"X": [[1.0]], "y": [1.0], "loss": "mse"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_weights(dtype):
    """l = (w1 w2 - 1)^2 at 0: gradient 0, Hessian [[0, -2], [-2, 0]]."""
    net = _chain(0, 0, dtype=dtype)
    point = fnn.critical_point(net, **ONE)
    assert point.kind == "saddle"
    assert point.loss == 1.0
    assert point.gradient_norm == 0.0
    assert point.lambda_min == pytest.approx(-2)
    assert point.lambda_max == pytest.approx(2)
    assert point.minimum_ratio == 0.5
    assert point.negative_ratio == 0.5
    np.testing.assert_allclose(point.direction, [2**-0.5, 2**-0.5])
    assert not net.parameters.any()

    step = point.escape()
    before, after, length = step
    assert (before, after, length) == (step.loss_before, step.loss_after, step.step)
    assert (step.before, step.after) == (before, after)
    assert before == 1.0
    assert after < 1e-4
    assert abs(length) == pytest.approx(2**0.5, rel=1e-2)  # w1 = w2 = 1 or -1
    assert net.evaluate([[1.0]], [1.0], loss="mse")["loss"] == pytest.approx(
        after, abs=1e-6
    )
    np.testing.assert_allclose(net.parameters, length * point.direction, rtol=1e-6)


def test_the_bottom_of_the_valley():
    """l = (w1 w2 - 1)^2 at (2, 1/2): the Hessian is 2 (w2, w1)' (w2, w1)."""
    point = fnn.critical_point(_chain(2, 0.5), **ONE)
    assert point.kind == "minimum"
    assert point.lambda_max == pytest.approx(2 * (4 + 0.25))
    assert point.lambda_min == pytest.approx(0, abs=1e-12)
    assert point.minimum_ratio == 0.5  # along the valley it is flat
    assert point.negative_ratio == 0.0
    with pytest.raises(ValueError, match="no way down by curvature from this minimum"):
        point.escape()


@pytest.mark.parametrize("n", [3, 4, 6])
def test_a_product_of_more_weights_is_a_plateau(n):
    point = fnn.critical_point(_chain(*[0] * n), **ONE)
    assert point.kind == "plateau"
    assert point.gradient_norm == point.lambda_min == point.lambda_max == 0.0
    assert point.minimum_ratio == 0.0
    with pytest.raises(ValueError, match="from this plateau"):
        point.escape()


def test_a_plateau_of_fourth_order():
    """l = w^4, by a loss of one's own."""

    def quartic(outputs, y):
        return ((outputs - y) ** 4).sum(axis=1), 4 * (outputs - y) ** 3

    options = {"loss": fnn.losses.CustomLoss(quartic, targets="values")}
    point = fnn.critical_point(_chain(0.0), [[1.0]], [0.0], **options)
    assert point.kind == "plateau"
    assert fnn.critical_point(_chain(3.0), [[1.0]], [0.0], **options).kind == (
        "not_critical"
    )


def test_a_maximum():
    """l = -w^2, by a loss of one's own."""

    def hill(outputs, y):
        d = outputs - y
        return 1 - (d**2).sum(axis=1), -2 * d

    point = fnn.critical_point(
        _chain(0.0, dtype="float64"),
        [[1.0]],
        [0.0],
        loss=fnn.losses.CustomLoss(hill, targets="values"),
    )
    assert point.kind == "maximum"
    assert point.minimum_ratio == 0.0
    assert point.negative_ratio == 1.0
    assert point.escape().loss_after < 0.9


def test_a_linear_net_at_least_squares_is_a_minimum(rng):
    X = features(rng, 80)
    y = X @ rng.normal(size=(5, 2)) + 0.3 * rng.normal(size=(80, 2))
    net = make([fnn.Dense(2)], rng)
    assert fnn.critical_point(net, X, y, loss="mse").kind == "not_critical"
    best, *_ = np.linalg.lstsq(np.c_[X, np.ones(80)], y, rcond=None)
    net.load_state_dict({"0.weight": best[:5].T.copy(), "0.bias": best[5].copy()})
    point = fnn.critical_point(net, X, y, loss="mse")
    assert point.kind == "minimum"
    assert point.minimum_ratio == 1.0
    assert point.gradient_norm < 1e-12
    A = np.c_[X, np.ones(80)]
    expected = np.linalg.eigvalsh(A.T @ A / 80)  # mean over rows and both outputs
    assert point.lambda_min == pytest.approx(expected[0])
    assert point.lambda_max == pytest.approx(expected[-1])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_kinds_do_not_depend_on_units(rng, scale):
    """Targets in other units scale loss, gradient and curvature alike."""
    X = features(rng, 60)
    y = X @ rng.normal(size=(5, 1)) + rng.normal(size=(60, 1))
    net = make([fnn.Dense(1)], rng)
    best, *_ = np.linalg.lstsq(np.c_[X, np.ones(60)], scale * y, rcond=None)
    state = {"0.weight": best[:5].T.copy(), "0.bias": best[5].copy()}
    net.load_state_dict(state)
    assert fnn.critical_point(net, X, scale * y, loss="mse").kind == "minimum"
    state["0.weight"] += 0.1 * scale
    net.load_state_dict(state)
    assert fnn.critical_point(net, X, scale * y, loss="mse").kind == "not_critical"


@pytest.mark.parametrize("method", ["full", "lanczos"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_tanh_net_of_zeros_is_a_saddle(rng, dtype, method):
    X = features(rng, 100, 3)
    y = np.tanh(X @ rng.normal(size=(3, 1)))
    y -= y.mean()
    layers = [fnn.Dense(8, "tanh", init="zeros"), fnn.Dense(1, init="zeros")]
    net = fnn.Sequential(*layers, dtype=dtype).build(3)
    point = fnn.critical_point(net, X, y, loss="mse", method=method)
    assert point.kind == "saddle"
    assert point.spectrum.method == method
    assert point.lambda_min < -0.01 < 0.01 < point.lambda_max
    step = point.escape()
    assert step.loss_after < 0.9 * step.loss_before
    assert net.evaluate(X, y, loss="mse")["loss"] == pytest.approx(
        step.loss_after, rel=1e-5
    )
    assert fnn.critical_point(net, X, y, loss="mse").kind == "not_critical"


def test_classes_seen_by_a_net_of_zeros(rng):
    X = features(rng, 90)
    y = np.repeat([0, 1, 2], 30)
    layers = [fnn.Dense(8, "tanh", init="zeros"), fnn.Dense(3, init="zeros")]
    net = fnn.Sequential(*layers).build(5)
    point = fnn.critical_point(net, X, y, loss="cross_entropy")
    assert point.kind == "saddle"
    assert point.loss == pytest.approx(np.log(3))
    assert point.escape().loss_after < np.log(3)


def test_a_net_at_the_start_is_not_critical(rng):
    for name in ("linear", "mlp", "batchnorm fused", "layernorm fused"):
        net = make(NETS[name], rng)
        X, y = features(rng, 40), targets(rng, "classes", 40, 3)
        point = fnn.critical_point(net, X, y, loss="cross_entropy")
        assert point.kind == "not_critical"


def test_a_trained_net_comes_to_a_minimum(rng):
    X = features(rng, 60)
    y = targets(rng, "classes", 60, 3)
    net = fnn.Sequential(fnn.Dense(4, "tanh"), fnn.Dense(3), dtype="float64")
    options = {"loss": "cross_entropy", "l2": 0.02}
    net.fit(X, y, optimizer="lbfgs", epochs=60, batch_size=60, **options)
    point = fnn.critical_point(net, X, y, **options)
    assert point.kind == "minimum"
    assert point.loss == pytest.approx(net.loss_and_gradients(X, y, **options)[0])


def test_counts_and_quadrature_agree(rng):
    net = make([fnn.Dense(10, "tanh"), fnn.Dense(6, "tanh"), fnn.Dense(3)], rng)
    X, y = features(rng, 60), targets(rng, "classes", 60, 3)
    full, lanczos = (
        fnn.critical_point(net, X, y, loss="cross_entropy", method=method)
        for method in ("full", "lanczos")
    )
    assert full.spectrum.method == "full"
    assert lanczos.lambda_min == pytest.approx(full.lambda_min, rel=1e-6)
    assert lanczos.lambda_max == pytest.approx(full.lambda_max, rel=1e-6)
    assert lanczos.minimum_ratio == pytest.approx(full.minimum_ratio, abs=0.05)
    assert lanczos.negative_ratio == pytest.approx(full.negative_ratio, abs=0.05)
    assert lanczos.gradient_norm == full.gradient_norm
    assert "about " in repr(lanczos)
    assert "about " not in repr(full)


def test_many_rows_in_parts(rng):
    """Loss and gradient are summed over chunks of rows; weights of 0 fill some."""
    net = make([fnn.Dense(700, "tanh"), fnn.Dense(3)], rng)
    X, y = features(rng, 13_000), targets(rng, "classes", 13_000, 3)
    weight = np.r_[np.zeros(12_000), rng.uniform(size=1000)]
    point = fnn.critical_point(
        net,
        X,
        y,
        loss="cross_entropy",
        sample_weight=weight,
        l2=0.1,
        max_steps=2,
        method="lanczos",
    )
    loss, gradients = net.loss_and_gradients(
        X, y, loss="cross_entropy", sample_weight=weight, l2=0.1
    )
    assert point.loss == pytest.approx(loss, rel=1e-12)
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    assert point.gradient_norm == pytest.approx(norm, rel=1e-10)


def test_an_escape_leaves_frozen_layers_alone(rng):
    X = features(rng, 50, 3)
    y = X @ rng.normal(size=(3, 1)) + X[:, :1] ** 2
    layers = [
        fnn.Dense(4, "tanh"),
        fnn.Dense(4, "tanh", init="zeros"),
        fnn.Dense(1, init="zeros"),
    ]
    net = fnn.Sequential(*layers).build(3)
    net.freeze(0)
    y -= y.mean()
    frozen = net.state_dict()["0.weight"]
    point = fnn.critical_point(net, X, y, loss="mse")
    assert point.kind == "saddle"
    assert not point.direction[:16].any()
    point.escape()
    np.testing.assert_array_equal(net.state_dict()["0.weight"], frozen)
    assert net.state_dict()["1.weight"].any()


def test_a_net_trained_since_is_left_alone():
    net = _chain(0, 0)
    point = fnn.critical_point(net, **ONE)
    net.parameters[0] = 0.5
    with pytest.raises(RuntimeError, match="changed since"):
        point.escape()
    assert net.parameters.tolist() == [0.5, 0.0]


def test_an_escape_that_finds_nothing_changes_nothing(monkeypatch):
    net = _chain(0, 0)
    point = fnn.critical_point(net, **ONE)
    monkeypatch.setattr(point._walk.objective, "loss", lambda _: np.nan)
    with pytest.raises(RuntimeError, match="no step along the direction lowers"):
        point.escape()
    assert not net.parameters.any()


def test_repr():
    text = repr(fnn.critical_point(_chain(0, 0), **ONE))
    assert text == (
        "CriticalPoint(saddle: loss 1, gradient norm 0, eigenvalues -2 to 2, "
        "50.0% positive, 50.0% negative)"
    )
