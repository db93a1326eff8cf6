"""Use an installed fastnn as a user does, and say how long its import takes.

``python tools/smoke.py [MOST_MS]``, outside of the tree, where the wheel is installed.
Trains, predicts, saves and loads, takes an estimator where scikit-learn is installed,
and fails if the import costs more than MOST_MS milliseconds (100) on top of NumPy's.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import pickle
import platform
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import numpy as np

import fastnn as fnn

IMPORT = """\
import time, numpy
start = time.perf_counter()
import fastnn
print(time.perf_counter() - start)
"""


def import_ms(repeats: int = 7) -> float:
    """Return the shortest import of fastnn, NumPy being there, in milliseconds."""

    def once() -> float:
        command = [sys.executable, "-c", IMPORT]
        return float(subprocess.run(command, check=True, capture_output=True).stdout)

    return 1e3 * min(once() for _ in range(repeats))


def spirals(rows: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Return two spirals, which no linear model can tell apart."""
    rng = np.random.default_rng(0)
    y = np.arange(rows) % 2
    turn = np.sqrt(rng.uniform(0.05, 1.0, rows)) * 2 * np.pi
    angle = turn + np.pi * y
    X = np.column_stack([turn * np.cos(angle), turn * np.sin(angle)])
    return (X / 4 + rng.normal(0, 0.02, X.shape)).astype(np.float32), y


def trained() -> fnn.Sequential:
    """Return a network that tells the spirals apart, after saying how well."""
    X, y = spirals()
    net = fnn.Sequential(
        fnn.Dense(64, "relu"), fnn.BatchNorm(), fnn.Dense(64, "relu"), fnn.Dense(2)
    )
    net.fit(
        *(X, y),
        epochs=60,
        batch_size=64,
        optimizer=fnn.Adam(lr=0.01),
        validation_split=0.2,
        early_stopping=True,
        n_threads=2,
    )
    accuracy = net.evaluate(X, y, metrics=["accuracy"])["accuracy"]
    assert accuracy > 0.95, f"accuracy {accuracy}"
    return net


def check_predictions(net: fnn.Sequential) -> None:
    """A row alone, a pickled twin and a loaded one give the same bits."""
    X, _ = spirals()
    outputs = net.predict(X)
    assert (net.predict(X[:1])[0] == outputs[0]).all()
    twins = [pickle.loads(pickle.dumps(net))]  # noqa: S301
    if hasattr(fnn, "load"):  # files came later than this script
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net.fnn"
            net.save(path)
            twins.append(fnn.load(path))
    for twin in twins:
        assert (twin.predict(X) == outputs).all()


def check_estimator() -> str:
    """Fit the estimator on the digits, if scikit-learn is installed."""
    if importlib.util.find_spec("sklearn") is None:
        return "no scikit-learn here"
    from sklearn.datasets import load_digits

    if not hasattr(fnn, "MLPClassifier"):
        return "no estimators in this version"
    X, y = load_digits(return_X_y=True)
    score = (
        fnn.MLPClassifier(max_iter=30, random_state=0).fit(X / 16, y).score(X / 16, y)
    )
    assert score > 0.95, f"score {score}"
    return f"estimator scores {score:.3f}"


def check_package() -> None:
    """What type checkers read is there, and what users ask for first works."""
    package = files("fastnn")
    for name in ("py.typed", "_native/_core.pyi", "_native/_cpu.pyi"):
        assert package.joinpath(name).is_file(), f"the wheel lacks {name}"
    subprocess.run(
        [sys.executable, "-m", "fastnn", "info"], check=True, capture_output=True
    )


def check_processes(net: fnn.Sequential) -> None:
    """A new process unpickles the network and predicts the same."""
    X, _ = spirals()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert (pool.apply(net.predict, (X,)) == net.predict(X)).all()


def main() -> None:
    """Run all checks and print one line."""
    most = float(sys.argv[1]) if len(sys.argv) > 1 else 100.0
    assert "site-packages" in fnn.__file__, f"this is the tree's: {fnn.__file__}"
    check_package()
    net = trained()
    check_predictions(net)
    check_processes(net)
    estimator = check_estimator()
    took = import_ms()
    assert took < most, f"import fastnn takes {took:.0f} ms on top of NumPy"
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}: well; import "
        f"{took:.0f} ms; {estimator}"
    )


if __name__ == "__main__":
    main()
