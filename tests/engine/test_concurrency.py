"""Callbacks, threads and forks around a fit: what they may do, and may not."""

import gc
import os
import sys
import threading
import time

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import EVERYTHING, bits, classes


@pytest.fixture
def data(rng):
    return classes(rng, 90)


def _net(**options):
    return fnn.Sequential(*EVERYTHING, **options)


# -- callbacks ------------------------------------------------------------------------


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_exception_leaves_the_weights_of_its_epoch(data, n_threads):
    def fail(info):
        if info.epoch == 2:
            raise LookupError("mine")

    net, whole = _net(), _net()
    with pytest.raises(LookupError, match="mine"):
        net.fit(*data, epochs=9, batch_size=16, callbacks=[fail], n_threads=n_threads)
    whole.fit(*data, epochs=3, batch_size=16)
    assert bits(net) == bits(whole)
    net.fit(*data, epochs=1)  # and the network is free again


def test_a_callback_may_predict_and_copy(data):
    seen = []

    def look(info):
        seen.append((info.net.predict(data[0]), info.net.copy(), info.logs["loss"]))

    net = _net()
    net.fit(*data, epochs=3, callbacks=[look])
    assert len(seen) == 3
    for outputs, twin, _ in seen:
        np.testing.assert_array_equal(twin.predict(data[0]), outputs)
    np.testing.assert_array_equal(seen[-1][0], net.predict(data[0]))


@pytest.mark.parametrize("label", [3, 2**30, -1, -(2**30)])
def test_labels_overwritten_during_a_fit_touch_no_foreign_memory(data, label):
    """They were checked when the fit began, and lie where the user can reach them."""
    X, y = data[0], np.array(data[1], np.int32)
    net, whole = _net(), _net()
    whole.fit(X, y, epochs=1, batch_size=16)

    def spoil(_):
        y[:] = label

    with pytest.raises(fnn.DivergedError):
        net.fit(X, y, epochs=3, batch_size=16, callbacks=[spoil])
    assert bits(net) == bits(whole)


def test_a_callback_that_looks_changes_nothing(data):
    watched, alone = _net(), _net()
    watched.fit(
        *data,
        epochs=3,
        batch_size=16,
        callbacks=[
            lambda info: info.net.evaluate(*data, loss="cross_entropy") and None
        ],
    )
    alone.fit(*data, epochs=3, batch_size=16)
    assert bits(watched) == bits(alone)


@pytest.mark.parametrize("own", [False, True])
def test_a_fit_within_a_callback(data, own):
    """Nobody should, but it trains: the outer fit goes on from where it led."""
    seen = []

    def train(info):
        before = bits(info.net)
        inner = info.trainer if own else fnn.Trainer(info.net)
        if info.epoch == 1 and not seen:
            seen.append(inner.fit(*data, epochs=2, batch_size=30))
            assert bits(info.net) != before

    net = _net()
    history = net.fit(*data, epochs=4, batch_size=16, callbacks=[train])
    assert len(history.epoch) == 4
    assert len(seen[0].epoch) == 2
    assert np.isfinite(net.parameters).all()
    net.predict(data[0])


def test_a_callback_may_write_weights(data):
    """The next epoch starts from them."""

    def zero(info):
        if info.epoch == 0:
            info.net.parameters[:] = 0.0

    net = fnn.Sequential(fnn.Dense(3))
    history = net.fit(
        *data, epochs=2, batch_size=90, optimizer=fnn.SGD(lr=0.0), callbacks=[zero]
    )
    assert history.history["loss"][1] == pytest.approx(np.log(3), rel=1e-6)


def test_a_divergence_keeps_what_a_callback_wrote(data):
    """What the user last saw is what comes back."""
    written = []

    def halve(info):
        info.net.parameters[:] *= 0.5
        written.append(info.net.parameters.copy())

    net = fnn.Sequential(fnn.Dense(16, "relu"), fnn.Dense(3))
    with pytest.raises(fnn.DivergedError):
        net.fit(
            *data,
            epochs=60,
            loss="cross_entropy",
            optimizer=fnn.SGD(lr=1e-3),
            schedule=fnn.Exponential(10.0),
            callbacks=[halve],
        )
    assert written
    np.testing.assert_array_equal(net.parameters, written[-1])


def test_callbacks_are_released(data):
    class Callback:
        def __call__(self, info):
            pass

    callback = Callback()
    dead = threading.Event()
    import weakref

    weakref.finalize(callback, dead.set)
    _net().fit(*data, epochs=1, callbacks=[callback])
    del callback
    gc.collect()
    assert dead.is_set()


# -- threads --------------------------------------------------------------------------


def _in_threads(n, run):
    errors = []

    def guarded(i):
        try:
            run(i)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.mark.parametrize("n_threads", [1, 2])
