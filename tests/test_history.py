"""History: the record of a fit, as text, table and picture."""

import copy
import importlib
import pickle
from xml.etree import ElementTree as ET

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


def test_equality():
    def made(loss, best=0, reason="epochs"):
        return fnn.History({"loss": loss, "lr": [0.1, 0.1]}, best, reason)

    nan = float("nan")
    assert made([1.0, nan]) == made([1.0, float("nan")])
    assert pickle.loads(pickle.dumps(made([nan, 1.0]))) == made([nan, 1.0])  # noqa: S301
    for other in (
        made([1.0, 2.0]),
        made([nan, 1.0]),
        made([1.0]),
        made([1.0, nan], best=1),
        made([1.0, nan], reason="callback"),
        fnn.History({"loss": [1.0, nan]}, 0, "epochs"),
        {"loss": [1.0, nan]},
    ):
        assert made([1.0, nan]) != other
    with pytest.raises(TypeError, match="unhashable"):
        hash(made([1.0]))


def test_a_fit_that_ended_at_once():
    empty = fnn.History({}, best_epoch=-1, stop_reason="diverged")
    assert empty.epoch == []
    assert repr(empty) == "History(epochs=0, best_epoch=-1, stop_reason='diverged')"
    assert "0 epochs, stop reason: diverged" in empty._repr_html_()
    with pytest.raises(ValueError, match="no epoch of this fit was finished"):
        empty.plot_all()


def test_html(history):
    """A row for each curve: sparkline, value of the best epoch, last value."""
    html = history._repr_html_()
    fragment = ET.fromstring(html)  # noqa: S314  (our own)
    rows = [
        [cell.text for cell in row.iter("td") if cell.text]
        for row in fragment.iter("tr")
    ]
    assert rows == [
        [],
        ["loss", "2", "1"],
        ["val_loss", "1.5", "2.5"],
        ["lr", "0.1", "0.1"],
    ]
    assert "3 epochs, best epoch 1, stop reason: epochs" in html
    assert html.count("<polyline") == html.count("<circle") == 3


def test_html_of_awkward_curves():
    curves = {
        "loss": [float("nan")] * 3,
        "val_loss": [1.0, float("inf"), 2.0],
        "<b>": [1e300, 1e-300, 0.0],
        "lr": list(range(1, 10_001)),
    }
    html = fnn.History(curves, 0, "epochs")._repr_html_()
    ET.fromstring(html)  # noqa: S314
    assert "<b>" not in html
    assert html.count("<polyline") == 3, "none of nothing but NaN"
    assert len(html) < 10_000
    drawn = html.split("<polyline")[1].split('"')[1]
    assert len(drawn.split()) == 2, "a gap at infinity"


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
    dot = ax.lines[3]
    assert (*dot.get_xdata(), *dot.get_ydata()) == (1, 1.5)
    assert dot.get_color() == ax.lines[1].get_color()
    assert ax.get_yscale() == "linear"
    plt.close(ax.figure)


@pytest.mark.parametrize(
    ("values", "log", "scale"),
    [
        ([100.0, 1.0, 0.9], None, "log"),
        ([100.0, 1.0, 1.1], None, "linear"),
        ([100.0, 1.0, 0.0], None, "linear"),
        ([100.0, 1.0, -1.0], None, "linear"),
        ([100.0, 1.0, 0.9], False, "linear"),
        ([2.0, 1.0, 1.1], True, "log"),
        ([float("nan")] * 3, None, "linear"),
    ],
)
def test_the_scale_follows_the_values(values, log, scale):
    history = fnn.History({"loss": values}, best_epoch=1, stop_reason="epochs")
    ax = history.plot(log=log)
    assert ax.get_yscale() == scale
    ax.figure.canvas.draw()
    plt.close(ax.figure)


def test_plot_all_has_a_panel_for_each_metric_and_a_moving_lr(history):
    assert [ax.get_ylabel() for ax in _closed(history.plot_all())] == ["loss"]
    history.history |= {
        "accuracy": [0.1, 0.2, 0.3],
        "val_accuracy": [0.1, 0.2, 0.1],
        "lr": [0.1, 0.05, 0.01],
    }
    axes = _closed(history.plot_all())
    assert {ax.get_ylabel() for ax in axes} == {"loss", "accuracy", "lr"}
    assert len({ax.figure for ax in axes}) == 1


def _closed(axes):
    plt.close(axes[0].figure)
    return axes


def test_plot_on_given_axes(history):
    figure, given = plt.subplots()
    assert history.plot("lr", ax=given) is given
    assert given.get_ylabel() == "lr"
    plt.close(figure)


def test_unknown_curve(history):
    with pytest.raises(ValueError, match=r"'accuracy'.*loss, val_loss"):
        history.plot("accuracy")


def test_missing_packages_name_what_to_install(history, monkeypatch):
    def refuse(name):
        package = name.partition(".")[0]
        if package in ("matplotlib", "pandas"):
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        return real(name)

    real = importlib.import_module
    monkeypatch.setattr(importlib, "import_module", refuse)
    for draw in (history.plot, history.plot_all):
        with pytest.raises(ImportError, match=r"fastnn\[plot\]"):
            draw()
    with pytest.raises(ImportError, match="pip install pandas"):
        history.to_frame()
