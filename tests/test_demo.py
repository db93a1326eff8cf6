"""The demo: its data, its contender, how well it learns and what it leaves behind."""

import dataclasses
import importlib.util

import numpy as np
import pytest

import fastnn as fnn
from fastnn import demo
from fastnn.demo.experiment import train
from fastnn.demo.tasks import TASKS, split
from fastnn.demo.twin import numpy_twin


@pytest.mark.parametrize(
    ("name", "least"),
    [("digits", 0.97), pytest.param("mnist", 0.94, marks=pytest.mark.thorough)],
)
def test_it_learns(name, least):
    task = TASKS[name]
    parts = split(*task.load(), seed=0)
    result = train(task, task.network(seed=0), parts)
    assert result.scores["test"]["accuracy"] >= least
    assert result.history.stop_reason == "early_stopping"
    val_loss = result.history.history["val_loss"]
    assert result.history.best_epoch == int(np.argmin(val_loss))
    assert result.scores["validation"]["loss"] == pytest.approx(min(val_loss), rel=1e-5)


@pytest.fixture
def images(rng):
    """Classes of 50, 100 and 150 rows, each row different from all others."""
    y = np.repeat([0, 1, 2], [50, 100, 150])
    return rng.normal(loc=5.0, scale=3.0, size=(300, 4)).astype(np.float32), y


def test_split_takes_its_share_of_each_class(images):
    parts = split(*images, seed=0)
    assert np.bincount(parts.test[1]).tolist() == [10, 20, 30]
    assert np.bincount(parts.validation[1]).tolist() == [5, 10, 15]
    assert np.bincount(parts.train[1]).tolist() == [35, 70, 105]
    everything = np.concatenate([parts.train[0], parts.validation[0], parts.test[0]])
    assert len(np.unique(everything, axis=0)) == 300


def test_split_standardises_by_the_training_rows(images):
    X, y = images
    parts = split(X, y, seed=0)
    assert parts.train[0].dtype == np.float32
    np.testing.assert_allclose(parts.train[0].mean(axis=0), 0, atol=1e-5)
    assert parts.train[0].std() == pytest.approx(1, rel=1e-5)
    assert abs(parts.test[0].mean(axis=0)).max() > 1e-3


def test_split_follows_the_seed(images):
    first, again, other = (split(*images, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.test[0], again.test[0])
    assert not np.array_equal(first.test[0], other.test[0])


def test_the_twin_takes_the_same_steps(rng):
    X = rng.normal(size=(64, 5)).astype(np.float32)
    y = rng.integers(3, size=64)
    net = fnn.Sequential(
        fnn.Dense(8),
        fnn.BatchNorm(),
        fnn.ReLU(),
        fnn.Dense(3),
    ).build(5)
    # A small eps would let Adam blow up the noise of biases that BatchNorm cancels.
    twin = numpy_twin(net, lr=0.01, eps=1e-3)
    trainer = fnn.Trainer(net, optimizer=fnn.Adam(lr=0.01, eps=1e-3))
    for _ in range(5):
        assert trainer.step(X, y) == pytest.approx(twin.step(X, y), rel=1e-4)
    np.testing.assert_allclose(net.predict(X), twin.predict(X), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        fnn.Tanh(),
        fnn.Dense(3, "relu"),
        fnn.BatchNorm(eps=0.1),
        fnn.Dense(3, init="torch"),
    ],
)
def test_the_twin_refuses_what_it_does_not_know(layer):
    net = fnn.Sequential(layer, fnn.Dense(2)).build(3)
    with pytest.raises(TypeError, match=r"layers\[0\]"):
        numpy_twin(net)


@pytest.fixture
def short(monkeypatch):
    """Tasks of two epochs."""
    for name, task in TASKS.items():
        monkeypatch.setitem(TASKS, name, dataclasses.replace(task, epochs=2))


@pytest.mark.usefixtures("short")
def test_a_run_prints_what_happened_and_draws_it(tmp_path, capsys):
    (result,) = demo.run(tmp_path / "curves.png", names=["digits"])
    out, bars = capsys.readouterr()
    for part in ("1,257 images to train on", "BatchNorm()", "validation", "NumPy"):
        assert part in out
    assert f"{100 * result.scores['test']['accuracy']:.1f} %" in out
    assert f"curves: {tmp_path / 'curves.png'}" in out
    assert max(map(len, out.splitlines()[:-1])) <= 80
    assert bars.count("2/2 epochs") == 1
    assert bars.count("20/20 epochs") == 1
    assert bars.count("\r") <= 4  # without a terminal a bar is written once
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("out", ["nowhere/a.png", "a.xyz", "."])
def test_a_bad_path_is_refused_before_the_work(out, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="out"):
        demo.run(out)
    assert capsys.readouterr().out == ""


def test_an_unknown_data_set_is_refused():
    with pytest.raises(ValueError, match="did you mean 'mnist'"):
        demo.run(names=["minst"])


def test_missing_packages_name_the_extra(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name in ("sklearn", "mlxtend") else found(name),
    )
    with pytest.raises(ImportError, match=r'scikit-learn, mlxtend.*"fastnn\[demo\]"'):
        demo.run()
