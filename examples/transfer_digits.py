"""Transfer: what a network learned of some digits helps it to learn others from few.

A network learns the digits 0 to 4 of the MNIST subset. Then its head is replaced and it
is tuned to the digits 5 to 9 on 20 rows of each: first the head alone, with the layers
before it frozen, so that the fresh head's errors spoil nothing, then all layers. The
same network from scratch has the same rows, optimizer, rate and number of steps. Both
are judged on the 2,400 rows of 5 to 9 that nobody trained on. Each seed draws other
weights and other rows.

Yosinski, Clune, Bengio and Lipson, "How transferable are features in deep neural
networks?" (2014)

    python examples/transfer_digits.py            # 5 seeds; writes the table
    python examples/transfer_digits.py --quick    # seconds; prints it only
"""

import argparse
from pathlib import Path

import numpy as np

import fastnn as fnn
from fastnn import datasets

ROWS = 20  # of a digit to learn from
HEAD, ALL = 10, 70  # epochs of the head alone, then of all layers
TABLE = Path(__file__).parents[1] / "bench" / "results" / "transfer.md"


def network(seed):
    """Return a network of five outputs that has learned nothing."""
    hidden = [fnn.Dense(128, "relu") for _ in range(4)]
    return fnn.Sequential(fnn.Dropout(0.2), *hidden, fnn.Dense(5), seed=seed)


def data(seed):
    """Return rows of 0 to 4, few rows of 5 to 9, and the other rows of these."""
    X, y = datasets.load_mnist_5k()
    X = X / 255
    rng = np.random.default_rng(seed)
    few = [
        rng.choice(np.flatnonzero(y == d), ROWS, replace=False) for d in range(5, 10)
    ]
    few = np.concatenate(few)
    rest = np.setdiff1d(np.flatnonzero(y > 4), few)
    return (X[y < 5], y[y < 5]), (X[few], y[few] - 5), (X[rest], y[rest] - 5)


def tune(net, few, epochs):
    net.fit(*few, optimizer=fnn.Adam(1e-3), epochs=epochs, batch_size=20)


def accuracy(net, rows):
    return net.evaluate(*rows, loss="cross_entropy", metrics=["accuracy"])["accuracy"]


def compare(seed):
    """Return accuracies: head alone, then all layers tuned, and from scratch."""
    zero_to_four, few, rest = data(seed)
    net = network(seed)
    net.fit(*zero_to_four, optimizer=fnn.Adam(1e-3), epochs=5)
    net.replace_head(5).freeze().unfreeze(-1)
    tune(net, few, HEAD)
    head_alone = accuracy(net, rest)
    tune(net.unfreeze(), few, ALL)
    scratch = network(seed)
    tune(scratch, few, HEAD + ALL)
    return head_alone, accuracy(net, rest), accuracy(scratch, rest)


def main(*, quick):
    lines = [
        "| seed | head alone | then all layers | from scratch |",
        "|---|---|---|---|",
    ]
    scores = []
    for seed in range(1 if quick else 5):
        scores.append(compare(seed))
        lines.append(f"| {seed} | " + " | ".join(f"{s:.3f}" for s in scores[-1]) + " |")
        print(lines[-1], flush=True)
    mean = np.mean(scores, axis=0)
    lines.append("| mean | " + " | ".join(f"{s:.3f}" for s in mean) + " |")
    print(lines[-1])
    if not quick:
        head = "# Transfer: digits 5 to 9 from 20 rows of each\n\n"
        what = "Accuracy on the other 2,400 rows; `examples/transfer_digits.py`.\n\n"
        TABLE.write_text(head + what + "\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds, no file")
    main(quick=parser.parse_args().quick)
