"""scikit-learn's own networks beside fastnn's estimators: scores, then times.

    python bench/sklearn_parity.py             # all data sets, 5 seeds
    python bench/sklearn_parity.py --quick     # two small ones: do the scores agree?
    python bench/sklearn_parity.py --only digits mnist --seeds 3

Each seed draws a split into training and test rows, and is the estimators'
random_state: the first weights are the same numbers, the order of the rows is not. Both
take turns in one process, with the threads that the process may use (OpenBLAS's for
scikit-learn). The difference of the scores is measured seed by seed; it is noise if it
is within a quarter of a percent, or if Student's test finds that chance alone brings a
mean so far from zero more often than once in 1000. (Three standard errors are not as
rare as that: with five seeds chance exceeds them once in 25 rows.)
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import sklearn
from report import RESULTS, duration, machine, markdown_table, write_json
from scipy.stats import ttest_1samp
from sklearn import datasets as theirs
from sklearn import neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

import fastnn as fnn
from fastnn import datasets

NAME = "sklearn_parity"
CHANCE = 1e-3  # of a difference that is none
SMALL = 0.0025  # a difference that nobody would notice

Data = tuple[Any, Any]


@dataclass(frozen=True)
class Task:
    """A data set and the parameters that both estimators get."""

    name: str
    load: Callable[[], Data]
    parameters: dict[str, Any] = field(default_factory=dict)
    kind: str = "MLPClassifier"

    @property
    def words(self) -> str:
        shown = ", ".join(f"{k}={v!r}" for k, v in self.parameters.items())
        return f"{self.name}: {shown or 'defaults'}"


@dataclass(frozen=True)
class Run:
    """One fit of one estimator."""

    score: float
    seconds: float
    epochs: int


def _standardised(load: Callable[..., Data]) -> Callable[[], Data]:
    def loaded() -> Data:
        X, y = load(return_X_y=True)
        return scale(X), y

    return loaded


def _diabetes() -> Data:
    X, y = theirs.load_diabetes(return_X_y=True)
    return scale(X), scale(y)


def _mnist() -> Data:
    X, y = datasets.load_mnist_5k()
    return X / np.float32(255), y


DIGITS = _standardised(theirs.load_digits)
CANCER = _standardised(theirs.load_breast_cancer)
WINE = _standardised(theirs.load_wine)
SGD = {"solver": "sgd", "learning_rate_init": 0.05}
ADAPTIVE = {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.01}

TASKS = (
    Task("digits", DIGITS),
    Task("digits", DIGITS, SGD),
    Task("digits", DIGITS, {"early_stopping": True}),
    Task("digits", DIGITS, {"solver": "lbfgs", "alpha": 1.0}),
    Task("breast cancer", CANCER),
    Task("breast cancer", CANCER, {"solver": "lbfgs", "alpha": 1.0}),
    Task("wine", WINE),
    Task("diabetes", _diabetes, {"max_iter": 400}, "MLPRegressor"),
    Task("diabetes", _diabetes, ADAPTIVE, "MLPRegressor"),
    Task("mnist", _mnist, {"hidden_layer_sizes": (256, 128), "max_iter": 30}),
)
QUICK = (
    Task("breast cancer", CANCER, {"max_iter": 60}),
    Task("diabetes", _diabetes, SGD | {"max_iter": 60}, "MLPRegressor"),
)


def run(module: Any, task: Task, seed: int) -> Run:
    X, y = task.load()
    classes = y if task.kind == "MLPClassifier" else None
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.25, random_state=seed, stratify=classes
    )
    estimator = getattr(module, task.kind)(random_state=seed, **task.parameters)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(X, y)
    seconds = time.perf_counter() - start
    return Run(float(estimator.score(X_test, y_test)), seconds, estimator.n_iter_)


def races(task: Task, seeds: int) -> dict[str, list[Run]]:
    """Return the runs of both by seed; they take turns, and in turns begin."""
    contenders = {"scikit-learn": neural_network, "fastnn": fnn}
    found: dict[str, list[Run]] = {name: [] for name in contenders}
    for seed in range(seeds):
        order = list(contenders)
        for name in order if seed % 2 else reversed(order):
            found[name].append(run(contenders[name], task, seed))
    return found


def is_noise(differences: Sequence[float]) -> bool:
    """Whether such differences of scores are what chance brings."""
    if abs(statistics.fmean(differences)) <= SMALL:
        return True
    return bool(ttest_1samp(differences, 0.0).pvalue > CHANCE)


def differences_of(found: dict[str, list[Run]]) -> list[float]:
    pairs = zip(found["fastnn"], found["scikit-learn"], strict=True)
    return [ours.score - their.score for ours, their in pairs]


def spread(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):.4f} ± {statistics.stdev(values):.4f}"


def row(task: Task, found: dict[str, list[Run]]) -> list[str]:
    differences = differences_of(found)
    their, ours = found["scikit-learn"], found["fastnn"]
    seconds = [statistics.median(r.seconds for r in runs) for runs in (their, ours)]
    ratios = [a.seconds / b.seconds for a, b in zip(their, ours, strict=True)]
    epochs = [statistics.median(r.epochs for r in runs) for runs in (their, ours)]
    return [
        task.words,
        spread([r.score for r in their]),
        spread([r.score for r in ours]),
        f"{statistics.fmean(differences):+.4f} ± {statistics.stdev(differences):.4f}",
        "yes" if is_noise(differences) else "NO",
        *(duration(s) for s in seconds),
        f"{statistics.median(ratios):.1f}x",
        " / ".join(f"{number:g}" for number in epochs),
    ]


HEADER = [
    "data and parameters",
    "scikit-learn's score",
    "fastnn's score",
    "difference by seed",
    "noise",
    "scikit-learn",
    "fastnn",
    "faster",
    "epochs",
]


def as_markdown(about: dict[str, Any], rows: list[list[str]], seeds: int) -> str:
    facts = "\n".join(f"* {name}: {value}" for name, value in about.items())
    return (
        "# Beside scikit-learn's networks\n\n"
        "Same parameters, same first weights, same splits; test accuracy, or R^2 of "
        f"diabetes: mean and\nstandard deviation over {seeds} seeds. Times are medians "
        "of a whole fit; how many times faster is the\nmedian over the seeds.\n\n"
        f"{facts}\n\n{markdown_table(HEADER, rows)}"
    )


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="assert, write nothing")
    parser.add_argument("--only", nargs="+", help="names of data sets")
    parser.add_argument("--seeds", type=int, default=5)
    return parser.parse_args()


def main() -> None:
    options = parsed()
    tasks = QUICK if options.quick else TASKS
    if options.only:
        tasks = tuple(task for task in tasks if task.name in options.only)
    results, rows = [], []
    for task in tasks:
        found = races(task, options.seeds)
        runs = {name: [asdict(r) for r in those] for name, those in found.items()}
        rows.append(row(task, found))
        print("  ".join(rows[-1]), flush=True)
        results.append(
            {
                "task": task.words,
                "kind": task.kind,
                "noise": is_noise(differences_of(found)),
                "runs": runs,
            }
        )
    strange = [result["task"] for result in results if not result["noise"]]
    if options.quick or options.only:
        assert not strange, f"scores differ: {strange}"
        return
    about = {
        **machine(),
        "scikit-learn": sklearn.__version__,
        "threads": os.environ.get("OMP_NUM_THREADS", "all that are usable"),
        "others at work (load average)": round(os.getloadavg()[1]),
    }
    write_json(RESULTS / f"{NAME}.json", {"about": about, "results": results})
    path = RESULTS / f"{NAME}.md"
    path.write_text(as_markdown(about, rows, options.seeds), encoding="utf-8")
    assert not strange, f"scores differ: {strange}"


if __name__ == "__main__":
    main()
