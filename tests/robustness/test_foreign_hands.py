"""Arrays that somebody else writes, resizes or drops while the engine reads them."""

import gc
import threading
import time

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import bits, classes
from robustness.work import network
from sanitized import races

ROWS = 300


def _shared(dtype="float32"):
    """Data that the engine reads where they lie: no conversion makes a copy."""
    X, y = classes(np.random.default_rng(5), ROWS)
    return X.astype(dtype), y.astype(np.int32), np.ones(ROWS, dtype)


class Vandal:
    """A thread that writes garbage into arrays until it is told to stop."""

    def __init__(self, *arrays):
        self._arrays = arrays
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.rounds = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._enough.set()
        self._thread.join()

    def _run(self):
        rng = np.random.default_rng(0)
        while not self._enough.is_set():
            for array in self._arrays:
                noise = rng.integers(0, 256, array.nbytes, dtype=np.uint8)
                array.view(np.uint8).reshape(-1)[:] = noise
            self.rounds += 1


# What may come of it: a result, or an error that speaks of the numbers.
ERRORS = (ValueError, TypeError, fnn.DivergedError)


def _attempts(call, seconds=0.4):
    """Call until the time is over; count results and errors."""
    results, errors = 0, 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if _fails(call):
            errors += 1
        else:
            results += 1
    return results, errors


def _fails(call):
    try:
        call()
    except ERRORS:
        return True
    return False


CALLS = {
    "fit": lambda net, X, y, w: net.fit(
        *(X, y), sample_weight=w, epochs=3, metrics=["auc", "accuracy"], n_threads=2
    ),
    "validate": lambda net, X, y, w: net.fit(
        *_shared()[:2],
        epochs=2,
        validation_data=(X, y, w),
        metrics=["auc", "accuracy"],
        early_stopping=True,
        n_threads=2,
    ),
    "step": lambda net, X, y, w: fnn.Trainer(net).step(X, y, w),
    "evaluate": lambda net, X, y, w: net.evaluate(
        *(X, y), loss="cross_entropy", metrics=["auc"], sample_weight=w, n_threads=2
    ),
    "gradients": lambda net, X, y, w: net.loss_and_gradients(
        *(X, y), loss="cross_entropy", sample_weight=w, n_threads=2
    ),
    "predict": lambda net, X, _, __: net.predict(X, n_threads=2),
    "augment": lambda net, X, y, w: net.fit(
        *(X, y),
        sample_weight=w,
        epochs=3,
        augment=[fnn.augment.Noise(0.1), fnn.augment.Mixup(0.5)],
        n_threads=2,
    ),
    "full batch": lambda net, X, y, w: net.fit(
        *(X, y), sample_weight=w, epochs=2, optimizer="lbfgs", n_threads=2
    ),
    "ensemble": lambda _, X, y, w: fnn.Ensemble(network(), 2, bootstrap=True).fit(
        *(X, y), sample_weight=w, epochs=2, n_threads=2
    ),
    "folds": lambda net, X, y, w: fnn.cross_validate(
        *(net, X, y), k=2, sample_weight=w, epochs=2, n_threads=2
    ),
    "range test": lambda net, X, y, w: fnn.lr_find(
        *(net, X, y), sample_weight=w, steps=10, n_threads=2
    ),
    "curvature": lambda net, X, y, w: fnn.hessian_vector_product(
        *(net, X, y, np.ones(net.n_parameters)),
        loss="cross_entropy",
        sample_weight=w,
        n_threads=2,
    ),
    "loss kernel": lambda _, X, y, w: fnn.kernels.softmax_cross_entropy(
        X, y % 5, sample_weight=w
    ),
}


@races
@pytest.mark.parametrize("call", CALLS)
def test_arrays_written_by_another_thread(call):
    """Garbage or an error, never foreign memory; the network stays finite."""
    net = network().build(5)
    X, y, w = _shared()
    good = [array.copy() for array in (X, y, w)]
    with Vandal(X, y, w) as vandal, np.errstate(all="ignore"):

        def restored_call():
            for array, values in zip((X, y, w), good, strict=True):
                array[...] = values
            CALLS[call](net, X, y, w)

        results, errors = _attempts(restored_call)
    assert vandal.rounds > 0
    assert results + errors > 0
    assert np.isfinite(net.parameters).all()
    net.fit(*good[:2], epochs=1)


@races
def test_labels_written_during_the_fit_by_a_callback_and_a_thread():
    """The labels that are no classes any more are seen before they are used."""
    X, y, _ = _shared()
    net = network().build(5)
    begun = threading.Event()

    def spoil():
        begun.wait()
        while not net_is_free.is_set():
            y[:] = 2**31 - 1
            y[:] = -(2**31)

    net_is_free = threading.Event()
    thread = threading.Thread(target=spoil)
    thread.start()
    try:
        with pytest.raises(fnn.DivergedError):
            net.fit(X, y, epochs=10**4, callbacks=[lambda _: begun.set()], n_threads=2)
    finally:
        begun.set()
        net_is_free.set()
        thread.join()
    assert np.isfinite(net.parameters).all()


@races
def test_parameters_written_by_another_thread():
    """The view is the user's to write; what it breaks is a divergence."""
    X, y, _ = _shared()
    net = network().build(5)
    with Vandal(net.parameters), np.errstate(all="ignore"):
        _attempts(lambda: net.fit(X, y, epochs=2, n_threads=2))
    net.load_state_dict(network().build(5).state_dict())
    net.fit(X, y, epochs=1)


# -- memory that goes away ------------------------------------------------------------


@pytest.mark.parametrize("n_threads", [1, 2])
def test_arrays_that_only_the_fit_still_holds(n_threads):
    X, y, w = _shared()
    alone = network()
    alone.fit(X, y, sample_weight=w, epochs=4, n_threads=n_threads)
    held = {"X": X, "y": y, "w": w}
    del X, y, w

    def drop(_):
        held.clear()
        gc.collect()
        for _ in range(20):  # whoever frees too early gives the memory to these
            np.full((ROWS, 5), np.nan, np.float32)

    def arguments():
        return held["X"], held["y"], held["w"]

    net = network()
    _fit_and_forget(net, arguments(), drop, n_threads)
    assert held == {}
    assert bits(net) == bits(alone)


def _fit_and_forget(net, arrays, drop, n_threads):
    X, y, w = arrays
    del arrays
    net.fit(X, y, sample_weight=w, epochs=4, callbacks=[drop], n_threads=n_threads)


def test_arrays_in_use_are_not_resized():
    X, y, _ = _shared()

    def resize(_):
        for array in (X, y):
            with pytest.raises(ValueError, match="resize"):
                array.resize((10,))

    network().fit(X, y, epochs=1, callbacks=[resize])
    assert X.shape == (ROWS, 5)


def test_views_into_the_network_outlive_it():
    net = network().build(5)
    wanted = net.parameters.copy()
    views = [net.parameters, net.parameters[3:]]
    del net
    gc.collect()
    np.testing.assert_array_equal(views[0], wanted)
    views[1][:] = 0.0
    assert (views[0][3:] == 0.0).all()


def test_a_trainer_keeps_its_network():
    X, y, _ = _shared()
    trainer = fnn.Trainer(network())
    gc.collect()
    first = trainer.step(X, y)
    gc.collect()
    assert trainer.step(X, y) != first
    native = trainer._native
    del trainer
    gc.collect()
    assert np.isfinite(native.step(X, y, None, [])[0])
