"""Memory that runs out, at every allocation in turn: a MemoryError, and no harm done.

``core.fail_allocations`` lets the n-th allocation of the core fail. Each call of the
table is made with n = 1, 2, 3 ... until it needs no n-th one, on one thread and on two,
with a single failure and with all that follow failing too.
"""

from __future__ import annotations

import copy
import ctypes
import dataclasses
import gc
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import EVERYTHING, bits, classes
from fastnn import kernels
from fastnn._native import core
from sanitized import SANITIZED, counts_new

ALL_AFTER = 2**62
COUNTS = [
    pytest.param(1, id="once"),
    pytest.param(ALL_AFTER, id="from then on", marks=pytest.mark.thorough),
]
THREADS = [1, pytest.param(2, marks=pytest.mark.thorough)]
LONG = {  # a second each; "fit with everything" has most of what they do
    *("fit", "fit by L-BFGS", "fit with a checkpoint", "fit with averages"),
    *("fit with a loss in Python", "fit on sparse rows"),
}
CALLS_WITHOUT_CORE = ("load_state_dict",)  # these allocate in NumPy alone
EVERY = 5  # after so many failures the call is repeated without one
MOST = 5000  # allocations of one call: the loops below end


def _counts_allocations() -> bool:
    before = core.allocation_count()
    core.permutation(1, 0, 0)
    fnn.Sequential(fnn.Dense(1)).build(1)
    return core.allocation_count() > before


pytestmark = pytest.mark.skipif(
    not _counts_allocations(), reason="this platform's linker cannot wrap malloc"
)

X, Y = classes(np.random.default_rng(7), 90)
X32 = X.astype(np.float32)
Z = np.eye(3)[Y]


def _net(dtype: str = "float32") -> fnn.Sequential:
    return fnn.Sequential(*EVERYTHING, dtype=dtype).build(X.shape[1])


def _fitted() -> fnn.Sequential:
    net = _net()
    net.fit(X32, Y, epochs=1, batch_size=30)
    return net


@dataclasses.dataclass
class Case:
    """A call on a network; `trains`: it may fail after an epoch, which then stays."""

    call: Callable[[fnn.Sequential, int], Any]
    make: Callable[[], fnn.Sequential] = _fitted
    trains: bool = False


def _fit(**options: Any) -> Callable[[fnn.Sequential, int], Any]:
    options = {"epochs": 2, "batch_size": 16} | options
    return lambda net, n_threads: net.fit(X32, Y, n_threads=n_threads, **options)


def _keep_moment(info: fnn.EpochInfo) -> None:
    MOMENTS.append(_state(info.net))


def _squares(outputs: Any, y: Any) -> tuple[Any, Any]:
    return ((outputs - y) ** 2).sum(axis=1), 2 * (outputs - y)


def _sparse() -> Any:
    sparse = pytest.importorskip("scipy.sparse")
    return sparse.csr_matrix(np.where(X32 > 0, X32, 0))


def _fit_with_checkpoint(net: fnn.Sequential, n_threads: int) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        trainer = fnn.Trainer(net, n_threads=n_threads)
        return trainer.fit(
            *(X32, Y),
            epochs=1,
            callbacks=[_keep_moment],
            checkpoint=Path(folder) / "run.fnn",
        )


def _step(net: fnn.Sequential, n_threads: int) -> float:
    return fnn.Trainer(net, n_threads=n_threads, clip_norm=1.0).step(X32, Y)


STATE = _fitted().state_dict()
MOMENTS: list[dict[str, bytes]] = []  # the network after each epoch of a fit

