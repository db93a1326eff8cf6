"""The demo: networks on real images, their curves, and the same work in NumPy.

``python -m fastnn demo`` runs it. It needs ``pip install "fastnn[demo]"``.
"""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterable
from pathlib import Path

from fastnn._native import core
from fastnn.demo import report
from fastnn.demo.experiment import Result, time_in_numpy, train
from fastnn.demo.picture import draw
from fastnn.demo.tasks import TASKS, split
from fastnn.demo.twin import numpy_twin

__all__ = ["run"]

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
        Where the picture goes; the suffix is its format.
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
        If the folder of `out` does not exist.
    """
    check_packages()
    path = _checked_path(Path(out))
    _say(report.heading(core.default_threads(0)))
    results = [_run_task(name, seed) for name in names]
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
            f"the demo needs {', '.join(missing)}: pip install 'fastnn[demo]'"
        )


def _checked_path(path: Path) -> Path:
    """Refuse a folder that is not there before minutes of work, not after."""
    if not path.parent.is_dir():
        raise ValueError(f"out: there is no folder {path.parent}; make it first")
    return path


def _run_task(name: str, seed: int) -> Result:
    task = TASKS[name]
    parts = split(*task.load(), seed)
    net = task.network(seed).build(parts.train[0].shape[1])
    twin = numpy_twin(net)
    _say("\n" + report.introduction(task, parts, net))
    result = train(task, net, parts)
    seconds = time_in_numpy(  # as many epochs of the same network
        twin,
        parts,
        epochs=len(result.history.epoch),
        batch_size=task.batch_size,
    )
    result = dataclasses.replace(result, numpy_seconds=seconds)
    _say(f"\n{report.scores(result)}\n\n{report.times(result)}")
    return result


def _say(text: str) -> None:
    """Print at once: the progress bars beside it go to another stream."""
    print(text, flush=True)  # noqa: T201
