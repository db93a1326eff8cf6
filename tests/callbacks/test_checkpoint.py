"""Checkpoint: which epochs it saves, under which name, and what it refuses."""

import copy
import pickle

import numpy as np
import pytest

import fastnn as fnn

X = np.linspace(-1, 1, 10)[:, None]


@pytest.fixture
def saved(info):
    """Return a function that feeds values to a checkpoint: the epochs it saved."""

    def feed(checkpoint, values, net=None):
        epochs = []
        for epoch, value in enumerate(values):
            told = info(epoch, **{checkpoint.monitor: value})
            told = told if net is None else fnn.EpochInfo(epoch, told.logs, net, None)
            before = checkpoint.saved
            checkpoint.saved = None
            checkpoint(told)
            if checkpoint.saved is not None:
                epochs.append(epoch)
            else:
                checkpoint.saved = before
        return epochs

    return feed


NAN = float("nan")
DECISIONS = [
    # monitor, mode, values, epochs saved
    ("val_loss", "auto", [3.0, 2.0, 2.0, 2.5, 1.0], [0, 1, 4]),
    ("loss", "min", [3.0, 2.0, 1.0], [0, 1, 2]),
    ("loss", "max", [3.0, 2.0, 4.0], [0, 2]),
    ("accuracy", "auto", [0.5, 0.4, 0.6], [0, 2]),
    ("val_auc", "auto", [0.5, 0.5, 0.6], [0, 2]),
    ("val_r2", "auto", [-5.0, -6.0, 0.0], [0, 2]),
    ("val_mae", "auto", [3.0, 4.0, 2.0], [0, 2]),
    ("val_loss", "auto", [NAN, 3.0, NAN, 2.0], [1, 3]),
    ("val_loss", "auto", [NAN, NAN], []),
    ("val_loss", "auto", [float("inf"), 1.0], [0, 1]),
]


@pytest.mark.parametrize(("monitor", "mode", "values", "epochs"), DECISIONS)
def test_which_epochs_are_saved(saved, tmp_path, monitor, mode, values, epochs):
    checkpoint = fnn.Checkpoint(tmp_path / "net.fnn", monitor, mode)
    assert saved(checkpoint, values) == epochs
    finite = [v for v in values if not np.isnan(v)]
    pick = max if mode == "max" or monitor in ("accuracy", "val_auc", "val_r2") else min
    assert checkpoint.best == (pick(finite) if finite else None)


def test_every_epoch(saved, tmp_path):
    checkpoint = fnn.Checkpoint(tmp_path / "net.fnn", save_best_only=False)
    assert saved(checkpoint, [1.0, NAN, 3.0]) == [0, 1, 2]
    assert checkpoint.best is None


def test_the_file_holds_the_network_of_the_best_epoch(fit, tmp_path):
    net = fnn.Sequential(fnn.Dense(8, "tanh"), fnn.Dense(1))
    predictions = []
    checkpoint = fnn.Checkpoint(tmp_path / "net.fnn")
    history = fit(
        checkpoint,
        lambda info: predictions.append(info.net.predict(X)),
        net=net,
        epochs=30,
        optimizer=fnn.SGD(lr=0.3, momentum=0.95),  # swings about the minimum
    )
    best = int(np.argmin(history.history["val_loss"]))
    assert 0 < best < 29, "otherwise this shows nothing"
    assert checkpoint.best == history.history["val_loss"][best]
    loaded = fnn.load(checkpoint.saved)
    np.testing.assert_array_equal(loaded.predict(X), predictions[best])


def test_names_with_fields(fit, tmp_path):
    pattern = tmp_path / "{{net}}-{epoch:03d}-{val_loss:.3f}.fnn"
    history = fit(fnn.Checkpoint(pattern, save_best_only=False), epochs=3)
    expected = {
        f"{{net}}-{i:03d}-{v:.3f}.fnn"
        for i, v in enumerate(history.history["val_loss"])
    }
    assert {path.name for path in tmp_path.iterdir()} == expected


def test_best_is_remembered_for_one_network_and_not_for_the_next(saved, tmp_path):
    first, second = (fnn.Sequential(fnn.Dense(1)).build(1) for _ in range(2))
    checkpoint = fnn.Checkpoint(tmp_path / "net.fnn")
    assert saved(checkpoint, [2.0, 1.0], first) == [0, 1]
    assert saved(checkpoint, [1.5, 0.5], first) == [1], "a worse one replaces no file"
    assert saved(checkpoint, [9.0, 8.0], second) == [0, 1]


