"""Ctrl-C: back within half a second, with the weights of the last finished step."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from engine import interrupted

# At least so many seconds into the run: the import is over then.
MOMENTS = {"small": 0.05, "validation": 0.3}
CHILD = Path(interrupted.__file__)
EVERYDAY = {"small", "large", "full batch", "callback", "validation", "ema"}


def _cases(names):
    """Return the cases, of which all but a few are thorough: each takes a second."""
    return [
        name if name in EVERYDAY else pytest.param(name, marks=pytest.mark.thorough)
        for name in names
    ]


def _interrupt(name, seconds, call="fit"):
    command = [sys.executable, str(CHILD), name, str(seconds), call]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _replayed(name, steps):
    """Return the digest after so many steps of the same run, all of them finished."""
    net, X, y, options = interrupted.build(name)
    batches = math.ceil(len(X) / options.get("batch_size", 128))
    epochs, rest = divmod(steps, batches)
    if rest:  # stop inside of an epoch: count steps by a schedule that stops learning
        return None
    if epochs:
        keep = ["batch_size", "clip_norm", "loss"]
        if name == "ema":  # which holds averages, where SWA holds the weights
            keep.append("callbacks")
        options = {k: v for k, v in options.items() if k in keep}
        net.fit(X, y, epochs=epochs, **options)
    return interrupted.digest(net)


@pytest.mark.parametrize("name", _cases(interrupted.CASES))
def test_fit(name):
    report = _interrupt(name, MOMENTS.get(name, 0.15))
    assert report["seconds"] < 0.5
    assert report["finite"]
    if name != "callback":
        assert all(math.isfinite(loss) for loss in report["after"])


# One step an epoch: every number of steps is a number of epochs.
@pytest.mark.parametrize(
    "name",
    _cases(
        [
            "one step an epoch",
            "all updates",
            "full batch",
            "validation",
            "ema",
            "swa",
            "custom loss",
        ]
    ),
)
def test_the_weights_are_those_of_a_finished_step(name):
    report = _interrupt(name, 0.25)
    assert (report["first"] != report["last"]) == (report["steps"] > 0)
    assert report["last"] == _replayed(name, report["steps"])


@pytest.mark.parametrize("name", ["one step an epoch", "full batch"])
def test_steps(name):
    report = _interrupt(name, 0.2, "step")
    assert report["seconds"] < 0.5
    net, X, y, _ = interrupted.build(name)
    trainer = interrupted.fnn.Trainer(net)
    for _ in range(report["steps"]):
        trainer.step(X, y)
    assert interrupted.digest(net) == report["last"]
