"""Exceptions of every kind out of a callback, and callbacks that do odd things."""

import sys

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import bits
from robustness.work import DATA, network


class _Base(BaseException):
    """An exception that is no Exception."""


class _AwkwardError(Exception):
    """An exception that does not even have a text."""

    def __str__(self):
        raise LookupError("no text")


EXCEPTIONS = (
    ValueError("mine"),
    _Base("mine"),
    _AwkwardError(),
    SystemExit(3),
    KeyboardInterrupt(),
    StopIteration("value"),
    GeneratorExit(),
    MemoryError("mine"),
    RecursionError("mine"),
    fnn.DivergedError(epoch=0, step=0, lr=1.0, what="mine"),
    OSError(5, "mine"),
)


def _after(epochs, **options):
    net = network()
    net.fit(*DATA, epochs=epochs, batch_size=16, **options)
    return bits(net)


def _raise(error):
    raise error


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("error", EXCEPTIONS, ids=lambda e: type(e).__name__)
def test_whatever_a_callback_raises_comes_out_as_it_is(error, n_threads):
    net = network()
    options = {"batch_size": 16, "n_threads": n_threads}
    with pytest.raises(type(error)) as caught:
        net.fit(
            *DATA,
            epochs=5,
            callbacks=[lambda info: _raise(error) if info.epoch == 1 else None],
            **options,
        )
    assert caught.value is error
    assert bits(net) == _after(2)  # the weights of the epoch it was called for
    net.fit(*DATA, epochs=1, **options)  # and nothing is locked
    net.predict(DATA[0])


def test_sys_exit_in_a_callback():
    with pytest.raises(SystemExit) as caught:
        network().fit(*DATA, epochs=2, callbacks=[lambda _: sys.exit("enough")])
    assert caught.value.code == "enough"


def test_an_exception_on_the_last_epoch_is_not_lost():
    with pytest.raises(LookupError):
        network().fit(*DATA, epochs=1, callbacks=[lambda _: _raise(LookupError())])


def test_every_callback_after_the_one_that_raises_is_left_out():
    seen = []
    callbacks = [seen.append, lambda _: _raise(LookupError()), seen.append]
    with pytest.raises(LookupError):
        network().fit(*DATA, epochs=3, callbacks=callbacks)
    assert len(seen) == 1


def test_an_answer_whose_truth_raises():
    class Answer:
        def __bool__(self):
            raise LookupError("neither")

    net = network()
    with pytest.raises(LookupError, match="neither"):
        net.fit(*DATA, epochs=3, batch_size=16, callbacks=[lambda _: Answer()])
    assert bits(net) == _after(1)


def test_a_generator_as_callback():
    losses = []

    def collect():
        while True:
            info = yield len(losses) == 3
            losses.append(info.logs["loss"])

    collector = collect()
    next(collector)
    history = network().fit(*DATA, epochs=9, callbacks=[collector.send])
    assert history.history["loss"][:3] == losses
    assert history.stop_reason == "callback"


def test_a_generator_that_ends():
    def once():
        yield
        yield

    generator = once()
    next(generator)
    net = network()
    with pytest.raises(StopIteration):
        net.fit(*DATA, epochs=9, batch_size=16, callbacks=[generator.send])
    assert bits(net) == _after(2)


def test_deep_recursion_in_a_callback():
    def fall(n):
        return fall(n + 1)

    net = network()
    with pytest.raises(RecursionError):
        net.fit(*DATA, epochs=3, batch_size=16, callbacks=[lambda _: fall(0)])
    assert bits(net) == _after(1)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e38])
def test_weights_broken_by_a_callback_are_a_divergence(value):
    """What was there before the callback broke them is what comes back."""

    def spoil(info):
        if info.epoch == 1:
            info.net.parameters[:] = value

    net = network()
    with pytest.raises(fnn.DivergedError) as caught:
        net.fit(*DATA, epochs=5, batch_size=16, callbacks=[spoil])
    if np.isfinite(value):  # the user's own choice, and finite
        assert (net.parameters == np.float32(value)).all()
    else:
        assert bits(net) == _after(1)
    assert caught.value.history.history["loss"]
    net.load_state_dict(network().build(5).state_dict())
    net.fit(*DATA, epochs=1)


def test_an_exception_within_a_fit_within_a_callback():
    """The inner fit's exception ends the outer one; both have let go of the network."""

    def inner(_):
        _raise(LookupError("inner"))

    def outer(info):
        info.net.fit(*DATA, epochs=1, callbacks=[inner])

    net = network()
    with pytest.raises(LookupError, match="inner"):
        net.fit(*DATA, epochs=3, callbacks=[outer])
    assert np.isfinite(net.parameters).all()
    net.fit(*DATA, epochs=1)


def test_a_callback_that_is_gone_while_it_runs():
    callbacks = []

    def forget(_):
        callbacks.clear()

    callbacks.append(forget)
    history = network().fit(*DATA, epochs=2, callbacks=callbacks)
    assert len(history.epoch) == 2
    assert callbacks == []