def test_two_fits_one_after_the_other(fit, tmp_path):
    checkpoint = fnn.Checkpoint(tmp_path / "net.fnn")
    for _ in range(2):
        fit(checkpoint)
        assert checkpoint.saved == str(tmp_path / "net.fnn")


REFUSED_BY_FIT = [
    (
        {"path": "net.fnn"},
        {"validation_split": 0.0},
        "no validation.*watch 'loss'",
    ),
    ({"path": "net.fnn", "monitor": "val_mae"}, {}, r"add metrics=\('mae',\)"),
    ({"path": "net.fnn", "monitor": "los"}, {}, "did you mean 'loss'"),
    ({"path": "{val_los}.fnn"}, {}, "field 'val_los'.*did you mean 'val_loss'"),
    ({"path": "{val_mae}.fnn"}, {}, "field 'val_mae', which is no value of this fit"),
    ({"path": "{loss:03d}.fnn"}, {}, "cannot be filled in: Unknown format code 'd'"),
    ({"path": "{epoch:{x}}.fnn"}, {}, "cannot be filled in: 'x'"),
]


@pytest.mark.parametrize(("arguments", "options", "message"), REFUSED_BY_FIT)
def test_what_a_fit_cannot_give_is_told_before_it(
    fit, tmp_path, monkeypatch, arguments, options, message
):
    monkeypatch.chdir(tmp_path)
    calls = []
    with pytest.raises(ValueError, match=f"Checkpoint: .*{message}"):
        fit(fnn.Checkpoint(**arguments), calls.append, **options)
    assert calls == []
    assert list(tmp_path.iterdir()) == []


def test_without_monitor_no_validation_is_needed(fit, tmp_path):
    path = tmp_path / "{loss:.2f}-{lr}-{seconds}.fnn"
    fit(fnn.Checkpoint(path, save_best_only=False), validation_split=0.0, epochs=1)
    assert len(list(tmp_path.iterdir())) == 1


def test_bad_targets_are_told_before_the_training(fit, tmp_path):
    calls = []
    for target, error in [
        (tmp_path / "no" / "net.fnn", FileNotFoundError),
        (tmp_path / "no" / "{epoch}.fnn", FileNotFoundError),
        (tmp_path, IsADirectoryError),
    ]:
        with pytest.raises(error):
            fit(fnn.Checkpoint(target), calls.append)
    assert calls == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"path": 3}, TypeError, "path must be a string or an os.PathLike.*int 3"),
        ({"path": ""}, ValueError, "path must name a file"),
        ({"path": "{"}, ValueError, "write a brace that is meant as one twice"),
        ({"path": "{}"}, ValueError, "has the field ''"),
        ({"path": "{0}"}, ValueError, "has the field '0'"),
        ({"path": "{loss.real}"}, ValueError, "has the field 'loss.real'"),
        ({"path": "{loss[0]}"}, ValueError, r"has the field 'loss\[0\]'"),
        ({"path": "x", "monitor": 1}, TypeError, "monitor must be a string, got int"),
        (
            {"path": "x", "mode": "up"},
            ValueError,
            "mode must be 'auto', 'min' or 'max'",
        ),
        ({"path": "x", "save_best_only": 1}, TypeError, "save_best_only must be True"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=f"Checkpoint: .*{message}"):
        fnn.Checkpoint(**arguments)


def test_repr_and_copies(fit, tmp_path):
    checkpoint = fnn.Checkpoint(tmp_path / "net.fnn", "loss", "min")
    assert repr(checkpoint) == (
        f"Checkpoint({str(tmp_path / 'net.fnn')!r}, monitor='loss', mode='min', "
        "save_best_only=True)"
    )
    fit(checkpoint)
    for twin in (copy.deepcopy(checkpoint), pickle.loads(pickle.dumps(checkpoint))):  # noqa: S301
        assert repr(twin) == repr(checkpoint)
        fit(twin)


def test_a_failing_save_leaves_the_network_as_after_the_epoch(
    fit, tmp_path, monkeypatch
):
    net = fnn.Sequential(fnn.Dense(1))
    monkeypatch.setattr(fnn.Sequential, "save", _no_space)
    with pytest.raises(OSError, match="No space left"):
        fit(fnn.Checkpoint(tmp_path / "net.fnn"), net=net)
    assert net.n_parameters == 2
    monkeypatch.undo()
    fit(net=net)


def _no_space(*_):
    raise OSError(28, "No space left on device")
