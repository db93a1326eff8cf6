"""History: the record of a fit, as text, table and picture."""

import builtins
import copy
import importlib
import pickle

import matplotlib.pyplot as plt
import numpy as np
import pytest

import fastnn as fnn

CURVES = {
    "loss": [3.0, 2.0, 1.0],
    "val_loss": [3.0, 1.5, 2.5],
    "lr": [0.1, 0.1, 0.1],
    "seconds": [0.5, 0.5, 0.5],
}


@pytest.fixture
def history():
    return fnn.History(copy.deepcopy(CURVES), best_epoch=1, stop_reason="epochs")


def test_epochs_and_repr(history):
    assert history.epoch == [0, 1, 2]
    assert repr(history) == (
        "History(epochs=3, best_epoch=1, stop_reason='epochs', loss=2, val_loss=1.5)"
    )
    assert pickle.loads(pickle.dumps(history)) == history  # noqa: S301


def test_a_fit_that_ended_at_once():
    empty = fnn.History({}, best_epoch=-1, stop_reason="diverged")
    assert empty.epoch == []
    assert repr(empty) == "History(epochs=0, best_epoch=-1, stop_reason='diverged')"


def test_to_frame(history):
    frame = history.to_frame()
    assert list(frame.columns) == list(CURVES)
    assert frame.index.name == "epoch"
    np.testing.assert_array_equal(frame["val_loss"], CURVES["val_loss"])


def test_plot_draws_both_curves_and_the_best_epoch(history):
    ax = history.plot()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["loss", "val_loss", "best epoch"]
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), CURVES["val_loss"])
    assert list(ax.lines[2].get_xdata()) == [1, 1]
    plt.close(ax.figure)


def test_plot_on_given_axes(history):
    figure, given = plt.subplots()
    assert history.plot("lr", ax=given) is given
    assert given.get_ylabel() == "lr"
    plt.close(figure)


def test_unknown_curve(history):
    with pytest.raises(ValueError, match=r"'accuracy'.*loss, val_loss"):
        history.plot("accuracy")


def test_missing_packages_name_what_to_install(history, monkeypatch):
    def refuse(name, *args, **kwargs):
        if name.partition(".")[0] in ("matplotlib", "pandas"):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real_import(name, *args, **kwargs)

    real_import = builtins.__import__
    real_module = importlib.import_module
    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.setattr(
        importlib,
        "import_module",
        lambda name: refuse(name) if name == "pandas" else real_module(name),
    )
    with pytest.raises(ImportError, match=r"fastnn\[plot\]"):
        history.plot()
    with pytest.raises(ImportError, match="pip install pandas"):
        history.to_frame()
