"""Residual blocks let deep networks train.

He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (2016). Plain and
residual networks of 8, 20 and 56 dense layers, 64 wide, learn the MNIST subset by the
same optimizer. In both, every layer but the last is Dense, BatchNorm, ReLU and starts
by He's rule; a residual network sums around every two of them. What the plain network
of 56 layers fails at is not to generalise: its *training* loss stays high.

    python examples/residual_depth.py            # 3 seeds; writes the table
    python examples/residual_depth.py --quick    # seconds; prints it only
"""

import argparse
from pathlib import Path

import numpy as np

import fastnn as fnn
from fastnn import datasets

WIDTH = 64
TABLE = Path(__file__).parents[1] / "bench" / "results" / "residual_depth.md"


def network(depth, *, residual, seed):
    """Return a network of so many dense layers, an even number."""

    def unit():
        return [fnn.Dense(WIDTH), fnn.BatchNorm(), fnn.ReLU()]

    layers = unit()
    for _ in range((depth - 2) // 2):
        two = [*unit(), *unit()]
        layers += [fnn.Residual(*two[:-1]), two[-1]] if residual else two
    return fnn.Sequential(*layers, fnn.Dense(10), seed=seed)


def data():
    """Return 4,000 rows to learn from and 1,000 to validate on."""
    X, y = datasets.load_mnist_5k()
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order] / 255, y[order]
    return (X[:4000], y[:4000]), (X[4000:], y[4000:])


def trained(net, train, validation, epochs):
    """Return training loss and validation accuracy after some epochs."""
    optimizer, schedule = fnn.SGD(0.05, momentum=0.9), fnn.Cosine(epochs)
    net.fit(*train, optimizer=optimizer, schedule=schedule, epochs=epochs)
    loss = net.evaluate(*train, loss="cross_entropy")["loss"]
    return loss, net.evaluate(*validation, metrics=["accuracy"])["accuracy"]


def main(*, quick):
    depths, seeds, epochs = ((56,), (0,), 4) if quick else ((8, 20, 56), range(3), 15)
    train, validation = data()
    setting = f"{len(seeds)} seeds, {epochs} epochs, BatchNorm in both kinds of network"
    lines = [
        "# Depth with and without residual blocks",
        "",
        f"`examples/residual_depth.py`: {setting}; mean (least to most).",
        "",
        "| layers | kind | training loss | validation accuracy |",
        "|---|---|---|---|",
    ]
    for depth in depths:
        for residual in (False, True):
            nets = [network(depth, residual=residual, seed=seed) for seed in seeds]
            runs = [trained(net, train, validation, epochs) for net in nets]
            losses, scores = np.transpose(runs)
            kind = "residual" if residual else "plain"
            loss = f"{losses.mean():.4f} ({losses.min():.4f} to {losses.max():.4f})"
            score = f"{scores.mean():.3f} ({scores.min():.3f} to {scores.max():.3f})"
            lines.append(f"| {depth} | {kind} | {loss} | {score} |")
            print(lines[-1], flush=True)
    if not quick:
        TABLE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds, no file")
    main(quick=parser.parse_args().quick)
