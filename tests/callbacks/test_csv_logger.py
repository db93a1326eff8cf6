"""CSVLogger: rows as the history has them, whole lines, and going on after a crash."""

import copy
import csv
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import fastnn as fnn


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit, 1.csv"


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_file_is_the_history(fit, path):
    history = fit(fnn.CSVLogger(path), metrics=["mae"])
    rows = read(path)
    assert list(rows[0]) == ["epoch", *history.history]
    assert [int(row["epoch"]) for row in rows] == history.epoch
    for key, values in history.history.items():
        assert [float(row[key]) for row in rows] == values, "to the last bit"


def test_a_row_is_there_when_its_epoch_is_over(fit, path):
    counts = []
    fit(fnn.CSVLogger(path), lambda _: counts.append(path.read_bytes().count(b"\n")))
    assert counts == [2, 3, 4, 5]


def test_each_fit_replaces_the_file(fit, path):
    log = fnn.CSVLogger(path)
    fit(log)
    last = fit(log, epochs=2, metrics=["r2"])
    assert [float(row["val_r2"]) for row in read(path)] == last.history["val_r2"]


def test_the_old_file_stays_until_an_epoch_is_done(fit, path):
    path.write_text("old")
    with pytest.raises(ValueError, match="epochs"):
        fit(fnn.CSVLogger(path), epochs=0)
    assert path.read_text() == "old"


def test_append_adds_rows_under_one_header(fit, path):
    log = fnn.CSVLogger(path, append=True)
    first, second = fit(log), fit(log)
    rows = read(path)
    assert [float(r["loss"]) for r in rows] == [
        *first.history["loss"],
        *second.history["loss"],
    ]
    assert path.read_text().count("epoch") == 1


def test_append_refuses_other_columns(fit, path):
    fit(fnn.CSVLogger(path))
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"columns 'epoch,loss,.*'epoch,loss,mae"):
        fit(fnn.CSVLogger(path, append=True), metrics=["mae"])
    assert path.read_bytes() == before


def test_append_drops_a_line_that_was_cut_short(info, path):
    log = fnn.CSVLogger(path, append=True)
    path.write_bytes(b"epoch,loss\n0,0.5\n1,0.")
    log(info(0, loss=0.25))
    assert path.read_bytes() == b"epoch,loss\n0,0.5\n0,0.25\n"


@pytest.mark.parametrize("left", [b"", b"epo", b"epoch,loss\n"])
def test_append_to_next_to_nothing(info, path, left):
    path.write_bytes(left)
    fnn.CSVLogger(path, append=True)(info(0, loss=0.25))
    assert path.read_bytes() == b"epoch,loss\n0,0.25\n"


def test_a_completed_fit_replaces_the_rows_after_its_checkpoint(info, path):
    """Killed after epoch 3, resumed from the checkpoint of epoch 1."""
    log = fnn.CSVLogger(path, append=True)
    for epoch in range(4):
        log(info(epoch, loss=float(epoch)))
    again = fnn.CSVLogger(path, append=True)
    for epoch in (2, 3, 4):
        again(info(epoch, loss=float(epoch)))
    rows = [(row["epoch"], row["loss"]) for row in read(path)]
    assert rows == [(str(i), f"{i}.0") for i in range(5)]


def test_a_resumed_fit_leaves_the_file_of_an_uninterrupted_one(path, tmp_path):
    X = np.linspace(-1, 1, 40)[:, None]

    def trainer():
        net = fnn.Sequential(fnn.Dense(4, "tanh"), fnn.Dense(1))
        return fnn.Trainer(net, loss="mse")

    def stop(info):
        if info.epoch == 5:
            raise RuntimeError("the machine goes down")

    history = trainer().fit(X, X**2, epochs=9)
    run = tmp_path / "run.fnn"
    log = fnn.CSVLogger(path, append=True)
    with pytest.raises(RuntimeError, match="goes down"):
        trainer().fit(
            X, X**2, epochs=9, callbacks=[log, stop], checkpoint=run, checkpoint_every=3
        )
    assert [row["epoch"] for row in read(path)] == [str(i) for i in range(6)]
    log = fnn.CSVLogger(path, append=True)
    fnn.Trainer.resume(run).fit(
        X, X**2, epochs=9, callbacks=[log], checkpoint=run, checkpoint_every=3
    )
    rows = read(path)
    assert [int(row["epoch"]) for row in rows] == history.epoch
    assert [float(row["loss"]) for row in rows] == history.history["loss"]


def test_inside_another_callback(fit, path):
    """Nobody enters it there; a new fit shows by its first epoch."""
    log = fnn.CSVLogger(path)
    fit(log.__call__, epochs=5)
    fit(log.__call__, epochs=2)
    assert [row["epoch"] for row in read(path)] == ["0", "1"]


def test_awkward_values(info, path):
    log = fnn.CSVLogger(path)
    log(info(0, **{"loss": float("nan"), 'a,"b"': 1e-320, "c": float("-inf")}))
    (row,) = read(path)
    assert row == {"epoch": "0", "loss": "nan", 'a,"b"': "1e-320", "c": "-inf"}


@pytest.mark.parametrize("append", [False, True])
def test_bad_targets_are_told_before_the_training(fit, tmp_path, append):
    calls = []
    for target, error in [
        (tmp_path / "no" / "fit.csv", FileNotFoundError),
        (tmp_path, IsADirectoryError),
    ]:
        net = fnn.Sequential(fnn.Dense(1)).build(1)
        before = net.parameters.copy()
        with pytest.raises(error):
            fit(fnn.CSVLogger(target, append), calls.append, net=net)
        assert (net.parameters == before).all()
    assert calls == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="as root")
def test_write_protected(fit, path):
    path.touch(0o400)
    with pytest.raises(PermissionError):
        fit(fnn.CSVLogger(path))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((None,), TypeError, "path must be a string or an os.PathLike.*NoneType"),
        ((b"x",), TypeError, "path must be a string"),
        (("",), ValueError, "path must name a file"),
        (("a\0b",), ValueError, "path must name a file"),
        (("x.csv", 1), TypeError, "append must be True or False, got int 1"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=f"CSVLogger: {message}"):
        fnn.CSVLogger(*arguments)


def test_repr_and_copies(fit, path):
    log = fnn.CSVLogger(path)
    assert repr(log) == f"CSVLogger({str(path)!r}, append=False)"
    fit(log)
    for twin in (copy.deepcopy(log), pickle.loads(pickle.dumps(log))):  # noqa: S301
        fit(twin, epochs=1)
        assert len(read(path)) == 1


def test_a_kill_leaves_whole_lines(path):
    code = (
        "import sys, numpy as np, fastnn as fnn\n"
        "net = fnn.Sequential(fnn.Dense(1))\n"
        "net.fit(np.zeros((4, 2)), np.zeros(4), loss='mse', epochs=10**7,\n"
        "        callbacks=[fnn.CSVLogger(sys.argv[1])])\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(path)])
    deadline = time.monotonic() + 30
    while not (path.exists() and path.stat().st_size > 5000):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    lines = Path(path).read_text().split("\n")
    assert lines[0] == "epoch,loss,lr,seconds"
    assert lines[-1] == ""
    assert [line.split(",")[0] for line in lines[1:-1]] == [
        str(i) for i in range(len(lines) - 2)
    ]
    assert {line.count(",") for line in lines[:-1]} == {3}