CASES = {
    "build": Case(lambda net, _: net.build(5), lambda: fnn.Sequential(*EVERYTHING)),
    "fit": Case(_fit(callbacks=[_keep_moment]), trains=True),
    "fit with everything": Case(
        _fit(
            validation_split=0.3,
            metrics=("accuracy", "auc"),
            early_stopping=fnn.EarlyStopping(patience=1),
            schedule=fnn.ReduceOnPlateau(),
            clip_norm=1.0,
            class_weight="balanced",
            callbacks=[_keep_moment],
        ),
        trains=True,
    ),
    "fit in float64": Case(
        lambda net, n: net.fit(X, Y, epochs=1, optimizer="nadam", n_threads=n),
        lambda: _net("float64"),
        trains=True,
    ),
    "step": Case(_step),
    "predict": Case(lambda net, n: net.predict(X32, n_threads=n)),
    "predict much": Case(
        lambda net, n: net.predict(np.tile(X32, (99, 1)), n_threads=n)
    ),
    "predict_proba": Case(lambda net, n: net.predict_proba(X32, n_threads=n)),
    "hidden": Case(lambda net, n: net.hidden(X32, 3, n_threads=n)),
    "evaluate": Case(
        lambda net, n: net.evaluate(X32, Y, metrics=("accuracy", "auc"), n_threads=n)
    ),
    "loss_and_gradients": Case(
        lambda net, n: net.loss_and_gradients(
            X32, Y, loss="cross_entropy", training=True, l2=0.1, n_threads=n
        )
    ),
    "state_dict": Case(lambda net, _: net.state_dict()),
    "load_state_dict": Case(lambda net, _: net.load_state_dict(STATE)),
    "copy": Case(lambda net, _: copy.copy(net)),
    "pickle": Case(lambda net, _: pickle.loads(pickle.dumps(net))),  # noqa: S301
    "fit by L-BFGS": Case(  # an iteration an epoch: each finished one is a moment
        _fit(optimizer=fnn.LBFGS(max_iter=1), epochs=4, callbacks=[_keep_moment]),
        trains=True,
    ),
    "fit with averages": Case(
        _fit(callbacks=[fnn.EMA(0.9), _keep_moment], validation_split=0.2), trains=True
    ),
    "fit with a loss in Python": Case(
        lambda net, n: net.fit(
            X32, Z, loss=_squares, epochs=2, callbacks=[_keep_moment], n_threads=n
        ),
        trains=True,
    ),
    "fit with a checkpoint": Case(_fit_with_checkpoint, trains=True),
    "fit on sparse rows": Case(
        lambda net, n: net.fit(
            _sparse(), Y, epochs=2, callbacks=[_keep_moment], n_threads=n
        ),
        trains=True,
    ),
    "predict sparse rows": Case(lambda net, n: net.predict(_sparse(), n_threads=n)),
}


def _failures(call: Callable[[], Any], count: int) -> Iterator[BaseException | None]:
    """Call it with the n-th allocation failing, n = 1, 2 ..., and tell how it ended."""
    for n in range(1, MOST):
        gc.collect() if n % 64 == 0 else None
        before = core.allocation_count()
        core.fail_allocations(n, count)
        try:
            call()
            error = None
        except BaseException as caught:  # noqa: BLE001
            error = caught
        finally:
            core.fail_allocations(0)
        if core.allocation_count() - before < n:
            assert error is None
            return
        yield error
    raise AssertionError(f"still failing at allocation {MOST}")


def _state(net: fnn.Sequential) -> dict[str, bytes]:
    return bits(net) if net._native is not None else {}


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("n_threads", THREADS)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.thorough) if name in LONG else name
        for name in CASES
    ],
)
def test_every_allocation_may_fail(name: str, n_threads: int, count: int) -> None:
    case = CASES[name]
    good = case.make()
    start = _state(good)
    MOMENTS.clear()
    wanted = case.call(good, n_threads)
    end = _state(good)
    moments = [*MOMENTS, end] if case.trains else []

    nets = [case.make()]
    n_failed = 0
    for error in _failures(lambda: case.call(nets[-1], n_threads), count):
        net = nets.pop()
        nets.append(case.make())
        if error is None:  # a helper thread less: the others did its work
            assert n_threads > 1
            assert _state(net) == end
            continue
        n_failed += 1
        assert isinstance(error, MemoryError), repr(error)
        now = _state(net)
        if now != start:  # after a finished epoch, from which it trains on
            assert _is_one_of(now, moments, start)
            case.call(net, n_threads)
        elif n_failed % EVERY == 1:  # nothing has been: the same call, the same bits
            _assert_same(case.call(net, n_threads), wanted)
            assert _state(net) == end
    assert n_failed > 0 or SANITIZED or name in CALLS_WITHOUT_CORE


