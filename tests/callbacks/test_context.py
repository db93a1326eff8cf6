"""Callbacks that are context managers: entered before a fit, left however it ends."""

import numpy as np
import pytest

import fastnn as fnn


class Watch:
    """Notes what happens to it; may fail at any of it."""

    def __init__(self, notes, fail=None, name=""):
        self.notes, self.fail, self.name = notes, fail, name

    def _note(self, what):
        self.notes.append(f"{what}{self.name}")
        if self.fail == what:
            raise RuntimeError(what)

    def __enter__(self):
        self._note("enter")
        return self

    def __call__(self, _):
        self._note("call")

    def __exit__(self, kind, *_):
        self.notes.append("left" if kind is None else f"left by {kind.__name__}")
        self._note("exit")
        return True  # asks to swallow the exception, in vain


def test_in_order_and_in_reverse(fit):
    notes = []
    fit(Watch(notes, name=1), Watch(notes, name=2), epochs=1)
    assert notes == [
        *("enter1", "enter2", "call1", "call2"),
        *("left", "exit2", "left", "exit1"),
    ]


@pytest.mark.parametrize("fail", ["enter", "call", "exit"])
def test_exceptions_come_out_and_the_others_are_left(fit, fail):
    notes = []
    net = fnn.Sequential(fnn.Dense(1)).build(1)
    with pytest.raises(RuntimeError, match=fail):
        fit(Watch(notes), Watch([], fail), net=net, epochs=2)
    assert notes[0] == "enter"
    assert notes[-2:] == ["left by RuntimeError", "exit"]
    fit(net=net)


def test_a_diverging_fit_leaves_them_and_is_told(fit):
    notes = []
    with pytest.raises(fnn.DivergedError):
        fit(Watch(notes), optimizer=fnn.SGD(lr=1e30), epochs=50)
    assert notes[-2:] == ["left", "exit"]


def test_none_is_entered_when_an_argument_is_unusable(fit):
    notes = []
    with pytest.raises(ValueError, match="batch_size"):
        fit(Watch(notes), batch_size=0)
    assert notes == []


def test_a_failure_to_enter_leaves_a_fit_to_be_completed(tmp_path):
    X = np.linspace(-1, 1, 40)[:, None]
    net = fnn.Sequential(fnn.Dense(1))
    run = tmp_path / "run.fnn"
    fnn.Trainer(net, loss="mse").fit(X, X, epochs=2, checkpoint=run)
    trainer = fnn.Trainer.resume(run)
    with pytest.raises(FileNotFoundError):
        trainer.fit(X, X, epochs=4, callbacks=[fnn.CSVLogger(tmp_path / "no" / "x")])
    assert len(trainer.fit(X, X, epochs=4).epoch) == 4