def test_predict_from_eight_threads(data, n_threads):
    X, _ = data
    net = _net()
    net.fit(*data, epochs=1)
    wanted = net.predict(X)

    def run(i):
        for k in range(20):
            rows = slice(i, i + 5 + k)
            out = net.predict(X[rows], n_threads=n_threads)
            np.testing.assert_array_equal(out, wanted[rows])

    assert _in_threads(8, run) == []


def test_networks_train_side_by_side(data):
    nets = [_net(seed=i % 2) for i in range(4)]
    errors = _in_threads(
        4, lambda i: nets[i].fit(*data, epochs=5, batch_size=16, n_threads=2)
    )
    assert errors == []
    assert bits(nets[0]) == bits(nets[2]) != bits(nets[1]) == bits(nets[3])


def _refusal(call):
    """Return what a RuntimeError of this call says, or None."""
    try:
        call()
    except RuntimeError as error:
        return str(error)
    return None


def test_fit_and_predict_at_once_is_an_error(rng):
    """For the reader; the fit waits for readers that its callback let in."""
    X, y = classes(rng, 20_000)
    net = fnn.Sequential(fnn.Dense(64, "relu"), fnn.Dense(3)).build(5)
    started, stop = threading.Event(), threading.Event()

    def callback(_):
        started.set()
        return stop.is_set()

    def fit(_):
        net.fit(X, y, epochs=10**6, batch_size=8, callbacks=[callback])

    errors = []
    thread = threading.Thread(target=lambda: errors.extend(_in_threads(1, fit)))
    thread.start()
    started.wait()
    refusals = []
    deadline = time.monotonic() + 20
    while len(refusals) < 50 and time.monotonic() < deadline:
        refusals.append(_refusal(lambda: net.predict(X[:3])))
        refusals = [text for text in refusals if text]
    stop.set()
    thread.join()
    assert errors == []
    assert len(refusals) == 50
    assert all("being trained" in text for text in refusals)
    assert all("net.copy()" in text for text in refusals)
    assert np.isfinite(net.predict(X[:3])).all()


def test_two_fits_at_once_are_an_error(rng):
    X, y = classes(rng, 20_000)
    net = _net().build(5)
    errors = _in_threads(2, lambda _: net.fit(X, y, epochs=2, batch_size=8))
    assert len(errors) == 1
    assert "net.copy()" in str(errors[0])


@pytest.fixture
def hasty_threads():
    """Threads that take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hasty_threads")
def test_threads_that_build_at_once_share_the_network(data):
    """Otherwise one of them would train what nobody sees."""
    for _ in range(20):
        net, start, views = _net(), threading.Barrier(4), []
        trainer = fnn.Trainer(net)

        def run(_, net=net, trainer=trainer, start=start, views=views):
            start.wait()
            net.build(5)
            views.append(net.parameters)
            native = trainer._ready(net._checked_data(*data, None, trainer.loss))
            assert native is trainer._native

        assert _in_threads(4, run) == []
        assert all(np.shares_memory(net.parameters, view) for view in views)


def test_a_fit_beside_a_callback_is_an_error(data):
    """While a callback runs, others may read the network but not train it."""
    net = _net().build(5)
    refusals = []

    def callback(info):
        if info.epoch == 0:
            refusals.extend(_in_threads(1, lambda _: net.fit(*data, epochs=1)))

    alone = _net()
    alone.fit(*data, epochs=2)
    net.fit(*data, epochs=2, callbacks=[callback])
    assert len(refusals) == 1
    assert "net.copy()" in str(refusals[0])
    assert bits(net) == bits(alone)


def test_more_threads_between_steps(data):
    """A step in the middle of which more threads help than in the one before it."""
    net, alone = _net(), _net()
    trainer, other = fnn.Trainer(net), fnn.Trainer(alone, n_threads=1)
    X, y = np.repeat(data[0], 200, axis=0), np.repeat(data[1], 200)
    try:
        for n_threads in (1, 8, 2):
            fnn.set_num_threads(n_threads)
            trainer.step(X, y)
            other.step(X, y)
    finally:
        fnn.set_num_threads(None)
    assert bits(net) == bits(alone)


# -- forks ----------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_after_a_threaded_fit_trains(data):
    net = _net()
    net.fit(*data, epochs=2, batch_size=16, n_threads=4)
    twin = net.copy()
    twin.fit(*data, epochs=2, batch_size=16, n_threads=4)
    wanted = b"".join(bits(twin).values())
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # no assertion here: the parent looks at what comes back
        try:
            net.fit(*data, epochs=2, batch_size=16, n_threads=4)
            net.predict(data[0], n_threads=3)
            os.write(writer, b"".join(bits(net).values()))
        finally:
            os._exit(0)
    os.close(writer)
    received = b""
    while part := os.read(reader, 1 << 16):
        received += part
    os.close(reader)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert received == wanted
