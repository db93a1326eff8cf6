"""The demo: networks on real images, their curves, and the same work in NumPy.

``python -m fastnn demo`` runs it. It needs ``pip install "fastnn[demo]"``.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
from collections.abc import Iterable
from pathlib import Path

from fastnn._config import nearest
from fastnn._threads import num_threads
from fastnn.demo import report
from fastnn.demo.experiment import Result, time_in_numpy, train
from fastnn.demo.picture import draw
from fastnn.demo.tasks import TASKS, split
from fastnn.demo.twin import numpy_twin

__all__ = ["run"]

_FORMATS = (".png", ".svg", ".pdf")
_PACKAGES = {
    "sklearn": "scikit-learn",
    "mlxtend": "mlxtend",
    "matplotlib": "matplotlib",
}


def run(
    out: str | Path = "fastnn_demo.png",
    *,
    seed: int = 0,
    names: Iterable[str] = tuple(TASKS),
) -> list[Result]:
    """Train on each data set, print what happens and draw the curves.

    Parameters
    ----------
    out : str or Path, default "fastnn_demo.png"
        Where the picture goes: a .png, .svg or .pdf file.
    seed : int, default 0
        Of the split, the initial weights, the shuffles and the dropout masks.
    names : iterable of str, default ("digits", "mnist")
        The data sets.

    Returns
    -------
    list of Result
        One a data set.

    Raises
    ------
    ImportError
        If a package of the extra ``demo`` is missing.
    ValueError
        If `out` cannot be written, or a data set is unknown.
    """
    check_packages()
    path = _checked_path(Path(out))
    chosen = [_checked_name(name) for name in names]
    _say(report.heading(num_threads()))
    results = [_run_task(name, seed) for name in chosen]
    draw(results, path)
    _say(f"\ncurves: {path.resolve()}")
    return results


def check_packages() -> None:
    """Raise an ImportError if a package of the extra ``demo`` is missing."""
    missing = [
        package
        for module, package in _PACKAGES.items()
        if importlib.util.find_spec(module) is None
    ]
    if missing:
        raise ImportError(
            f'the demo needs {", ".join(missing)}: pip install "fastnn[demo]"'
        )


def _checked_path(path: Path) -> Path:
    """Refuse what cannot be written before the work, not after it."""
    if path.suffix.lower() not in _FORMATS:
        raise ValueError(f"out: must end in {' or '.join(_FORMATS)}, got {str(path)!r}")
    if not path.parent.is_dir():
        raise ValueError(f"out: there is no folder {path.parent}; make it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ValueError(f"out: {path} cannot be written; choose another place")
    return path


def _checked_name(name: str) -> str:
    if name not in TASKS:
        hint = nearest(name, TASKS) or f"; there are {', '.join(TASKS)}"
        raise ValueError(f"names: unknown data set {name!r}{hint}")
    return name


def _run_task(name: str, seed: int) -> Result:
    task = TASKS[name]
    parts = split(*task.load(), seed)
    net = task.network(seed).build(parts.train[0].shape[1])
    twin = numpy_twin(net)
    _say("\n" + report.introduction(task, parts, net))
    result = train(task, net, parts)
    epochs = time_in_numpy(twin, parts, task.batch_size)
    result = dataclasses.replace(result, numpy_epochs=epochs)
    _say(f"\n{report.scores(result)}\n\n{report.times(result)}")
    return result


def _say(text: str) -> None:
    """Print at once: the progress bars beside it go to another stream."""
    print(text, flush=True)  # noqa: T201
