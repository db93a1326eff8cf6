"""TensorBoard: its event files, read back; where they end; what it needs."""

import copy
import importlib
import pickle
import struct
import warnings

import numpy as np
import pytest

import fastnn as fnn
from fastnn.callbacks import tensorboard

pytest.importorskip("tensorboardX")


def events(folder):
    """Return the scalars in the event files of a run: {tag: [(step, value)]}."""
    from tensorboardX.proto import event_pb2

    found = {}
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            event = event_pb2.Event.FromString(content[12 : 12 + length])
            content = content[16 + length :]
            for value in event.summary.value:
                points = found.setdefault(value.tag, [])
                points.append((event.step, value.simple_value))
    return found


def test_a_loss_and_its_twin_share_a_chart(fit, tmp_path):
    history = fit(fnn.TensorBoard(tmp_path / "logs"), metrics=["mae"])
    train, validation = (events(tmp_path / "logs" / r) for r in ("train", "validation"))
    assert set(train) == {"loss", "mae", "lr", "seconds"}
    assert set(validation) == {"loss", "mae"}
    for run, prefix in ((train, ""), (validation, "val_")):
        steps, values = zip(*run["loss"], strict=True)
        assert list(steps) == history.epoch
        np.testing.assert_allclose(values, history.history[f"{prefix}loss"], rtol=1e-6)


def test_the_next_fit_goes_on(fit, tmp_path):
    board = fnn.TensorBoard(tmp_path)
    fit(board, validation_split=0.0)
    fit(board.__call__, validation_split=0.0)  # inside another, nobody enters it
    board.__exit__()
    assert not (tmp_path / "validation").exists()
    steps = [step for step, _ in events(tmp_path / "train")["loss"]]
    assert sorted(steps) == [*range(8)]


@pytest.mark.parametrize("end", ["well", "by an exception"])
def test_the_files_are_closed_when_the_fit_ends(fit, tmp_path, end):
    def fail(info):
        if info.epoch == 2:
            raise RuntimeError("mine")

    board = fnn.TensorBoard(tmp_path)
    if end == "well":
        fit(board)
    else:
        with pytest.raises(RuntimeError, match="mine"):
            fit(board, fail)
    assert board._writers == {}


def test_an_unusable_folder_is_told_before_the_training(fit, tmp_path):
    (tmp_path / "file").touch()
    calls = []
    with pytest.raises(OSError, match="file"):
        fit(fnn.TensorBoard(tmp_path / "file" / "logs"), calls.append)
    assert calls == []


def test_copies(fit, tmp_path):
    board = fnn.TensorBoard(tmp_path)
    with board:
        assert repr(copy.deepcopy(board)) == f"TensorBoard({str(tmp_path)!r})"
        fit(pickle.loads(pickle.dumps(board)))  # noqa: S301


@pytest.mark.parametrize("log_dir", [None, 3, b"logs"])
def test_bad_arguments(log_dir):
    with pytest.raises(TypeError, match="TensorBoard: log_dir must be a string"):
        fnn.TensorBoard(log_dir)


def _without(monkeypatch, *missing):
    real = importlib.import_module

    def choose(name):
        if name.startswith(missing):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name)

    monkeypatch.setattr(tensorboard.importlib, "import_module", choose)


def test_without_packages_it_is_told_what_to_install(monkeypatch):
    _without(monkeypatch, "tensorboardX", "torch")
    with pytest.raises(ImportError, match=r"'fastnn\[tensorboard\]'"):
        fnn.TensorBoard()


def test_the_writer_of_torch_serves_as_well(fit, tmp_path, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("torch.utils.tensorboard", exc_type=ImportError)
    _without(monkeypatch, "tensorboardX")
    history = fit(fnn.TensorBoard(tmp_path))
    steps = [step for step, _ in events(tmp_path / "train")["loss"]]
    assert steps == history.epoch
