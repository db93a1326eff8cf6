"""Ensembles: several networks err less than one, and tell where they are unsure.

On the digits of scikit-learn, half of the rows to train: one network, the mean of ten
members, and the last snapshots of a single run of the same length as one member's. The
members' mean is right more often and its probabilities are better; digits on which the
members disagree are those it gets wrong. Snapshots cost no more than one network, and
on so easy a task do no better either.

    python examples/ensemble.py            # 5 seeds
    python examples/ensemble.py --quick    # seconds

Needs ``pip install 'fastnn[sklearn]'``.
"""

import argparse

import numpy as np

import fastnn as fnn
from fastnn import datasets


def halves(seed):
    """Return rows to train on and rows to judge by."""
    X, y = datasets.load_digits()
    X = (X - 8) / 8
    order = np.random.default_rng(seed).permutation(len(X))
    train, test = np.array_split(order, 2)
    return (X[train], y[train]), (X[test], y[test])


def judged(model, test):
    report = model.evaluate(*test, metrics=("accuracy",))
    return 1 - report["accuracy"], report["loss"]


def unsure_and_wrong(ensemble, test):
    """Return the part of all errors that is among the tenth of rows it doubts most."""
    X, y = test
    shares, spread = ensemble.predict_proba(X, return_std=True)
    wrong = shares.argmax(axis=1) != y
    doubt = np.argsort(-spread.max(axis=1))[: len(X) // 10]
    return wrong[doubt].sum() / max(wrong.sum(), 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    seeds, members, epochs = (1, 4, 10) if quick else (5, 10, 60)
    found = {"one network": [], f"{members} members": [], "3 of 5 snapshots": []}
    caught = []
    for seed in range(seeds):
        train, test = halves(seed)
        net = fnn.Sequential(fnn.Dense(64, "relu"), fnn.Dense(10), seed=seed)
        ensemble = fnn.Ensemble(net, members)
        ensemble.fit(*train, epochs=epochs, batch_size=32)
        snapshots = fnn.SnapshotEnsemble(net, cycles=5, last=3)
        snapshots.fit(*train, epochs=epochs, batch_size=32, optimizer=fnn.Adam(lr=3e-3))
        models = (ensemble.members[0], ensemble, snapshots)
        for name, model in zip(found, models, strict=True):
            found[name].append(judged(model, test))
        caught.append(unsure_and_wrong(ensemble, test))
    print(f"{'':18} {'errors':>8} {'loss':>8}   (means over {seeds} seeds)")
    for name, values in found.items():
        errors, loss = np.mean(values, axis=0)
        print(f"{name:18} {errors:8.2%} {loss:8.4f}")
    print(
        f"{np.mean(caught):.0%} of the members' common errors are among the tenth of "
        "the rows on which they are least at one"
    )


if __name__ == "__main__":
    main()
