"""What a fit shows: a bar for people, one state of it for files, lines for both."""

import os
import re
import struct
import subprocess
import sys

import numpy as np
import pytest
from tqdm import tqdm

import fastnn as fnn
from fastnn._progress import Progress

X = np.linspace(-1, 1, 40)[:, None]


def fit(**options):
    net = fnn.Sequential(fnn.Dense(4, "tanh"), fnn.Dense(1))
    options = {"loss": "mse", "epochs": 5, **options}
    return net.fit(X, X**2, **options)


def test_silence_is_the_default(capfd):
    fit()
    assert capfd.readouterr() == ("", "")


def test_a_file_gets_the_last_state_of_the_bar_alone(capfd):
    history = fit(verbose=1, validation_split=0.25, metrics=["mae", "r2"])
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("epoch/s") == 1
    assert "5/5" in err
    last = {key: values[-1] for key, values in history.history.items()}
    shown = ["loss", "val_loss", "mae", "val_mae", "r2", "val_r2"]
    assert re.findall(r"(\w+)=", err) == shown
    for key in shown:
        assert f"{key}={last[key]:.4g}" in err
    assert err.endswith("\n")


def test_a_line_an_epoch(capfd):
    history = fit(verbose=2, epochs=10, validation_split=0.25)
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert len(lines) == 10
    assert re.match(r"epoch  1/10  \S+ s  loss \S+  val_loss \S+$", lines[0])
    assert lines[-1].endswith(f"val_loss {history.history['val_loss'][-1]:.4g}")


def test_early_stopping_leaves_the_bar_where_it_was(capfd):
    fit(verbose=1, epochs=50, callbacks=[lambda info: info.epoch == 2])
    assert "3/50" in capfd.readouterr().err


def test_an_exception_leaves_nothing_broken(capfd):
    def fail(info):
        if info.epoch == 1:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fit(verbose=1, callbacks=[fail])
    assert capfd.readouterr().err.endswith("\n")
    assert not tqdm._instances
    fit(verbose=1)
    assert "5/5" in capfd.readouterr().err


def test_below_another_bar_it_goes_when_it_is_done(capfd):
    for _ in tqdm(range(2), desc="outer"):
        fit(verbose=1)
    err = capfd.readouterr().err
    assert "outer: 100%" in err
    assert not tqdm._instances
    assert "5/5" not in err.splitlines()[-1]


def test_whether_it_stays_is_said_in_words_a_notebook_understands():
    """tqdm's bar for notebooks takes leave=None for False."""
    with Progress(3, verbose=1) as alone:
        assert alone._bar.leave is True
        with Progress(3, verbose=1) as below:
            assert below._bar.leave is False


def test_a_program_without_a_console(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert len(fit(verbose=1).epoch) == 5


def test_the_bar_has_room_for_the_first_values_only():
    logs = {f"m{i}": float(i) for i in range(9)}
    with Progress(3, verbose=1) as progress:
        progress.update(logs)
        assert progress._bar.postfix.count("=") == 6


def run_in_terminal(code, columns):
    """Run Python code in a terminal of this width and return what it wrote there."""
    termios, fcntl, pty = map(pytest.importorskip, ("termios", "fcntl", "pty"))
    ours, theirs = pty.openpty()
    size = struct.pack("HHHH", 30, columns, 0, 0)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    os.close(theirs)
    text = b""
    while chunk := _read(ours):
        text += chunk
    os.close(ours)
    assert child.wait(10) == 0
    return text.decode()


def _read(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so when the other side is closed
        return b""


@pytest.mark.parametrize(("verbose", "shown"), [(1, "5/9"), (2, "epoch 5/9")])
def test_a_fit_that_is_completed_goes_on_counting(capfd, verbose, shown):
    with Progress(9, verbose=verbose, done=4) as progress:
        progress.update({"loss": 1.0, "seconds": 0.5})
    assert shown in "".join(capfd.readouterr())


def test_in_a_terminal():
    """A bar that is drawn over within the width there is, and a clean last line."""
    code = (
        "import numpy as np, fastnn as fnn, time\n"
        "X = np.zeros((8, 2))\n"
        "net = fnn.Sequential(fnn.Dense(1))\n"
        "net.fit(X, X[:, 0], loss='mse', epochs=4, verbose=1,\n"
        "        callbacks=[lambda info: time.sleep(0.11)])\n"
        "print('after')"
    )
    text = run_in_terminal(code, 70)
    assert text.endswith("\r\nafter\r\n")
    states = text.removesuffix("\r\nafter\r\n").split("\r")
    assert len(states) >= 4
    assert "| 0/4 [" in states[1]
    assert "| 4/4 [" in states[-1]
    assert "loss=0" in states[-1]
    assert all(len(state) <= 70 for state in states)
