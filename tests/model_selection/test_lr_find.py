"""`lr_find`: its losses by hand, its suggestions, and that it leaves no trace."""

import itertools
import pickle

import matplotlib.pyplot as plt
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import fastnn as fnn
from engine.problems import EVERYTHING, bits, classes
from fastnn.model_selection import LearningRates
from fastnn.model_selection.range_test import valley


def _net(**options):
    return fnn.Sequential(*EVERYTHING, seed=4, **options)


def test_by_hand():
    """One weight, f = (w - 1)^2 from w = 0, by SGD at rates 0.01, 0.1, 1 and 10.

    w: 0, 0.02, 0.216, 1.784; then 10 is far too large.
    """
    net = fnn.Sequential(fnn.Dense(1, init="zeros", use_bias=False), dtype="float64")
    found = fnn.lr_find(
        net,
        [[1.0]],
        [1.0],
        loss="mse",
        optimizer="sgd",
        min_lr=0.01,
        max_lr=10,
        steps=4,
        smoothing=0.5,
    )
    np.testing.assert_allclose(found.lrs, [0.01, 0.1, 1, 10])
    np.testing.assert_allclose(found.losses, [1, 0.98**2, 0.784**2, 0.784**2])
    smoothed, average = [], 0.0
    for t, loss in enumerate(found.losses):
        average = 0.5 * average + 0.5 * loss
        smoothed.append(average / (1 - 0.5 ** (t + 1)))
    np.testing.assert_allclose(found.smoothed, smoothed)
    assert found.stopped is False


@pytest.mark.parametrize("optimizer", ["adam", fnn.SGD(3.0, momentum=0.9)], ids=str)
def test_losses_are_those_of_steps_at_these_rates(rng, optimizer):
    """Dropout's masks and BatchNorm's statistics as in any training."""
    X, y = classes(rng, 50)
    net = _net(dtype="float64").build(5)
    found = fnn.lr_find(
        net, X, y, optimizer=optimizer, batch_size=50, steps=20, max_lr=1e-2, l2=1e-3
    )
    twin = net.copy()
    rule = fnn.Adam(1e-7) if optimizer == "adam" else fnn.SGD(1e-7, momentum=0.9)
    schedule = fnn.Exponential((1e-2 / 1e-7) ** (1 / 19), per="step")
    trainer = fnn.Trainer(twin, optimizer=rule, schedule=schedule, l2=1e-3)
    generator = np.random.default_rng(4)
    losses = []
    for _ in range(20):
        order = generator.permutation(50)
        losses.append(trainer.step(X[order], y[order]))
    np.testing.assert_array_equal(found.losses, losses)


@pytest.mark.parametrize("built", [False, True])
def test_it_leaves_no_trace(rng, built):
    """Weights, statistics, the progress of random numbers; a later fit is the same."""
    data = classes(rng, 80)
    net, twin = _net(), _net()
    if built:
        net.fit(*data, epochs=2)
        twin.fit(*data, epochs=2)
        before, progress = bits(net), net._native.progress
    fnn.lr_find(net, *data, batch_size=16)
    for error, options in (
        (ValueError, {"sample_weight": [-1.0] * 80}),
        (ZeroDivisionError, {"loss": lambda *_: 1 / 0}),
    ):
        with pytest.raises(error):
            fnn.lr_find(net, *data, **options)
    if built:
        assert bits(net) == before
        assert net._native.progress == progress
    else:
        assert net.in_features is None
    net.fit(*data, epochs=2)
    twin.fit(*data, epochs=2)
    assert bits(net) == bits(twin)


def test_it_stops_when_the_loss_diverges(rng):
    X = rng.normal(size=(200, 5)) * 10
    for optimizer in ("sgd", "adam"):
        found = fnn.lr_find(
            fnn.Sequential(fnn.Dense(20, "relu"), fnn.Dense(1)),
            X,
            X[:, 0],
            loss="mse",
            optimizer=optimizer,
            max_lr=1e6,
            steps=150,
        )
        assert found.stopped
        assert len(found.lrs) == len(found.losses) == len(found.smoothed) < 150
        assert np.isfinite(found.losses).all()
        best = np.minimum.accumulate(found.smoothed)
        assert (found.smoothed[:-1] <= 4 * best[:-1]).all()


def test_the_suggestion_trains_better_than_rates_far_off():
    X, y = fnn.datasets.load_digits()
    X = (X - 8) / 8
    net = fnn.Sequential(fnn.Dense(64, "relu"), fnn.Dense(10))
    for rule in (fnn.Adam, fnn.SGD):
        found = fnn.lr_find(net, X, y, optimizer=rule())
        losses = [
            net.copy().fit(X, y, optimizer=rule(lr), epochs=3).history["loss"][-1]
            for lr in (found.suggestion / 100, found.suggestion, found.steepest)
        ]
        assert losses[1] < 0.5 * losses[0]
        assert losses[2] < 0.5 * losses[0]


def test_weights_and_sparse_rows(rng):
    X, y = classes(rng, 60)
    X[X < 0] = 0
    weight = rng.uniform(0.1, 3, 60)
    net = _net()
    found = [
        fnn.lr_find(net, given, y, sample_weight=w, batch_size=20, n_threads=n).losses
        for given, w, n in (
            (X, weight, 1),
            (scipy.sparse.csr_array(X), weight, 2),
            (X, None, 1),
        )
    ]
    np.testing.assert_array_equal(found[0], found[1])
    assert len(found[2]) != len(found[0]) or (found[2] != found[0]).any()


