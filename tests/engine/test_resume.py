"""Interrupted and resumed, a fit ends with the bits of the uninterrupted one."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import fastnn as fnn
from engine import resumed
from fastnn.io import checkpoint
from nameless import has_files_without_names

CHILD = Path(resumed.__file__)
EPOCHS = 20


def _child(*arguments):
    command = [sys.executable, str(CHILD), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _killed_until_done(*arguments, rng):
    """Run the child, kill it soon after some epochs; return report and kills."""
    for kills in range(EPOCHS):
        child = _child(*arguments)
        for _ in range(rng.integers(1, 6)):
            if (line := child.stdout.readline()).startswith("{"):
                child.communicate()
                return json.loads(line), kills
        time.sleep(rng.uniform(0, 0.03))  # the file, the next epoch, the file of that
        child.kill()
        child.communicate()
    raise AssertionError("no end")


RUNS = [
    ("plateau, ema, early stopping", "float32", 1),
    ("per step, early stopping", "float64", 2),
    ("swa", "float32", 2),
]


def _wanted(name, dtype):
    """Return what the child of an uninterrupted run would print."""
    return json.loads(json.dumps(resumed.report(*resumed.fit(name, dtype, 1))))


@pytest.mark.parametrize(("name", "dtype", "n_threads"), RUNS, ids=str)
def test_killed_at_any_moment(name, dtype, n_threads, tmp_path, rng):
    path = tmp_path / "run.fnn"
    found, kills = _killed_until_done(name, dtype, n_threads, path, rng=rng)
    assert kills >= 1
    assert found == _wanted(name, dtype)


def test_killed_in_the_very_writing(tmp_path):
    """Half a file is never taken for the checkpoint: the one before it stays."""
    path = tmp_path / "run.fnn"
    arguments = ("ema", "float32", 1, path)
    for epochs, die in ((None, 1), (3, 4), (5, 3)):
        child = _child(*arguments, die)
        child.communicate()
        assert child.returncode == -signal.SIGKILL
        assert path.exists() == (epochs is not None)
        if epochs is not None:
            assert fnn.Trainer.resume(path)._unfinished.epoch == epochs
    left = list(tmp_path.glob(".fastnn-*.tmp"))
    assert len(left) == (0 if has_files_without_names(tmp_path) else 3)
    out, _ = _child(*arguments).communicate()
    assert json.loads(out.splitlines()[-1]) == _wanted("ema", "float32")


class _CrashError(Exception):
    """Ends a run after an epoch."""


def _crash(self, state, *, at, save=checkpoint.CheckpointWriter.save):
    save(self, state)
    if state["epoch"] in at:
        raise _CrashError


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", resumed.CASES)
def test_resumed_after_every_epoch(name, dtype, n_threads, tmp_path, monkeypatch):
    """As many runs as epochs: each ends right after the file of its first epoch."""
    path = tmp_path / "run.fnn"
    wanted = resumed.report(*resumed.fit(name, dtype, n_threads=1))
    writer = checkpoint.CheckpointWriter
    monkeypatch.setattr(
        writer, "save", lambda self, state: _crash(self, state, at=range(EPOCHS + 1))
    )
    n = len(wanted["history"]["loss"])
    for _ in range(n):
        with pytest.raises(_CrashError):
            resumed.fit(name, dtype, n_threads, path)
    assert resumed.report(*resumed.fit(name, dtype, n_threads, path)) == wanted


def test_the_cases_do_what_they_are_for():
    stopped = {}
    for name in resumed.CASES:
        _, history = resumed.fit(name, "float32", n_threads=1)
        stopped[name] = history.stop_reason
        assert len(history.epoch) >= 10
        if "early stopping" in name:
            assert history.best_epoch < len(history.epoch) - 1
        if "plateau" in name:
            assert len(set(history.history["lr"])) > 1
    assert set(stopped.values()) == {"epochs", "early_stopping"}


# -- the end, and beyond ---------------------------------------------------------------


@pytest.mark.parametrize("name", resumed.CASES)
def test_a_finished_fit_returns_at_once(name, tmp_path):
    path = tmp_path / "run.fnn"
    wanted = resumed.report(*resumed.fit(name, "float32", 1, path))
    content = path.read_bytes()
    assert resumed.report(*resumed.fit(name, "float32", 1, path)) == wanted
    assert path.read_bytes() == content
    digest = resumed.report(fnn.load(path), fnn.History({}, 0, "epochs"))["digest"]
    assert digest == wanted["digest"]
    digest = resumed.report(fnn.Trainer.resume(path).net, fnn.History({}, 0, "epochs"))[
        "digest"
    ]
    assert digest == wanted["digest"]


@pytest.fixture
def data(rng):
    return rng.normal(size=(60, 4)), rng.integers(0, 3, 60)


def _trainer(**options):
    net = fnn.Sequential(fnn.Dense(7), fnn.BatchNorm(), fnn.Tanh(), fnn.Dense(3))
    return fnn.Trainer(net, optimizer=fnn.Adam(0.01), **options)


def _bits(trainer):
    return {name: a.tobytes() for name, a in trainer.net.state_dict().items()}


@pytest.mark.parametrize(
    "callbacks", [(), (fnn.EMA(0.9),), (fnn.EMA(None),), (fnn.SWA(3),)], ids=str
)
def test_more_epochs_go_on_as_the_longer_fit(data, tmp_path, callbacks):
    path = tmp_path / "run.fnn"
    _trainer().fit(*data, epochs=5, callbacks=callbacks, checkpoint=path)
    longer = fnn.Trainer.resume(path)
    history = longer.fit(*data, epochs=9, callbacks=callbacks)
    whole = _trainer()
    wanted = whole.fit(*data, epochs=9, callbacks=callbacks)
    assert _bits(longer) == _bits(whole)
    assert history.history["loss"] == wanted.history["loss"]


def test_fewer_epochs_end_earlier(data, tmp_path):
    path = tmp_path / "run.fnn"
    with pytest.raises(_CrashError):
        _trainer().fit(*data, epochs=9, callbacks=[_stop_at(4)], checkpoint=path)
    for epochs in (6, 4):
        fewer = fnn.Trainer.resume(path)
        assert len(fewer.fit(*data, epochs=epochs, checkpoint=False).epoch) == epochs
        whole = _trainer()
        whole.fit(*data, epochs=epochs)
        assert _bits(fewer) == _bits(whole)
    with pytest.raises(ValueError, match=r"epochs: .* has 4 done, got 3"):
        fnn.Trainer.resume(path).fit(*data, epochs=3)


def _stop_at(epoch):
    def stop(info):
        if info.epoch == epoch:
            raise _CrashError

    return stop


def test_the_call_after_the_completed_one_is_an_ordinary_fit(data, tmp_path):
    path = tmp_path / "run.fnn"
    with pytest.raises(_CrashError):
        _trainer().fit(*data, epochs=6, callbacks=[_stop_at(3)], checkpoint=path)
    trainer, whole = fnn.Trainer.resume(path), _trainer()
    for one in (trainer, whole):
        one.fit(*data, epochs=6)
    content = path.read_bytes()
    for one in (trainer, whole):
        assert len(one.fit(*data, epochs=2, batch_size=7).epoch) == 2
        one.step(*data)
    assert _bits(trainer) == _bits(whole)
    assert path.read_bytes() == content


def test_a_second_fit_with_a_checkpoint(data, tmp_path):
    """The state of the trainer that began is in the file as well."""
    path = tmp_path / "run.fnn"
    one = _trainer(schedule=fnn.InverseTime(0.5))
    one.fit(*data, epochs=2)
    with pytest.raises(_CrashError):
        one.fit(*data, epochs=4, callbacks=[_stop_at(2)], checkpoint=path)
    resumed_one = fnn.Trainer.resume(path)
    history = resumed_one.fit(*data, epochs=4)
    whole = _trainer(schedule=fnn.InverseTime(0.5))
    whole.fit(*data, epochs=2)
    wanted = whole.fit(*data, epochs=4)
    assert _bits(resumed_one) == _bits(whole)
    assert history.history["lr"] == wanted.history["lr"]


def test_callbacks_go_on_counting(data, tmp_path):
    path, seen = tmp_path / "run.fnn", []
    callbacks = [lambda info: seen.append(info.epoch), _stop_at(2)]
    with pytest.raises(_CrashError):
        _trainer().fit(*data, epochs=5, callbacks=callbacks, checkpoint=path)
    fnn.Trainer.resume(path).fit(*data, epochs=5, callbacks=callbacks[:1])
    assert seen == [0, 1, 2, 2, 3, 4]


def test_a_fit_that_a_callback_stopped_is_over(data, tmp_path):
    path = tmp_path / "run.fnn"
    stop = [lambda info: info.epoch == 2]
    first = _trainer()
    first.fit(*data, epochs=9, callbacks=stop, checkpoint=path)
    again = fnn.Trainer.resume(path)
    history = again.fit(*data, epochs=9, callbacks=stop)
    assert (history.stop_reason, len(history.epoch)) == ("callback", 3)
    assert _bits(again) == _bits(first)


def test_seldom_written_files_resume_to_the_same_bits(data, tmp_path):
    path, wrote = tmp_path / "run.fnn", []
    whole = _trainer()
    whole.fit(
        *data,
        epochs=7,
        checkpoint=path,
        checkpoint_every=3,
        callbacks=[lambda _: wrote.append(path.exists())],
    )
    assert wrote == [False, False, False, True, True, True, True]
    assert fnn.Trainer.resume(path)._unfinished.epoch == 7
    path.unlink()
    with pytest.raises(_CrashError):
        _trainer().fit(
            *data,
            epochs=7,
            checkpoint=path,
            checkpoint_every=3,
            callbacks=[_stop_at(5)],
        )
    trainer = fnn.Trainer.resume(path)
    assert trainer._unfinished.epoch == 3
    trainer.fit(*data, epochs=7)
    assert _bits(trainer) == _bits(whole)


def test_a_diverged_fit_leaves_the_file_of_the_last_finite_epoch(rng, tmp_path):
    path = tmp_path / "run.fnn"
    X, y = rng.normal(size=(40, 4)), rng.normal(size=40)
    trainer = fnn.Trainer(
        fnn.Sequential(fnn.Dense(4, "relu"), fnn.Dense(1)),
        loss="mse",
        optimizer=fnn.SGD(0.01),
        schedule=fnn.MultiStep([3], gamma=1e9),
    )
    for attempt in (trainer, None):
        with pytest.raises(fnn.DivergedError) as caught:
            (attempt or fnn.Trainer.resume(path)).fit(X, y, epochs=6, checkpoint=path)
        assert caught.value.epoch == 3
        assert len(caught.value.history.epoch) == 3
    assert fnn.load(path).state_dict()["0.weight"].tobytes() == (
        trainer.net.state_dict()["0.weight"].tobytes()
    )


def test_a_network_that_a_callback_broke_is_not_written(data, tmp_path):
    path = tmp_path / "run.fnn"

    def break_it(info):
        if info.epoch == 3:
            info.net.parameters[:] = np.nan

    trainer = _trainer()
    trainer.fit(*data, epochs=4, callbacks=[break_it], checkpoint=path)
    assert fnn.Trainer.resume(path)._unfinished.epoch == 3
