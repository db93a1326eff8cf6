"""What a user does who follows advice, and how what was blamed is measured.

A task is what is passed to `diagnose`. The public functions alone are used here.
"""

import dataclasses
import re
import time

import numpy as np

import fastnn as fnn
from diagnosis.cases.made_of import arguments, draw, net, scaled, split, standardised

Dense = fnn.Dense
EPOCHS = 120


# -- tasks that are no cases: what is found in them is no verdict ---------------------


def copied_column():
    """Return classes of four columns, the first of which comes 101 times."""
    _, X = draw(20, 600, 4)
    y = (X[:, 0] + X[:, 1] ** 2 > 1).astype(int)
    copies = np.repeat(X[:, :1], 100, axis=1)
    return arguments(
        net(Dense(16, "relu"), Dense(2)),
        (np.column_stack([X, copies]), y),
        optimizer=fnn.SGD(0.1),
    )


def rare_class():
    """Return two classes, one of which has a twentieth of the rows."""
    random, X = draw(21, 3000, 5)
    y = (random.random(3000) < 1 / (1 + np.exp(3.5 - X[:, 0]))).astype(int)
    return arguments(net(Dense(8, "relu"), Dense(2)), (X, y), l2=1e-2, epochs=40)


def column_left_out(left_out=True):
    """Return sums of four small integers, of which X shows three."""
    X = np.random.default_rng(22).integers(0, 4, (800, 4)) - 1.5
    y = (X.sum(axis=1) > 0).astype(int)
    shown = X[:, :3] if left_out else X
    return arguments(net(Dense(16, "relu"), Dense(2)), (shown, y))


def seen_before():
    """Return digits, whose validation rows are half training rows, half new."""
    X, y, Xv, yv = split(*scaled("digits"))
    n = len(Xv) // 2
    seen = np.vstack([Xv[:n], X[:n]]), np.concatenate([yv[:n], y[:n]])
    return arguments(
        net(Dense(64, "relu"), Dense(10)), (X, y), validation_data=seen, l2=1e-3
    )


TASKS = {
    task.__name__: task for task in (copied_column, rare_class, column_left_out)
} | {"seen_before": seen_before}


# -- measures of what was blamed ------------------------------------------------------


def fitted(task, X=None, y=None, **changed):
    """Return the task's network after its training on its rows, or on these."""
    task = {"loss": "cross_entropy", "optimizer": "adam", "epochs": EPOCHS, **task}
    given = (task.pop("X"), task.pop("y"))
    task.pop("validation_data", None)
    network = task.pop("net").copy()
    X, y = given if X is None else (X, y)
    history = network.fit(np.asarray(X, dtype=float), y, **{**task, **changed})
    return network, history


def loss_on(network, task, X, y):
    loss = task.get("loss", "cross_entropy")
    return network.evaluate(np.asarray(X, dtype=float), y, loss=loss)["loss"]


def training_loss(task):
    """Return the loss on the training rows; infinite where none can be had."""
    try:
        network, _ = fitted(task)
    except (fnn.DivergedError, ValueError):
        return np.inf
    return loss_on(network, task, task["X"], task["y"])


def unexplained(task):
    """Return the training loss beside the targets' variance, whatever their unit."""
    return training_loss(task) / np.var(task["y"])


def first_loss(task):
    """Return the loss before any training."""
    network = task["net"].copy().build(task["X"].shape[1])
    return loss_on(network, task, task["X"], task["y"])


