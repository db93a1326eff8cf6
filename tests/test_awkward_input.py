"""What users get wrong in odd ways: the answer is in their words, not in C++'s."""

from __future__ import annotations

import copy
import pickle
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

import fastnn as fnn
from fastnn import kernels

HUGE = 10**400
X = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
Y = np.arange(40) % 3


def _net() -> fnn.Sequential:
    return fnn.Sequential(fnn.Dense(4, "relu"), fnn.BatchNorm(), fnn.Dense(3)).build(5)


def _fit(**options: object) -> Callable[[], object]:
    return lambda: _net().fit(X, Y, **{"epochs": 1, **options})


MESSAGES = {
    "batch_size": (_fit(batch_size=HUGE), ValueError, "batch_size must be below 2"),
    "epochs": (_fit(epochs=2**63), ValueError, "epochs must be below 2"),
    "l2": (_fit(l2=HUGE), ValueError, "l2 must be a number within the range"),
    "lr": (lambda: fnn.Adam(lr=HUGE), ValueError, "Adam: lr must be a number within"),
    "units": (lambda: fnn.Dense(HUGE), ValueError, "Dense: units must be below 2"),
    "seed": (
        lambda: fnn.Sequential(fnn.Dense(1), seed=2**64),
        ValueError,
        "seed must be below 2\\*\\*64",
    ),
    "build": (
        lambda: fnn.Sequential(fnn.Dense(1)).build(2**70),
        ValueError,
        "in_features must be below 2",
    ),
    "memory": (
        lambda: fnn.Sequential(fnn.Dense(2**62)).build(8),
        MemoryError,
        "would have 4.151e\\+19 parameters",
    ),
    "callbacks": (
        _fit(callbacks=np.array(1)),
        TypeError,
        "callbacks must be a list of callables, got ndarray",
    ),
    "callback's answer": (
        _fit(callbacks=[lambda _: np.array([1, 2])]),
        TypeError,
        "a callback must return True",
    ),
    "metrics": (_fit(metrics=np.array(1)), TypeError, "metrics must be a sequence"),
    "class": (_fit(optimizer=fnn.Adam), TypeError, "is the class Adam; write Adam()"),
    "schedule": (_fit(schedule="cosine"), TypeError, "did you mean 'Cosine'"),
    "article": (_fit(optimizer=3), TypeError, "a name or an Optimizer"),
    "class_weight": (
        _fit(class_weight={0: None, 1: 1, 2: 1}),
        TypeError,
        "class_weight\\[0\\] must be a number",
    ),
    "product of weights": (
        _fit(sample_weight=np.full(40, 1e30), class_weight=[1e30] * 3),
        ValueError,
        "sample_weight times class_weight is beyond the range",
    ),
    "denormal weights": (
        _fit(sample_weight=np.full(40, 1e-40)),
        ValueError,
        "weights below 1.2e-38 count as zero in float32",
    ),
    "far labels": (
        lambda: _net().fit(X, Y + 2**40),
        ValueError,
        "number your 3 classes from 0",
    ),
    "text as init": (
        lambda: fnn.Dense(1, init=([["a"]], [0])),
        TypeError,
        "Dense: init\\[0\\], the weights, must be an array of numbers",
    ),
    "negative variance": (
        lambda: _net().load_state_dict(
            {"1.running_var": -np.ones(4, "f4")}, strict=False
        ),
        ValueError,
        "holds variances, which must be >= 0",
    ),
    "strict": (
        lambda: _net().load_state_dict({}, strict=None),  # type: ignore[arg-type]
        TypeError,
        "strict must be True or False",
    ),
    "eps": (
        lambda: kernels.batchnorm_forward(X, X[0], X[0], None),  # type: ignore[arg-type]
        TypeError,
        "^eps must be a number, got NoneType",
    ),
    "p": (
        lambda: kernels.dropout_forward(X, "a", 0, 0),  # type: ignore[arg-type]
        TypeError,
        "^p must be a number, got str",
    ),
    "dropout's seed": (
        lambda: kernels.dropout_forward(X, 0.5, 0.5, 0),  # type: ignore[arg-type]
        TypeError,
        "^seed must be an integer, got float",
    ),
    "label_smoothing": (
        lambda: kernels.softmax_cross_entropy(X, Y, label_smoothing="a"),  # type: ignore[arg-type]
        TypeError,
        "^label_smoothing must be a number",
    ),
    "step": (
        lambda: kernels.sgd_update(X.copy(), X, step=1.5),  # type: ignore[arg-type]
        TypeError,
        "^step must be an integer >= 1, got float 1.5",
    ),
    "rule": (
        lambda: kernels.init_slots(None, X),  # type: ignore[arg-type]
        TypeError,
        "^rule must be the name of an optimizer",
    ),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_messages_name_the_argument(case: str) -> None:
    call, error, message = MESSAGES[case]
    with pytest.raises(error, match=message) as caught:
        call()
    assert "incompatible function arguments" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("name", "meant"),
    [("bce", "binary_cross_entropy"), ("categorical_crossentropy", "cross_entropy")],
)
def test_names_of_other_libraries_are_understood(name: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"did you mean '{meant}'"):
        _net().fit(X, Y, loss=name)


def test_swish_is_silu() -> None:
    with pytest.raises(ValueError, match="did you mean 'silu'"):
        fnn.Dense(1, "swish")  # type: ignore[arg-type]


def test_a_seed_may_have_64_bits() -> None:
    assert fnn.Sequential(fnn.Dense(1), seed=2**64 - 1).build(2).seed == 2**64 - 1


def test_a_trainer_that_began_goes_on_as_a_copy_and_from_a_pickle() -> None:
    trainer = fnn.Trainer(_net())
    trainer.step(X, Y)
    twins = copy.deepcopy(trainer), pickle.loads(pickle.dumps(trainer))  # noqa: S301
    loss = trainer.step(X, Y)
    for twin in twins:
        assert twin.step(X, Y) == loss
        assert (twin.net.parameters == trainer.net.parameters).all()


def test_divergence_in_the_first_epoch_tells_which_weights_are_back() -> None:
    net = fnn.Sequential(fnn.Dense(1)).build(5)
    before = net.state_dict()
    with pytest.raises(fnn.DivergedError, match="those before this fit"):
        net.fit(X, X[:, 0], loss="mse", optimizer=fnn.SGD(lr=1e30), batch_size=8)
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def _refusal(call: Callable[[], object]) -> set[bool]:
    """Whether the network is busy, told apart: read while trained, or written."""
    try:
        call()
    except RuntimeError as error:
        return {"trained" in str(error)}
    return set()  # between epochs it is allowed


def test_weights_are_neither_read_nor_written_while_another_thread_trains() -> None:
    net = fnn.Sequential(fnn.Dense(64, "relu"), fnn.Dense(3)).build(5)
    state = net.state_dict()
    begun, enough = threading.Event(), threading.Event()

    def watch(info: fnn.EpochInfo) -> bool:
        info.net.load_state_dict(info.net.state_dict())  # a callback may do both
        begun.set()
        return enough.is_set()

    rows, labels = np.tile(X, (2000, 1)), np.tile(Y, 2000)
    thread = threading.Thread(
        target=lambda: net.fit(rows, labels, epochs=1000, callbacks=[watch])
    )
    thread.start()
    begun.wait()
    refused = set()
    deadline = time.monotonic() + 20
    while len(refused) < 2 and time.monotonic() < deadline:
        for call in (net.state_dict, lambda: net.load_state_dict(state)):
            refused |= _refusal(call)
    enough.set()
    thread.join()
    assert refused == {True, False}
