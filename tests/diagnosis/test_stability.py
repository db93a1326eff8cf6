"""The bound on curvature is where the optimizer's own steps turn unstable."""

import dataclasses

import numpy as np
import pytest

import fastnn as fnn
from fastnn.curvature._objective import Objective
from fastnn.curvature.products import hessian_matrix
from fastnn.diagnosis.stability import Bound, bound_of, sharpness
from fastnn.diagnosis.trial import Ending, Setup

EPS = 1e4  # so large that the divisor of adaptive steps stays what it is

RULES = [
    fnn.SGD(0.1),
    fnn.SGD(0.1, weight_decay=3.0),
    fnn.SGD(0.1, momentum=0.9),
    fnn.SGD(0.1, momentum=0.5, dampening=0.3, weight_decay=1.0),
    fnn.SGD(0.1, momentum=0.9, nesterov=True),
    fnn.Adam(0.1, eps=EPS),
    fnn.Adam(0.1, betas=(0.5, 0.9), eps=EPS, weight_decay=1.0),
    fnn.Adam(0.1, eps=EPS, amsgrad=True),
    fnn.AdamW(0.1, eps=EPS, weight_decay=2.0),
    fnn.Adam(0.1, eps=EPS, weight_decay=2.0, decoupled_weight_decay=True),
    fnn.RMSprop(0.1, eps=EPS),
    fnn.RMSprop(0.1, eps=EPS, momentum=0.7, centered=True),
    fnn.Adagrad(0.1, eps=EPS),
    fnn.Adagrad(0.1, eps=EPS, lr_decay=1e-7),
]


def setup_of(optimizer, **trainer):
    return Setup(
        loss=fnn.MSE(),
        optimizer=optimizer,
        schedule=None,
        batch_size=32,
        epochs=None,
        trainer=trainer,
        class_weight=None,
        fit={},
    )


DENSE = (fnn.Dense(1),)


def bound(optimizer, layers=DENSE, *, step=1, slots=None, trainer=(), **logs):
    end = Ending({"lr": optimizer.lr, **logs}, step, slots or {})
    return bound_of(setup_of(optimizer, **dict(trainer)), layers, end)


def slots_of(optimizer, value=1e-30):
    return {name: np.full(1, value) for name in optimizer.init(np.ones(1)).slots}


def descended(optimizer, curvature, steps=4000):
    """Return by what |w| has grown after steps on ``curvature / 2 w^2``."""
    first = 1e-40  # so small that gradients are lost beside EPS
    w = np.full(1, first)
    state = optimizer.init(w)
    for _ in range(steps):
        optimizer.update(w, curvature * w, state)
        if abs(w[0]) > 1e20 * first:  # Adam leaps at first, until its averages are
            break
    return abs(w[0]) / first


@pytest.mark.parametrize("optimizer", RULES, ids=repr)
def test_steps_grow_beyond_the_bound_and_shrink_below(optimizer):
    found = bound(optimizer, slots=slots_of(optimizer))
    scale = 1.0 if found.scale is None else found.scale[0]
    most = found.largest / scale - found.decay  # of the loss alone
    assert descended(optimizer, 0.98 * most) < 1e-3
    assert descended(optimizer, 1.02 * most) > 1e3


def test_worked_examples():
    assert bound(fnn.SGD(0.1)).largest == pytest.approx(20)
    assert bound(fnn.SGD(0.1, momentum=0.9)).largest == pytest.approx(38)
    adam = fnn.Adam(0.1)
    found = bound(adam, slots=slots_of(adam, 4.0), step=10**6)
    assert found.largest == pytest.approx(380)  # Cohen et al. 2022: 38 / lr
    assert found.scale == pytest.approx([0.5])
    early = bound(adam, slots=slots_of(adam, 4e-3), step=1)
    assert early.scale == pytest.approx([0.5])  # 0.004 is a thousandth of 4


def test_the_last_step_counts():
    sgd = fnn.SGD(0.1, momentum=0.9, weight_decay=1.0)
    found = bound(sgd, lr=0.01, momentum=0.5, weight_decay=2.0)
    assert found == Bound(pytest.approx(300), None, 2.0)


