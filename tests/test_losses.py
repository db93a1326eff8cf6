"""Losses: values by hand, gradients by differences, penalties, errors."""

import math
import pickle

import numpy as np
import pytest

import fastnn as fnn
from fastnn.losses import LOSSES, CustomLoss, Loss, SquaredError, resolve_loss
from gradcheck import assert_network_gradient

N = 6


def _values(rng):
    return rng.normal(size=(N, 3))


def _labels(rng):
    return rng.integers(0, 3, size=N)


def _soft(rng):
    p = rng.random((N, 3))
    return p / p.sum(axis=1, keepdims=True)


def _counts(rng):
    return rng.poisson(3.0, size=(N, 3))


def _yes_no(rng):
    return rng.integers(0, 2, size=(N, 3))


CASES = [
    (fnn.MSE(), _values),
    (SquaredError(), _values),
    (fnn.MAE(), _values),
    (fnn.Huber(), _values),
    (fnn.Huber(delta=0.3), _values),
    (fnn.LogCosh(), _values),
    (fnn.Quantile(), _values),
    (fnn.Quantile(q=0.9), _values),
    (fnn.Quantile(q=(0.1, 0.5, 0.9)), _values),
    (fnn.GaussianNLL(), _values),
    (fnn.GaussianNLL(eps=0.5), _values),
    (fnn.PoissonNLL(), _counts),
    (fnn.PoissonNLL(), lambda rng: rng.random((N, 3))),
    (fnn.PoissonNLL(sum_outputs=True), _counts),
    (fnn.CrossEntropy(), _labels),
    (fnn.CrossEntropy(), _soft),
    (fnn.CrossEntropy(label_smoothing=0.2), _labels),
    (fnn.CrossEntropy(label_smoothing=0.2), _soft),
    (fnn.Focal(), _labels),
    (fnn.Focal(), _soft),
    (fnn.Focal(gamma=0.0), _labels),
    (fnn.Focal(gamma=0.5), _labels),
    (fnn.Focal(gamma=5.0), _soft),
    (fnn.Hinge(), _yes_no),
    (fnn.Hinge(), lambda rng: rng.random((N, 3))),
    (fnn.BinaryCrossEntropy(), _yes_no),
    (fnn.BinaryCrossEntropy(), lambda rng: rng.random((N, 3))),
    (fnn.BinaryCrossEntropy(pos_weight=2.5), _yes_no),
    (fnn.BinaryCrossEntropy(pos_weight=[0.5, 1, 3], label_smoothing=0.1), _yes_no),
    (fnn.BinaryCrossEntropy(sum_outputs=True), _yes_no),
]


def test_the_table_has_every_loss():
    assert {type(loss) for loss, _ in CASES} == set(LOSSES.values())
    assert {*LOSSES.values(), CustomLoss} == set(Loss.__subclasses__())