def test_batches_without_weight_are_skipped(rng):
    X, y = classes(rng, 60)
    weight = np.zeros(60)
    weight[:5] = 1
    found = fnn.lr_find(_net(), X, y, sample_weight=weight, batch_size=4, steps=30)
    assert len(found.losses) > 20
    assert (found.losses > 0).all()


@given(st.lists(st.integers(0, 9), min_size=1, max_size=9))
def test_valley_is_the_longest_decreasing_subsequence(values):
    found = valley(values)
    picked = [values[i] for i in found]
    assert found == sorted(set(found))
    assert all(a > b for a, b in itertools.pairwise(picked))
    longest = max(
        n
        for n in range(1, len(values) + 1)
        for some in itertools.combinations(values, n)
        if all(a > b for a, b in itertools.pairwise(some))
    )
    assert len(found) == longest


def _rates(losses):
    losses = np.array(losses, float)
    return LearningRates(10.0 ** np.arange(len(losses)), losses, losses, stopped=False)


def test_suggestions_by_hand():
    """A bump does not end the fall: 9 8 7 6.5 2 1, of which 2 is two thirds along."""
    found = _rates([9, 8, 8.5, 7, 6.5, 2, 1, 5])
    assert found.valley == found.suggestion == 1e5
    assert found.steepest == 1e5
    assert repr(found) == (
        "LearningRates(steps=8, suggestion=1e+05, valley=1e+05, steepest=1e+05, "
        "stopped=False)"
    )


def test_a_loss_that_never_falls_suggests_nothing():
    for losses in ([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 1], [3, 2], [1]):
        found = _rates(losses)
        assert found.valley is None
        assert found.steepest is None
        assert found.suggestion is None
        assert "suggestion=None" in repr(found)
        plt.close(found.plot().figure)


def test_a_first_step_that_diverges_says_what_to_do(rng):
    X = rng.normal(size=(200, 3)) * 1e30
    net = fnn.Sequential(fnn.Dense(1))
    wanted = r"diverged in epoch 0, step 0.*first step of lr_find.*scale X.*min_lr"
    with pytest.raises(fnn.DivergedError, match=wanted) as caught:
        fnn.lr_find(net, X, X[:, 0], loss="mse")
    assert "first step" in str(pickle.loads(pickle.dumps(caught.value)))  # noqa: S301
    assert net.in_features is None


@pytest.mark.parametrize("n", [1, 2, 4])
def test_few_losses_before_it_diverges(rng, n):
    """They are shown; to suggest a rate from there are too few."""
    X = rng.normal(size=(200, 3))
    found = fnn.lr_find(
        fnn.Sequential(fnn.Dense(1)),
        *(X, X[:, 0]),
        loss="mse",
        optimizer="sgd",
        min_lr=10.0 ** (20 - 8 * n),
        max_lr=1e38,
        steps=int(2 + (18 + 8 * n) / 8),
    )
    assert found.stopped
    assert 1 <= len(found.losses) < 5
    assert found.steepest is found.valley is None
    assert f"steps={len(found.losses)}, suggestion=None" in repr(found)
    plt.close(found.plot().figure)


def test_no_losses_at_all():
    found = _rates([])
    assert "suggestion=None, valley=None, steepest=None" in repr(found)
    with pytest.raises(ValueError, match="no losses to draw"):
        found.plot()


def test_plot(rng):
    found = fnn.lr_find(_net(), *classes(rng, 60))
    _, ax = plt.subplots()
    assert found.plot(ax=ax) is ax
    assert ax.get_xscale() == "log"
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[:2] == ["loss", "smoothed"]
    assert any(label.startswith("valley: ") for label in labels)
    plt.close(ax.figure)
    axes = found.plot()
    assert axes is not ax
    plt.close(axes.figure)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"min_lr": 0.0}, ValueError, "min_lr must be a finite number > 0"),
        ({"max_lr": 1e-7}, ValueError, "max_lr must be a finite number > 1e-07"),
        ({"min_lr": 1e-300, "max_lr": 1e300}, ValueError, "max_lr must be within the"),
        ({"max_lr": np.inf}, ValueError, "max_lr must be a finite number"),
        ({"steps": 1}, ValueError, "steps must be >= 2"),
        ({"batch_size": 0}, ValueError, "batch_size must be >= 1"),
        ({"smoothing": 1.0}, ValueError, "smoothing must be a finite number >= 0 and"),
        ({"optimizer": "lbfgs"}, ValueError, "optimizer: LBFGS searches"),
        ({"optimizer": 3}, TypeError, "optimizer must be a name or an Optimizer"),
        ({"loss": "msee"}, ValueError, "loss: unknown name 'msee'"),
        ({"schedule": fnn.Cosine(3)}, TypeError, "schedule: the rate grows by itself"),
        ({"epochs": 3}, TypeError, "lr_find has no option 'epochs'"),
        (
            {"batchsize": 3},
            TypeError,
            "lr_find has no option 'batchsize'.*'batch_size'",
        ),
        ({"clipnorm": 3}, TypeError, "lr_find has no option 'clipnorm'.*'clip_norm'"),
    ],
)
def test_unusable_arguments(rng, options, error, text):
    with pytest.raises(error, match=text):
        fnn.lr_find(_net(), *classes(rng, 30), **options)
    with pytest.raises(TypeError, match=r"net must be a fastnn\.Sequential"):
        fnn.lr_find(3, *classes(rng, 30))
