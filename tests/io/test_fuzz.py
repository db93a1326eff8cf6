"""Files that are a few mutations away from valid ones: refused, or as good as any.

A file of a network that is loaded is the network it says; a file of a fit is completed
or says which argument differs.

FASTNN_FUZZ_CASES=20000 runs that many cases instead of the everyday's few hundred, as
``nox -s fuzz`` does; FASTNN_FUZZ_FIRST=4711 begins at that case.
"""

import collections
import json
import math
import os
import time

import numpy as np
import pytest

import fastnn as fnn
from forge import Forgery
from mutate import mutated

CASES = int(os.environ.get("FASTNN_FUZZ_CASES", "400"))
FIRST = int(os.environ.get("FASTNN_FUZZ_FIRST", "0"))
SLOWEST = 5.0  # seconds a file of a few kilobytes may take, on a busy machine

X, y = np.random.default_rng(0).normal(size=(8, 4)), np.arange(8) % 3

TRAINER = {
    "optimizer": "adam",
    "schedule": {"lr": fnn.ReduceOnPlateau(), "momentum": fnn.Linear(1.0, 0.9, 9)},
    "gradient_noise": 0.1,
    "n_threads": 1,
}
FIT = {"X": X, "y": y, "validation_data": (X, y), "batch_size": 4, "epochs": 3}
FITS = [
    {"early_stopping": True, "callbacks": [fnn.EMA(0.5)], "metrics": ["accuracy"]},
    {"callbacks": [fnn.SWA(1)]},
]


@pytest.fixture(scope="module")
def victims(tmp_path_factory):
    """Files of networks with every layer that has tensors, and of fits."""
    path = tmp_path_factory.mktemp("victims") / "net.fnn"
    nets = [
        fnn.Sequential(fnn.Dense(3, "relu"), fnn.BatchNorm(), fnn.Dense(5)),
        fnn.Sequential(
            *(fnn.LayerNorm(), fnn.Dense(5, fnn.ELU(0.5), use_bias=False)),
            *(fnn.Dropout(0.1), fnn.GELU("tanh"), fnn.Dense(3, init="torch")),
            seed=2**64 - 1,
            dtype="float64",
        ).freeze(0, 2),
        fnn.Sequential(fnn.ReLU(), fnn.LeakyReLU(0.3)).build(4),
        fnn.Sequential(
            fnn.Residual(fnn.Dense(3), fnn.Residual(fnn.BatchNorm(), survival=0.5)),
            fnn.Residual(fnn.Tanh(), projection=True),
        ),
    ]
    files = []
    for net in nets:
        if net.in_features is None:
            net.fit(X, y, epochs=2, batch_size=4, loss=fnn.CrossEntropy(0.1))
        net.save(path)
        files.append(path.read_bytes())
    for extra in FITS:
        fnn.Trainer(fnn.Sequential(fnn.Dense(3), fnn.BatchNorm()), **TRAINER).fit(
            **{**FIT, **extra, "epochs": 2}, checkpoint=path
        )
        files.append(path.read_bytes())
    return files


def agrees(given, written):
    """Whether all that was given is written again, and types with it."""
    if isinstance(given, dict):
        return isinstance(written, dict) and all(
            key in written and agrees(value, written[key])
            for key, value in given.items()
        )
    if isinstance(given, list):
        return (
            isinstance(written, list)
            and len(given) == len(written)
            and all(map(agrees, given, written))
        )
    return given == written and isinstance(given, bool) == isinstance(written, bool)


def tensors_of(forgery, prefix=""):
    """Type, shape and bytes by name, wherever they stand in the file."""
    return {
        name.removeprefix(prefix): (
            *(entry["dtype"], entry["shape"]),
            bytes(forgery.data[forgery.tensor(name)]),
        )
        for name, entry in forgery.header.items()
        if name.startswith(prefix)
    }


def check_is_the_network_of(content, net, path):
    """A net that was loaded says all that its file says, and works like any other."""
    path = path.with_name("written.fnn")
    net.save(path)
    given, written = Forgery(content), Forgery(path.read_bytes())
    prefix = "" if given.metadata["kind"] == "network" else "net."
    assert agrees(given.net, written.net)
    assert tensors_of(given, prefix) == tensors_of(written)
    for array in net.state_dict().values():
        assert np.isfinite(array).all()
    if net.in_features < 1000:
        outputs = net.predict(np.zeros((2, net.in_features)))
        assert outputs.shape == (2, net.out_features)
        assert outputs.dtype == net.dtype
        assert outputs[0].tobytes() == outputs[1].tobytes()


def goes_on(trainer, extra):
    """Whether the fit of a file is the one with these arguments, and could go on."""
    try:
        trainer.fit(**FIT, **extra, checkpoint=None)
    except (ValueError, fnn.DivergedError):
        return False
    return True


def completed(path):
    """What becomes of the fit in a file: "completed", or "refused" with a reason."""
    trainer = fnn.Trainer.resume(path)
    found = any(goes_on(trainer, extra) for extra in FITS)
    for array in trainer.net.state_dict().values():
        assert np.isfinite(array).all()
    return "completed" if found else "refused"


def outcome(content, path):
    """The field that is refused, or what was found instead of an error."""
    path.unlink(missing_ok=True)  # faster than emptying it
    path.write_bytes(content)
    try:
        check_is_the_network_of(content, fnn.load(path), path)
        if Forgery(content).metadata["kind"] == "network":
            return "network"
        return completed(path)
    except fnn.ModelFileError as error:
        refused = error
    assert refused.path == str(path)
    assert refused.field
    assert len(str(refused)) < 1000
    str(refused).encode()
    return refused.field


def test_mutated_files(victims, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)  # most of the time of a save
    seen = collections.Counter()
    for case in range(FIRST, FIRST + CASES):
        content = mutated(victims, case)
        began = time.monotonic()
        try:
            seen[outcome(content, tmp_path / "net.fnn")] += 1
        except BaseException as error:
            raise AssertionError(f"case {case}: {error!r}") from error
        assert time.monotonic() - began < SLOWEST, f"case {case}"
    # The mutations reach both ends: valid networks, and checks of every depth.
    assert seen["network"] > CASES // 20, seen
    assert seen["completed"] > CASES // 100, seen
    assert seen["refused"], seen
    assert len(seen) > 4 * math.log(CASES), seen


def test_a_case_is_the_same_every_time(victims):
    assert mutated(victims, 3) == mutated(victims, 3)


def test_the_fuzz_would_notice(victims, tmp_path):
    """A reader that took NaN, or another network, would be caught."""
    path = tmp_path / "net.fnn"
    path.write_bytes(victims[0])
    net = fnn.load(path)
    net.parameters[0] += 1
    with pytest.raises(AssertionError):
        check_is_the_network_of(victims[0], net, path)
    assert not agrees(json.loads('{"seed": true}'), {"seed": 1})
    assert not agrees({"a": [1, 2]}, {"a": [1, 3]})
    assert agrees({"a": [1, {}]}, {"a": [1, {"default": 0}], "b": 2})
