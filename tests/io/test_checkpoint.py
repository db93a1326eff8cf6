"""Checkpoints: what completes a fit and what does not, and files nobody wrote."""

import copy
import os
import pickle

import numpy as np
import pytest
import safetensors.numpy

import fastnn as fnn
from fastnn._plain import to_plain
from fastnn.io import checkpoint as module
from fastnn.io.container import read_container, write_container


@pytest.fixture
def data(rng):
    return rng.normal(size=(60, 4)), rng.integers(0, 3, 60)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.fnn"


def _trainer(**options):
    options = {"optimizer": fnn.Adam(0.01), **options}
    net = fnn.Sequential(fnn.Dense(7), fnn.BatchNorm(), fnn.Tanh(), fnn.Dense(3))
    return fnn.Trainer(net, **options)


def _bits(net):
    return {name: array.tobytes() for name, array in net.state_dict().items()}


class _CrashError(Exception):
    """Ends a fit."""


def _crash(info):
    if info.epoch == 3:
        raise _CrashError


ARGUMENTS = {
    "epochs": 8,
    "batch_size": 16,
    "metrics": ["accuracy"],
    "early_stopping": fnn.EarlyStopping(patience=7),
    "callbacks": [fnn.EMA(0.9)],
}


@pytest.fixture
def interrupted(data, path):
    """The file of a fit that has three of its epochs done, and the rows it saw."""
    X, y = data
    with pytest.raises(_CrashError):
        _trainer().fit(
            X[:50],
            y[:50],
            validation_data=(X[50:], y[50:]),
            checkpoint=path,
            **{**ARGUMENTS, "callbacks": [fnn.EMA(0.9), _crash]},
        )
    return path, X, y


def _complete(interrupted, **other):
    path, X, y = interrupted
    arguments = {
        "X": X[:50],
        "y": y[:50],
        "validation_data": (X[50:], y[50:]),
        **ARGUMENTS,
        **other,
    }
    trainer = fnn.Trainer.resume(path)
    return trainer, trainer.fit(**arguments)


# -- other arguments -------------------------------------------------------------------