def held_out(task):
    """Return the rows to train on and a quarter held out, each as (X, y)."""
    X, y = np.asarray(task["X"]), np.asarray(task["y"])
    order = np.random.default_rng(7).permutation(len(X))
    train, rest = np.split(order, [len(X) * 3 // 4])
    return (X[train], y[train]), (X[rest], y[rest])


def loss_on_new_rows(task):
    """Return the loss on a quarter of the rows, which was held out."""
    train, rest = held_out(task)
    return loss_on(fitted(task, *train)[0], task, *rest)


def loss_by_class(task):
    """Return the mean over classes of the loss on rows held out."""
    train, (X, y) = held_out(task)
    network, _ = fitted(task, *train)
    each = [loss_on(network, task, X[y == c], y[y == c]) for c in np.unique(y)]
    return np.mean(each)


def validation_loss(task):
    """Return the loss on the user's validation rows."""
    network, _ = fitted({**task, "epochs": 60})
    return loss_on(network, task, *task["validation_data"])


def flattery(task):
    """Return by what part validation rows promise less loss than new rows give."""
    network, _ = fitted({**task, "epochs": 30})
    _, _, Xv, yv = split(*scaled("digits"))
    new = loss_on(network, task, Xv[len(Xv) // 2 :], yv[len(yv) // 2 :])
    return abs(1 - loss_on(network, task, *task["validation_data"]) / new)


def epochs_needed(task, loss=0.08):
    """Return the epochs until the training loss is as low as that."""
    _, history = fitted(task, callbacks=[lambda info: info.logs["loss"] <= loss])
    assert history.history["loss"][-1] <= loss
    return len(history.epoch)


def seconds_taken(task, loss=0.05):
    """Return how long the training takes; infinite if the loss is not as low after."""
    start = time.perf_counter()
    network, _ = fitted(task)
    seconds = time.perf_counter() - start
    low = loss_on(network, task, task["X"], task["y"]) <= loss
    return seconds if low else np.inf


# -- what is done ---------------------------------------------------------------------


def with_(**changed):
    """Return how to change arguments."""
    return lambda task, _: {**task, **changed}


def layers(*new):
    return with_(net=net(*new))


def relu_with_norm(depth, outputs):
    block = [(Dense(64), fnn.BatchNorm(), fnn.ReLU()) for _ in range(depth)]
    return layers(*(x for b in block for x in b), Dense(outputs))


def _advised(finding, name):
    """Return the number that advice gives, as in ``lr=0.01``."""
    return float(re.search(rf"\b{name}=([0-9.e+-]*[0-9])", finding.advice)[1])


def rate(task, finding):
    """Take the learning rate that is advised."""
    lr = _advised(finding, "lr")
    return {**task, "optimizer": dataclasses.replace(task["optimizer"], lr=lr)}


def batch(task, finding):
    """Take the batch size that is advised, and the rate if there is one."""
    if "lr=" in finding.advice:
        task = rate(task, finding)
    return {**task, "batch_size": int(_advised(finding, "batch_size"))}


def scaled_inputs(task, _):
    return {**task, "X": standardised(task["X"])}


def scaled_targets(task, _):
    return {**task, "y": standardised(task["y"])}


def filled_gaps(task, _):
    return {**task, "X": np.where(np.isnan(task["X"]), 0.0, task["X"])}


def without(key):
    """Return how to drop the columns that evidence names: all after the first."""

    def follow(task, finding):
        named = finding.evidence[key]
        if key == "pairs":  # of which evidence names a few
            _, first = np.unique(task["X"], axis=1, return_index=True)
            return {**task, "X": task["X"][:, np.sort(first)]}
        return {**task, "X": np.delete(task["X"], named, axis=1)}

    return follow


def unfrozen(task, _):
    return {**task, "net": task["net"].copy().unfreeze()}


def escaped(task, _):
    """Go on from where the training ends, as often as that is a saddle."""
    network, _ = fitted(task)
    for _ in range(3):
        point = fnn.critical_point(network, task["X"], task["y"], loss="cross_entropy")
        if point.kind != "saddle":
            break
        step = point.escape()
        assert step.loss_after < step.loss_before
        network, _ = fitted({**task, "net": network})
    return {**task, "net": network}


def with_dropout(task, _):
    *body, last = task["net"].layers
    changed = [x for layer in body for x in (layer, fnn.Dropout(0.3))]
    return {**task, "net": net(*changed, last)}


def more_rows(task, _):
    return {**task, "X": scaled("digits")[0], "y": scaled("digits")[1], "epochs": 20}


def right_labels(task, _):
    return {**task, "y": scaled("digits")[1]}


def same_distribution(task, _):
    X, y = task["validation_data"]
    return {**task, "validation_data": (standardised(X), y)}


def right_order(task, _):
    X, y = task["validation_data"]
    return {**task, "validation_data": (X, y[::-1])}


def expected_shares(task, _):
    """Weigh classes by how much more frequent they are in validation rows."""
    ours, theirs = task["y"], task["validation_data"][1]
    weight = {c: np.mean(theirs == c) / np.mean(ours == c) for c in np.unique(ours)}
    return {**task, "class_weight": weight}


def split_again(task, _):
    X, y = task["validation_data"]
    known = {row.tobytes() for row in task["X"]}
    new = np.array([row.tobytes() not in known for row in X])
    return {**task, "validation_data": (X[new], y[new])}