def _is_one_of(
    now: dict[str, bytes], moments: list[dict[str, bytes]], start: dict[str, bytes]
) -> bool:
    """Whether the weights are those of a moment, and the statistics its or older.

    An iteration of L-BFGS is finished a moment before its running statistics are.
    """
    weights = [name for name in now if name.endswith((".weight", ".bias"))]
    statistics = now.keys() - set(weights)
    return any(all(now[k] == m[k] for k in weights) for m in moments) and any(
        all(now[k] == m[k] for k in statistics) for m in [start, *moments]
    )


def _assert_same(a: Any, b: Any) -> None:
    """Compare what calls return, all bits of it."""
    if isinstance(a, np.ndarray):
        np.testing.assert_array_equal(a, b)
    elif isinstance(a, (tuple, list)):
        for left, right in zip(a, b, strict=True):
            _assert_same(left, right)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key, left in a.items():
            _assert_same(left, b[key])
    elif isinstance(a, fnn.Sequential):
        assert _state(a) == _state(b)
    elif isinstance(a, float):
        assert a == b


# -- kernels on plain arrays ----------------------------------------------------------

W, B = np.ones((4, 5), "f4"), np.zeros(4, "f4")
KERNELS: dict[str, Callable[[int], Any]] = {
    "dense_forward": lambda n: kernels.dense_forward(X32, W, B, "relu", n_threads=n),
    "dense_backward": lambda n: kernels.dense_backward(
        X32 @ W.T, X32, W, X32 @ W.T, "relu", n_threads=n
    ),
    "batchnorm_forward": lambda n: kernels.batchnorm_forward(
        X32, X32[0], X32[1], 1e-5, n_threads=n
    ),
    "softmax_cross_entropy": lambda n: kernels.softmax_cross_entropy(
        X32, Y, n_threads=n
    ),
    "dropout_forward": lambda n: kernels.dropout_forward(X32, 0.5, 0, 0, n_threads=n),
    "adam_update": lambda _: kernels.adam_update(
        X32.copy(), X32, X32.copy(), np.abs(X32), step=1
    ),
}


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("n_threads", THREADS)
@pytest.mark.parametrize("name", KERNELS)
def test_kernels(name: str, n_threads: int, count: int) -> None:
    call = KERNELS[name]
    wanted = call(n_threads)
    results: list[Any] = []
    for error in _failures(lambda: results.append(call(n_threads)), count):
        assert error is None or isinstance(error, MemoryError), repr(error)
        _assert_same(call(n_threads), wanted)
    _assert_same(results[-1], wanted)


# -- the means itself, and what stays behind ------------------------------------------


@counts_new
def test_the_chosen_allocation_fails_and_no_other() -> None:
    def build() -> None:
        fnn.Sequential(*EVERYTHING).build(5)

    before = core.allocation_count()
    build()
    n = core.allocation_count() - before
    assert n > 10
    core.fail_allocations(n + 1)
    build()
    core.fail_allocations(0)
    core.fail_allocations(n // 2, 1)
    with pytest.raises(MemoryError):
        build()
    build()  # the one that failed was the only one


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc")
def test_nothing_leaks() -> None:
    """Bytes in use after hundreds of failures, against those after the first ones."""
    used = _bytes_in_use()
    layers = (fnn.Dense(300, "relu"), fnn.BatchNorm(), fnn.Dense(3))
    X_wide = np.tile(X32, (1, 20))

    def fail_everywhere() -> None:
        for _ in _failures(
            lambda: fnn.Sequential(*layers).fit(
                X_wide, Y, epochs=1, validation_split=0.2, n_threads=2
            ),
            1,
        ):
            pass
        gc.collect()

    fail_everywhere()
    before = used()
    fail_everywhere()
    assert used() - before < 100_000  # one array of weights has 120,000 bytes


def _bytes_in_use() -> Callable[[], int]:
    """Return a function that asks the allocator, or skip the test."""

    class Info(ctypes.Structure):
        _fields_ = tuple(
            (name, ctypes.c_size_t)
            for name in (
                *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
                *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
            )
        )

    try:
        mallinfo = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        pytest.skip("this C library has no mallinfo2")
    mallinfo.restype = Info

    def used() -> int:
        info = mallinfo()
        return int(info.uordblks + info.hblkhd)

    if used() == 0:
        pytest.skip("a sanitizer's allocator keeps no such books")
    return used