OTHERS = {
    "batch_size": ({"batch_size": 17}, "batch_size: .* has 16, got 17"),
    "shuffle": ({"shuffle": False}, "shuffle: .* has True, got False"),
    "metrics": ({"metrics": ()}, r"metrics: .* has \['accuracy'\], got \[\]"),
    "early_stopping": (
        {"early_stopping": fnn.EarlyStopping(patience=8)},
        "early_stopping: .*patience=7.*patience=8",
    ),
    "none": ({"early_stopping": None}, "early_stopping: .*, got None"),
    "decay": ({"callbacks": [fnn.EMA()]}, "callbacks: .*decay=0.9.*decay=0.999"),
    "no average": ({"callbacks": ()}, "callbacks: .*decay=0.9.*, got None"),
    "no validation": (
        {"validation_data": None, "early_stopping": None, "validation_split": 0.2},
        "validation_split: .* has 0.0, got 0.2",
    ),
    "epochs": ({"epochs": 2}, "epochs: .* has 3 done, got 2"),
    "sample_weight": (
        {"sample_weight": np.ones(50)},
        r"sample_weight: .* has none, got shape \(50,\)",
    ),
    "class_weight": ({"class_weight": "balanced"}, "class_weight: .* has none, got"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_arguments_are_errors(interrupted, name):
    other, said = OTHERS[name]
    content = interrupted[0].read_bytes()
    with pytest.raises(ValueError, match=said):
        _complete(interrupted, **other)
    assert interrupted[0].read_bytes() == content


def test_other_data_are_errors(interrupted):
    _, X, y = interrupted
    touched, labels = X.copy(), y.copy()
    touched[17, 2] = np.nextafter(np.float32(touched[17, 2]), np.float32(9))
    labels[4] = (labels[4] + 1) % 3
    touched[55, 0] += 1
    cases = {
        r"^X: .* has shape \(50, 4\), got that shape with other numbers": {
            "X": touched[:50]
        },
        r"^X: .* has shape \(50, 4\), got shape \(49, 4\)": {"X": X[:49], "y": y[:49]},
        r"^y: .*other numbers": {"y": labels[:50]},
        r"^validation_data\[0\]: .*other numbers": {
            "validation_data": (touched[50:], y[50:])
        },
        r"^validation_data\[2\]: .* has none": {
            "validation_data": (X[50:], y[50:], np.ones(10))
        },
    }
    for said, other in cases.items():
        with pytest.raises(ValueError, match=said):
            _complete(interrupted, **other)
    # the layout and the container of the same numbers do not matter
    trainer, _ = _complete(interrupted, X=np.asfortranarray(X[:50]), y=y[:50].tolist())
    assert trainer.net.n_parameters > 0


def test_sparse_rows_are_told_apart_as_well(data, path):
    sparse = pytest.importorskip("scipy.sparse")
    X, y = data
    X = X * (np.abs(X) > 0.5)
    net = fnn.Sequential(fnn.Dense(3))
    with pytest.raises(_CrashError):
        fnn.Trainer(net).fit(
            sparse.csr_array(X), y, epochs=6, callbacks=[_crash], checkpoint=path
        )
    moved = X.copy()
    moved[7] = np.roll(moved[7], 1)  # the same numbers elsewhere
    trainer = fnn.Trainer.resume(path)
    with pytest.raises(ValueError, match=r"^X: .*other numbers"):
        trainer.fit(sparse.csr_array(moved), y, epochs=6)
    trainer.fit(sparse.csc_array(X), y, epochs=6)
    whole = fnn.Sequential(fnn.Dense(3))
    fnn.Trainer(whole).fit(sparse.csr_array(X), y, epochs=6)
    assert _bits(trainer.net) == _bits(whole)


def test_an_error_leaves_the_trainer_ready_to_complete(interrupted):
    path, X, y = interrupted
    trainer = fnn.Trainer.resume(path)
    before = _bits(trainer.net)
    arguments = {**ARGUMENTS, "validation_data": (X[50:], y[50:])}
    with pytest.raises(ValueError, match="batch_size"):
        trainer.fit(X[:50], y[:50], **{**arguments, "batch_size": 3})
    with pytest.raises(ValueError, match="step: this trainer has a fit to complete"):
        trainer.step(X, y)
    assert _bits(trainer.net) == before
    assert len(trainer.fit(X[:50], y[:50], **arguments).epoch) == 8
    trainer.step(X, y)


def test_the_start_of_swa_may_not_move(data, path):
    _trainer().fit(*data, epochs=4, callbacks=[fnn.SWA(0.5)], checkpoint=path)
    with pytest.raises(ValueError, match=r"epochs: .* has 4, got 5"):
        fnn.Trainer.resume(path).fit(*data, epochs=5, callbacks=[fnn.SWA(0.5)])


# -- where to write --------------------------------------------------------------------


def test_unusable_paths_are_told_before_the_training(data, tmp_path):
    for path, error, said in (
        (tmp_path / "no" / "run.fnn", FileNotFoundError, "no such folder"),
        (tmp_path, IsADirectoryError, "name a file in it"),
        (17, TypeError, "checkpoint must be a string .*, got int 17"),
        (True, TypeError, "checkpoint must be a string .*, got bool True"),
        ("", ValueError, "checkpoint must name a file"),
    ):
        trainer = _trainer()
        with pytest.raises(error, match=said):
            trainer.fit(*data, checkpoint=path)
        assert trainer.net.in_features is None
    with pytest.raises(ValueError, match="checkpoint_every must be >= 1, got 0"):
        _trainer().fit(*data, checkpoint=tmp_path / "a.fnn", checkpoint_every=0)


def test_a_resumed_fit_writes_where_it_is_told(interrupted, tmp_path):
    path, _, _ = interrupted
    content = path.read_bytes()
    _complete(interrupted, checkpoint=False)
    assert path.read_bytes() == content
    other = tmp_path / "other.fnn"
    trainer, _ = _complete(interrupted, checkpoint=other)
    assert path.read_bytes() == content
    assert _bits(fnn.load(other)) == _bits(trainer.net)
    _complete(interrupted)
    assert path.read_bytes() != content
    # of a finished fit to yet another file
    third = tmp_path / "third.fnn"
    _complete(interrupted, checkpoint=os.fspath(third))
    assert _bits(fnn.load(third)) == _bits(trainer.net)


def test_a_full_disk_ends_the_fit_and_leaves_the_old_file(interrupted, monkeypatch):
    content = interrupted[0].read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fastnn.io.atomic._fill", full)
    with pytest.raises(OSError, match="No space left"):
        _complete(interrupted)
    assert interrupted[0].read_bytes() == content


def test_a_loss_of_ones_own_cannot_be_kept(data, path):
    class Mine(fnn.CrossEntropy):
        pass

    with pytest.raises(ValueError, match=r"checkpoint: the loss .* is your own"):
        _trainer(loss=Mine()).fit(*data, checkpoint=path)
    assert not path.exists()


def test_a_network_file_is_no_checkpoint(data, path):
    trainer = _trainer()
    trainer.fit(*data, epochs=1)
    trainer.net.save(path)
    with pytest.raises(fnn.ModelFileError, match="must be 'trainer' here"):
        fnn.Trainer.resume(path)
    with pytest.raises(FileNotFoundError):
        fnn.Trainer.resume(path.with_name("none.fnn"))


# -- the network in it -----------------------------------------------------------------


def test_load_gives_what_the_fit_would_hand_out(interrupted):
    path, X, y = interrupted
    states = []
    look = lambda info: states.append(_bits(info.net))  # noqa: E731
    arguments = {**ARGUMENTS, "callbacks": [fnn.EMA(0.9), look]}
    _trainer().fit(X[:50], y[:50], validation_data=(X[50:], y[50:]), **arguments)
    net = fnn.load(path)
    assert _bits(net) == states[2]  # the averages
    assert _bits(fnn.Trainer.resume(path).net) == states[2]
    assert net.predict_proba(X).shape == (60, 3)
    trainer, history = _complete(interrupted)
    assert _bits(fnn.load(path)) == _bits(trainer.net) == states[history.best_epoch]


def test_other_programs_read_the_network(interrupted):
    path = interrupted[0]
    tensors = safetensors.numpy.load_file(path)
    for name, array in fnn.load(path).state_dict().items():
        np.testing.assert_array_equal(tensors[f"net.{name}"], array)


# -- copies of a trainer ---------------------------------------------------------------


@pytest.mark.parametrize(
    "twin_of",
    [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))],  # noqa: S301
    ids=["deepcopy", "pickle"],
)
def test_a_trainer_that_has_begun_can_be_copied(data, twin_of):
    schedule = fnn.ReduceOnPlateau("loss", patience=0, factor=0.5, threshold=0.9)
    trainer = _trainer(optimizer=fnn.NAdam(0.05), schedule=schedule, n_threads=1)
    fresh = twin_of(trainer)
    trainer.fit(*data, epochs=6)
    trainer.step(*data)
    twin = twin_of(trainer)
    before = _bits(trainer.net)
    lr = [t.fit(*data, epochs=3).history["lr"] for t in (trainer, twin, fresh)]
    assert lr[0] == lr[1] != lr[2]
    assert trainer.step(*data) == twin.step(*data)
    assert _bits(trainer.net) == _bits(twin.net) != before