@pytest.mark.parametrize(("loss", "make_y"), CASES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_gradient(loss, make_y, weighted, training, rng):
    outputs = next(n for n in (3, 6, 9) if loss.target_width(n) == 3)
    net = fnn.Sequential(
        fnn.Dense(4, "tanh"), fnn.BatchNorm(), fnn.Dense(outputs), dtype="float64"
    ).build(2)
    X, y = rng.normal(size=(N, 2)), make_y(rng)
    weight = rng.random(N) if weighted else None
    assert_network_gradient(
        net, X, y, loss=loss, sample_weight=weight, training=training
    )


@pytest.mark.parametrize("penalties", [{"l1": 0.3}, {"l2": 0.7}, {"l1": 0.1, "l2": 2}])
def test_gradient_of_penalties(penalties, rng):
    net = fnn.Sequential(
        fnn.Dense(4, "tanh"), fnn.LayerNorm(), fnn.Dense(2), dtype="float64"
    ).build(3)
    X, y = rng.normal(size=(N, 3)), rng.normal(size=(N, 2))
    assert_network_gradient(net, X, y, loss="mse", **penalties)
    plain, _ = net.loss_and_gradients(X, y, loss="mse")
    total, _ = net.loss_and_gradients(X, y, loss="mse", **penalties)
    state = net.state_dict()
    w = np.concatenate([state["0.weight"].ravel(), state["2.weight"].ravel()])
    expected = penalties.get("l1", 0) * np.abs(w).sum()
    expected += penalties.get("l2", 0) / 2 * (w**2).sum()
    assert total - plain == pytest.approx(expected, rel=1e-12)


def _loss_of(outputs, y, loss, **options):
    outputs = np.asarray(outputs, float)
    net = fnn.Sequential(fnn.Identity(), dtype="float64").build(outputs.shape[1])
    return net.evaluate(outputs, y, loss=loss, **options)["loss"]


def test_values_by_hand():
    assert _loss_of([[1, 3]], [[0, 1]], "mse") == (1 + 4) / 2
    assert _loss_of([[1, 3]], [[0, 1]], "mae") == (1 + 2) / 2
    assert _loss_of([[1, 3]], [[0, 1]], "huber") == (1 / 2 + 3 / 2) / 2
    # e: 3 > delta 2: 2 * (3 - 1)
    assert _loss_of([[3]], [[0]], fnn.Huber(delta=2.0)) == 4.0
    assert _loss_of([[1, 3]], [[0, 1]], "squared_error") == (1 + 4) / 2
    assert _loss_of([[1], [3]], [0, 1], "squared_error") == (1 + 4) / 2 / 2
    assert _loss_of([[3, -3]], [[0, 0]], "log_cosh") == pytest.approx(
        math.log(math.cosh(3)), rel=1e-14
    )
    assert _loss_of([[1, 5]], [[3, 1]], fnn.Quantile(0.75)) == (0.75 * 2 + 0.25 * 4) / 2
    assert _loss_of(
        [[1, 5, math.log(4), 0]], [[3, 6]], fnn.GaussianNLL()
    ) == pytest.approx((math.log(4) + 4 / 4 + 0 + 1) / 4, rel=1e-14)
    # the variance is at least 1/4
    assert _loss_of([[1, -99]], [2], fnn.GaussianNLL(eps=0.25)) == pytest.approx(
        (math.log(0.25) + 4) / 2, rel=1e-14
    )
    assert _loss_of([[0.5, 2], [-1, -4]], [[1, 1], [0, 1]], "hinge") == (0.5 + 5) / 4
    # p = 3/4 of the right class
    assert _loss_of([[math.log(3), 0]], [0], fnn.Focal(2.0)) == pytest.approx(
        -(0.25**2) * math.log(0.75), rel=1e-14
    )
    e = math.e
    assert _loss_of([[1, 0]], [[2, 3]], "poisson") == pytest.approx(
        ((e - 2 * 1) + (1 - 3 * 0)) / 2, rel=1e-14
    )
    assert _loss_of([[1, 0]], [0], "cross_entropy") == pytest.approx(
        -math.log(e / (e + 1)), rel=1e-14
    )
    # smoothed target of class 0 among 2 with s = 0.5: (0.75, 0.25)
    assert _loss_of([[1, 0]], [0], fnn.CrossEntropy(0.5)) == pytest.approx(
        -0.75 * math.log(e / (e + 1)) - 0.25 * math.log(1 / (e + 1)), rel=1e-14
    )
    assert _loss_of([[1]], [1], "binary_cross_entropy") == pytest.approx(
        math.log(1 + 1 / e), rel=1e-14
    )
    # y = 0 smoothed with s = 0.2 is 0.1
    assert _loss_of(
        [[1]], [0], fnn.BinaryCrossEntropy(label_smoothing=0.2)
    ) == pytest.approx(0.1 * math.log(1 + 1 / e) + 0.9 * math.log(1 + e), rel=1e-14)
    assert _loss_of(
        [[1, 1]], [[1, 0]], fnn.BinaryCrossEntropy(pos_weight=[3.0, 9.0])
    ) == pytest.approx((3 * math.log(1 + 1 / e) + math.log(1 + e)) / 2, rel=1e-14)


@pytest.mark.parametrize("loss", [fnn.PoissonNLL, fnn.BinaryCrossEntropy])
@pytest.mark.parametrize("outputs", [1, 2, 5, 40])
def test_the_sum_over_outputs_is_so_many_means(loss, outputs, rng):
    X, y = rng.normal(size=(N, 2)), rng.integers(0, 2, size=(N, outputs))
    net = fnn.Sequential(fnn.Dense(outputs), dtype="float64").build(2)
    weight = rng.random(N)
    mean, slope = net.loss_and_gradients(X, y, loss=loss(), sample_weight=weight)
    total, steep = net.loss_and_gradients(
        X, y, loss=loss(sum_outputs=True), sample_weight=weight
    )
    assert total == pytest.approx(outputs * mean, rel=1e-13)
    for name in slope:
        np.testing.assert_allclose(steep[name], outputs * slope[name], rtol=1e-11)


def test_weighted_mean():
    # (1 * 1 + 3 * 4) / (1 + 3)
    value = _loss_of([[1], [2]], [0, 0], "mse", sample_weight=[1, 3])
    assert value == pytest.approx(13 / 4)


def test_large_logits_do_not_overflow():
    assert _loss_of([[1e4, -1e4]], [0], "cross_entropy") == 0.0
    assert _loss_of([[1e4, -1e4]], [1], "cross_entropy") == 2e4
    assert _loss_of([[-1e4]], [1], "binary_cross_entropy") == 1e4
    assert _loss_of([[1e4]], [1], "binary_cross_entropy") == 0.0


def test_focal_without_focus_is_cross_entropy(rng):
    outputs = 5 * rng.normal(size=(N, 3))
    for y in (_labels(rng), _soft(rng)):
        assert _loss_of(outputs, y, fnn.Focal(0)) == pytest.approx(
            _loss_of(outputs, y, "cross_entropy"), rel=1e-13
        )


def test_half_of_mae_asks_for_medians(rng):
    outputs, y = rng.normal(size=(N, 3)), _values(rng)
    assert _loss_of(outputs, y, "quantile") == pytest.approx(
        _loss_of(outputs, y, "mae") / 2, rel=1e-14
    )


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_quantiles_are_found(q, rng):
    y = rng.exponential(size=2000)
    net = fnn.Sequential(fnn.Dense(1), dtype="float64")
    net.fit(
        np.zeros((2000, 1)),
        y,
        loss=fnn.Quantile(q),
        optimizer=fnn.Adam(0.05),
        schedule=fnn.Cosine(60),
        epochs=60,
    )
    assert np.mean(y < net.predict([[0.0]])[0, 0]) == pytest.approx(q, abs=0.01)


def test_several_quantiles_at_once(rng):
    """Runs of outputs, one for each q: by hand, and found side by side."""
    loss = fnn.Quantile((0.25, 0.75))
    # e = y - o = (2, -4) of q = 0.25, (1, -1) of q = 0.75
    value = _loss_of([[1, 5, 2, 2]], [[3, 1]], loss)
    assert value == (0.25 * 2 + 0.75 * 4 + 0.75 * 1 + 0.25 * 1) / 4
    y = rng.exponential(size=2000)
    net = fnn.Sequential(fnn.Dense(3))
    q = [0.1, 0.5, 0.8]
    net.fit(
        np.zeros((2000, 1)),
        y,
        loss=fnn.Quantile(q),
        optimizer=fnn.Adam(0.05),
        schedule=fnn.Cosine(60),
        epochs=60,
    )
    found = net.predict([[0.0]])[0]
    np.testing.assert_allclose((y[:, None] < found).mean(axis=0), q, atol=0.01)
    scores = net.evaluate(np.zeros((2000, 1)), y, loss=fnn.Quantile(q), metrics=["mae"])
    assert scores["mae"] == pytest.approx(abs(y - found[1]).mean(), rel=1e-5)


def test_spreads_are_found(rng):
    """y of mean x and of deviation 0.1 or 1, by the sign of x."""
    X = rng.choice([-1.0, 1.0], size=(2000, 1))
    y = X[:, 0] + np.where(X[:, 0] > 0, 1.0, 0.1) * rng.normal(size=2000)
    net = fnn.Sequential(fnn.Dense(2), dtype="float64")
    history = net.fit(
        X,
        y,
        loss=fnn.GaussianNLL(),
        optimizer=fnn.Adam(0.05),
        schedule=fnn.Cosine(80),
        epochs=80,
        metrics=["mae"],
        validation_split=0.1,
    )
    (mean, log_variance), (other, narrow) = net.predict([[1.0], [-1.0]])
    assert mean == pytest.approx(1.0, abs=0.1)
    assert other == pytest.approx(-1.0, abs=0.02)
    assert math.exp(log_variance / 2) == pytest.approx(1.0, rel=0.1)
    assert math.exp(narrow / 2) == pytest.approx(0.1, rel=0.1)
    error = np.abs(net.predict(X)[:, 0] - y).mean()
    assert history.history["mae"][-1] == pytest.approx(error, rel=0.05)
    report = net.evaluate(X, y, metrics=["mae", "r2"])
    assert report["mae"] == pytest.approx(error, rel=1e-12)
    residual = ((net.predict(X)[:, 0] - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert report["r2"] == pytest.approx(1 - residual, rel=1e-12)


def test_margins_are_no_probabilities(rng):
    X, y = rng.normal(size=(60, 2)), rng.integers(0, 2, size=60)
    net = fnn.Sequential(fnn.Dense(1))
    net.fit(X, y, loss="hinge", class_weight="balanced", metrics=["accuracy", "auc"])
    with pytest.raises(ValueError, match=r"predict_proba: .*'hinge'"):
        net.predict_proba(X)
    net = fnn.Sequential(fnn.Dense(2))
    net.fit(X, y, loss="focal", class_weight="balanced", metrics=["accuracy", "auc"])
    np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("columns", [1, 3])
def test_a_hinge_takes_signs_for_labels(rng, columns):
    X, y = rng.normal(size=(60, 2)), rng.integers(0, 2, size=(60, columns))
    nets = [fnn.Sequential(fnn.Dense(columns)) for _ in range(2)]
    options = {"loss": "hinge", "metrics": ["accuracy"]}
    if columns == 1:
        options["class_weight"] = "balanced"
    curves = [
        net.fit(X, labels, validation_split=0.3, **options).history
        for net, labels in zip(nets, (y, 2 * y - 1), strict=True)
    ]
    assert {**curves[0], "seconds": 0} == {**curves[1], "seconds": 0}
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)
    with pytest.raises(ValueError, match="for labels -1 and 1 pass y > 0"):
        nets[0].evaluate(X, 2 * y - 1, loss="binary_cross_entropy")
    with pytest.raises(ValueError, match=r"in \[0, 1\] for hinge, got -1"):
        nets[0].evaluate(X, 1 - rng.integers(0, 3, size=y.shape), loss="hinge")


def test_hard_and_soft_labels_agree(rng):
    outputs, labels = rng.normal(size=(N, 3)), _labels(rng)
    for loss in (fnn.CrossEntropy(), fnn.CrossEntropy(0.1), fnn.Focal()):
        hard = _loss_of(outputs, labels, loss)
        assert _loss_of(outputs, np.eye(3)[labels], loss) == pytest.approx(hard)


def test_names_and_values():
    assert resolve_loss("Cross_Entropy") == fnn.CrossEntropy()
    loss = fnn.BinaryCrossEntropy(pos_weight=np.float32(2.0))
    assert loss.pos_weight == (2.0,)
    assert pickle.loads(pickle.dumps(loss)) == loss  # noqa: S301
    assert hash(loss) == hash(fnn.BinaryCrossEntropy(pos_weight=[2]))


ERRORS = [
    (lambda: fnn.Huber(delta=0), ValueError, ["Huber", "delta", "0"]),
    (lambda: fnn.Huber(delta="1"), TypeError, ["delta", "a number"]),
    (lambda: fnn.GaussianNLL(0.0), ValueError, ["GaussianNLL", "eps", "> 0"]),
    (
        lambda: _loss_of([[1, 2, 3]], [1], "gaussian"),
        ValueError,
        ["gaussian", "two outputs for each", "has 3", "Dense"],
    ),
    (
        lambda: _loss_of([[1, 2, 3, 4]], [[1, 2, 3, 4]], "gaussian"),
        ValueError,
        ["y has shape (1, 4)", "'gaussian'", "4 outputs need (1, 2)"],
    ),
    (lambda: fnn.Quantile(1.0), ValueError, ["Quantile", "q", "(0, 1)", "1"]),
    (lambda: fnn.Quantile(0), ValueError, ["Quantile", "q", "(0, 1)", "0"]),
    (lambda: fnn.Quantile(np.array(3)), ValueError, ["Quantile", "q", "(0, 1)", "3"]),
    (lambda: fnn.Quantile(np.ones((2, 2))), TypeError, ["Quantile", "q", "number"]),
    (lambda: fnn.Quantile([]), TypeError, ["Quantile", "q", "sequence"]),
    (lambda: fnn.Quantile("0.5"), TypeError, ["Quantile", "q", "a number", "'0.5'"]),
    (lambda: fnn.Quantile([]), TypeError, ["Quantile", "q", "a sequence of numbers"]),
    (lambda: fnn.Quantile([0.5, "1"]), TypeError, ["Quantile", "q", "a number"]),
    (lambda: fnn.Quantile([0.5, 1.0]), ValueError, ["Quantile", "q", "(0, 1)", "1"]),
    (lambda: fnn.Quantile((0.5, np.nan)), ValueError, ["Quantile", "q", "(0, 1)"]),
    (
        lambda: _loss_of([[1, 2, 3]], [1], fnn.Quantile((0.1, 0.9))),
        ValueError,
        ["quantile", "2 outputs for each", "has 3", "Dense"],
    ),
    (
        lambda: _loss_of([[1, 2]], [[1, 2]], fnn.Quantile((0.1, 0.9))),
        ValueError,
        ["y has shape (1, 2)", "'quantile'", "2 outputs need (1,)"],
    ),
    (lambda: fnn.Focal(-1), ValueError, ["Focal", "gamma", ">= 0", "-1"]),
    (lambda: fnn.Focal(float("inf")), ValueError, ["Focal", "gamma", "inf"]),
    (lambda: _loss_of([[1]], [0], "focal"), ValueError, ["focal", "at least 2"]),
    (lambda: _loss_of([[1]], [2], "hinge"), ValueError, ["y", "[0, 1]", "hinge"]),
    (lambda: fnn.PoissonNLL("yes"), TypeError, ["sum_outputs", "True or False"]),
    (lambda: fnn.CrossEntropy(1.5), ValueError, ["label_smoothing", "1.5"]),
    (lambda: fnn.CrossEntropy(-0.1), ValueError, ["label_smoothing", "-0.1"]),
    (lambda: fnn.BinaryCrossEntropy(pos_weight=0.0), ValueError, ["pos_weight", "0"]),
    (lambda: fnn.BinaryCrossEntropy(pos_weight=[]), TypeError, ["pos_weight", "[]"]),
    (lambda: fnn.BinaryCrossEntropy(pos_weight="x"), TypeError, ["pos_weight", "'x'"]),
    (
        lambda: fnn.BinaryCrossEntropy(pos_weight=[1.0, float("nan")]),
        ValueError,
        ["pos_weight", "nan"],
    ),
    (lambda: resolve_loss("crossentropy"), ValueError, ["loss", "'cross_entropy'"]),
    (lambda: resolve_loss("poisson_nll"), ValueError, ["loss", "'poisson'"]),
    (lambda: _loss_of([[1]], [-1], "poisson"), ValueError, ["y", ">= 0", "-1.0"]),
    (lambda: resolve_loss(3), TypeError, ["loss", "int 3"]),
    (lambda: resolve_loss(fnn.MSE), TypeError, ["loss", "MSE"]),
]


@pytest.mark.parametrize(("call", "error", "words"), ERRORS)
def test_errors_name_the_argument(call, error, words):
    with pytest.raises(error) as caught:
        call()
    for word in words:
        assert word in str(caught.value)