@pytest.mark.parametrize(
    "optimizer",
    [
        *(fnn.NAdam(), fnn.Lion(), fnn.Adadelta(), fnn.ASGD(), fnn.Rprop()),
        fnn.SGD(0.1, maximize=True),
        fnn.SGD(0.1, momentum=1.0),
        fnn.SGD(0.1, momentum=0.5, dampening=1.0),
    ],
    ids=repr,
)
def test_none_is_known_of_others(optimizer):
    assert bound(optimizer) is None


@pytest.mark.parametrize(
    ("layers", "trainer"),
    [
        ((fnn.Dense(3), fnn.BatchNorm(), fnn.Dense(1)), {}),
        ((fnn.Residual(fnn.Dense(3), fnn.BatchNorm()), fnn.Dense(1)), {}),
        ((fnn.Dense(3, lr_scale=0.1), fnn.Dense(1)), {}),
        ((fnn.Dense(1),), {"clip_norm": 1.0}),
        ((fnn.Dense(1),), {"clip_value": 1.0}),
    ],
)
def test_none_is_known_of_other_steps(layers, trainer):
    assert bound(fnn.SGD(0.1), layers, trainer=trainer) is None


def test_a_rate_that_fell_to_nothing():
    assert bound(fnn.SGD(0.1), lr=0.0) is None


def objective(net, X, y, **options):
    given = {"loss": fnn.MSE(), "sample_weight": None, "l1": 0.0, "l2": 0.0}
    given |= {"n_threads": None, "trained_only": True, **options}
    return Objective("test", net, X, y, **given)


def test_sharpness_is_the_largest_eigenvalue_of_the_scaled_hessian():
    random = np.random.default_rng(0)
    X, y = random.standard_normal((50, 4)), random.standard_normal(50)
    net = fnn.Sequential(fnn.Dense(5, "tanh"), fnn.Dense(1), seed=1).build(4)
    net.freeze(0)
    scale = random.uniform(0.1, 3.0, net.n_parameters)
    hessian = hessian_matrix(net, X, y, loss="mse")[-6:, -6:]  # of the last layer
    root = np.sqrt(scale[-6:])
    expected = root[:, None] * (hessian + 0.5 * np.eye(6)) * root
    found = sharpness(objective(net, X, y), Bound(1.0, scale, 0.5), 30)
    assert found == pytest.approx(np.linalg.eigvalsh(expected)[-1], rel=0.02)


def test_the_state_comes_from_the_training():
    """A training's slots and rate are those that its last step was made with."""
    from fastnn.diagnosis.clock import Clock
    from fastnn.diagnosis.lab import Lab
    from fastnn.diagnosis.trial import Rows

    random = np.random.default_rng(0)
    rows = Rows(
        random.standard_normal((200, 3)), random.standard_normal((200, 1)), None
    )
    setup = dataclasses.replace(
        setup_of(fnn.Adam(0.02, betas=(0.8, 0.9))),
        schedule={"lr": fnn.Exponential(0.5), "momentum": fnn.Linear(1.0, 0.5, 4)},
        epochs=4,
        batch_size=400,
    )
    net = fnn.Sequential(fnn.Dense(1), dtype="float64").build(3)
    lab = Lab(net, setup, rows, 200, None, Clock(10), 0, lambda _: None)
    run = lab.run("a training", with_ending=True)
    twin = fnn.Trainer(
        net.copy(), loss="mse", optimizer=setup.optimizer, schedule=setup.schedule
    )
    history = twin.fit(lab.train.X, lab.train.y, epochs=run.epochs, batch_size=400)
    last = {name: history.history[name][-1] for name in ("lr", "momentum")}
    assert {name: run.ending.settings[name] for name in last} == last
    assert run.ending.step == run.epochs
    slots = twin._native.state()["slots"]
    assert np.array_equal(run.ending.slots["exp_avg_sq"], slots["exp_avg_sq"])
    assert lab.run("another").ending is None