def test_a_trainer_with_a_fit_to_complete_can_be_copied(interrupted):
    path, X, y = interrupted
    trainer = fnn.Trainer.resume(path)
    twin = copy.deepcopy(trainer)
    for one in (trainer, twin):
        one.fit(
            X[:50],
            y[:50],
            validation_data=(X[50:], y[50:]),
            checkpoint=False,
            **ARGUMENTS,
        )
    assert _bits(trainer.net) == _bits(twin.net)


# -- files that nobody wrote -----------------------------------------------------------


def _set(*keys, value):
    def change(config, _):
        place = config
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


def _tensor(name, index, value):
    def change(_, tensors):
        tensors[name] = tensors[name].copy()
        tensors[name][index] = value

    return change


def _drop(*keys):
    def change(config, _):
        place = config
        for key in keys[:-1]:
            place = place[key]
        del place[keys[-1]]

    return change


FLIP = to_plain(fnn.augment.Flip())

# name: (change of config and tensors, field that the error names)
HOSTILE = {
    "no state": (_drop("state"), "config.state"),
    "no fit": (_drop("fit"), "config.fit"),
    "extra": (_set("more", value=1), "config.more"),
    "state is a list": (_set("state", value=[]), "config.state"),
    "negative epoch": (_set("state", "epoch", value=-1), "config.state.epoch"),
    "epoch of nothing": (_set("state", "epoch", value=0), "config.state.epoch"),
    "float epoch": (_set("state", "epoch", value=3.0), "config.state.epoch"),
    "true epoch": (_set("state", "epoch", value=True), "config.state.epoch"),
    "huge epoch": (_set("state", "epoch", value=2**61), "config.state.epoch"),
    "epoch beyond": (_set("state", "epoch", value=9), "config.state.epoch"),
    "other epoch": (_set("state", "epoch", value=4), "curves"),
    "steps": (_set("state", "steps", value="12"), "config.state.steps"),
    "stop": (_set("state", "stop", value="diverged"), "config.state.stop"),
    "stop is a list": (_set("state", "stop", value=["epochs"]), "config.state.stop"),
    "best epoch": (_set("state", "best_epoch", value=3), "config.state.best_epoch"),
    "no best epoch": (_set("state", "best_epoch", value=-1), "config.state.has_best"),
    "best": (_set("state", "has_best", value=False), "config.state.has_best"),
    "best is 1": (_set("state", "has_best", value=1), "config.state.has_best"),
    "count": (_set("state", "average_count", value=-1), "config.state.average_count"),
    "net is": (_set("state", "net_is", value="own"), "config.state.net_is"),
    "net is a list": (_set("state", "net_is", value=["run"]), "config.state.net_is"),
    "net is run": (_set("state", "net_is", value="run"), "run.counters"),
    "waited": (_set("state", "waited", value=-1), "config.state.waited"),
    "trainer": (_set("trainer", value=3), "config.trainer"),
    "loss": (
        _set("trainer", "loss", value={"kind": "os.system"}),
        "config.trainer.loss",
    ),
    "optimizer": (
        _set("trainer", "optimizer", value={"kind": "dense", "units": 3}),
        "config.trainer.optimizer",
    ),
    "other optimizer": (
        _set("trainer", "optimizer", "kind", value="adamw"),
        "config.trainer.optimizer",
    ),
    "lr": (_set("trainer", "optimizer", "lr", value=-1.0), "config.trainer.optimizer"),
    "amsgrad": (
        _set("trainer", "optimizer", "amsgrad", value=True),
        "config.state.slots",
    ),
    "slots": (_set("state", "slots", value=3), "config.state.slots"),
    "sgd": (_set("trainer", "optimizer", value=to_plain(fnn.SGD())), "config.state"),
    "schedule": (_set("trainer", "schedule", value="x"), "config.trainer.schedule"),
    "schedule of p": (
        _set("trainer", "schedule", value={"p": {"kind": "cosine", "total": 3}}),
        "config.trainer.schedule.p",
    ),
    "schedules of names": (
        _set("trainer", "schedule", value={"dropout": "cosine"}),
        "config.trainer.schedule.dropout",
    ),
    "a schedule of a layer": (
        _set("trainer", "schedule", value={"lr": {"kind": "dense", "units": 3}}),
        "config.trainer.schedule.lr",
    ),
    "a plateau of momentum": (
        _set(
            "trainer", "schedule", value={"momentum": to_plain(fnn.ReduceOnPlateau())}
        ),
        "config.trainer.schedule",
    ),
    "a schedule more": (
        _set("trainer", "schedule", value={"momentum": to_plain(fnn.Cosine(3))}),
        "curves",
    ),
    "noise": (
        _set("trainer", "gradient_noise", value=0.1),
        "config.trainer.gradient_noise",
    ),
    "noise is null": (
        _set("trainer", "gradient_noise", value=None),
        "config.trainer.gradient_noise",
    ),
    "negative noise": (
        _set(
            *("trainer", "gradient_noise"),
            value={"kind": "gradient_noise", "eta": -1.0, "gamma": 0.5},
        ),
        "config.trainer.gradient_noise",
    ),
    "frozen": (_set("net", "frozen", value=[4]), "config.net.frozen"),
    "l1": (_set("trainer", "l1", value=-1.0), "config.trainer.l1"),
    "l2": (_set("trainer", "l2", value=None), "config.trainer.l2"),
    "clip_norm": (_set("trainer", "clip_norm", value=[1]), "config.trainer.clip_norm"),
    "clip_value": (_set("trainer", "clip_value", value=0), "config.trainer.clip_value"),
    "batch_size": (_set("fit", "batch_size", value=0), "config.fit"),
    "shuffle": (_set("fit", "shuffle", value=1), "config.fit"),
    "metrics": (_set("fit", "metrics", value=["r2"]), "config.fit"),
    "metrics is a name": (_set("fit", "metrics", value="accuracy"), "config.fit"),
    "no metrics": (_set("fit", "metrics", value=[]), "curves"),
    "split": (_set("fit", "validation_split", value=0.5), "config.fit"),
    "stopping": (_set("fit", "early_stopping", value=True), "config.fit"),
    "averaging": (
        _set("fit", "averaging", value={"kind": "cosine"}),
        "config.fit",
    ),
    "swa": (
        _set("fit", "averaging", value={"kind": "swa", "start": 1, "schedule": None}),
        "config",
    ),
    "no averaging": (_set("fit", "averaging", value=None), "config.state"),
    "no augment": (_drop("fit", "augment"), "config.fit.augment"),
    "augment": (_set("fit", "augment", value=None), "config.fit.augment"),
    "augment is no list": (_set("fit", "augment", value={}), "config.fit.augment"),
    "augment by another": (
        _set("fit", "augment", value=[{"kind": "dropout", "p": 0.5}]),
        "config.fit.augment[0].kind",
    ),
    "mixup": (
        _set("fit", "augment", value=[{"kind": "mixup", "alpha": -1.0}]),
        "config.fit.augment[0]",
    ),
    "two mixups": (
        _set("fit", "augment", value=2 * [{"kind": "mixup", "alpha": 1.0}]),
        "config.fit",
    ),
    "huge pictures": (
        _set("fit", "augment", value=[FLIP | {"shape": [2**62, 2**62]}]),
        "config.fit.augment[0]",
    ),
    "data": (_set("data", "X", value=None), "config.data.X"),
    "shape": (_set("data", "X", "shape", value=[-1, 4]), "config.data.X"),
    "crc": (_set("data", "y", "crc32", value=2**32), "config.data.y"),
    "in_features": (_set("net", "in_features", value=5), "net.0.weight"),
    "units": (_set("net", "layers", 0, "units", value=10**15), "config"),
    "nan loss": (_tensor("numbers", 0, np.nan), "numbers"),
    "infinite loss": (_tensor("numbers", 0, np.inf), "numbers"),
    "nan lr": (_tensor("numbers", 2, np.nan), "numbers"),
    "nan best": (_tensor("numbers", 3, np.nan), "numbers"),
    "negative lr": (_tensor("numbers", 4, -0.1), "numbers"),
    "nan weights": (_tensor("run.parameters", 3, np.nan), "run.parameters"),
    "inf in net": (_tensor("net.0.weight", (0, 0), np.inf), "net.0.weight"),
    "negative variance": (_tensor("net.1.running_var", 0, -1), "running_var"),
    "negative variance in run": (_tensor("run.statistics", 9, -1), "run.statistics"),
    "negative counter": (_tensor("run.counters", 0, -1), "run.counters"),
    "negative variance in best": (_tensor("best.statistics", 9, -1), "best.statistics"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(interrupted, name):
    path = interrupted[0]
    change, field = HOSTILE[name]
    kind, config, tensors = read_container(
        path, ("trainer",), module._expected, may_be_nan=module._MAY_BE_NAN
    )
    change(config, tensors)
    everything = tuple(tensors)
    write_container(path, kind, config, tensors, may_be_nan=everything)
    with pytest.raises(fnn.ModelFileError) as caught:
        fnn.Trainer.resume(path)
    assert caught.value.path == os.fspath(path)
    assert field in caught.value.field or field in caught.value.problem


def test_files_cut_or_changed_anywhere(interrupted, rng):
    """Every byte counts: another one, or none, is an error and nothing else."""
    path = interrupted[0]
    content = path.read_bytes()
    for at in rng.integers(0, len(content), 150):
        cut = content[:at]
        changed = bytearray(content)
        changed[at] ^= 1 << rng.integers(8)
        for broken in (cut, bytes(changed)):
            path.write_bytes(broken)
            with pytest.raises(fnn.ModelFileError):
                fnn.Trainer.resume(path)


@pytest.mark.parametrize(
    "rule",
    [
        *(fnn.SGD(0.01, momentum=0.9), fnn.Adagrad(), fnn.RMSprop(momentum=0.5)),
        *(fnn.Adadelta(), fnn.AdamW(amsgrad=True), fnn.Adamax(), fnn.NAdam()),
        *(fnn.RAdam(), fnn.Rprop(), fnn.ASGD(), fnn.Lion()),
    ],
    ids=lambda rule: rule.kind,
)
def test_every_optimizer_goes_on(data, path, rule):
    with pytest.raises(_CrashError):
        _trainer(optimizer=rule).fit(
            *data, epochs=6, callbacks=[_crash], checkpoint=path
        )
    trainer, whole = fnn.Trainer.resume(path), _trainer(optimizer=rule)
    histories = [t.fit(*data, epochs=6) for t in (trainer, whole)]
    assert histories[0].history["loss"] == histories[1].history["loss"]
    assert _bits(trainer.net) == _bits(whole.net)
