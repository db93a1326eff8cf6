"""Digits of MNIST as a step of training sees them, and what that is worth.

    python examples/augmented_digits.py            # 5 seeds; writes table and picture
    python examples/augmented_digits.py --quick    # seconds; prints the table only

Needs ``pip install 'fastnn[demo]'``.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import fastnn as fnn
from fastnn import augment as a

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "bench" / "results" / "augmented_digits.md"
PICTURE = ROOT / "docs" / "augmented_digits.png"

SETTING = (
    "`examples/augmented_digits.py`: 1,000 rows of MNIST to train on, 4,000 to test, "
    "784-256-128-10 with dropout"
)

MOVED = [a.Shift(2), a.Rotate(12)]

WAYS = {
    "as they are": [],
    "Noise(0.3)": [a.Noise(0.3)],
    "Cutout(8)": [a.Cutout(8)],
    "Mixup(0.2)": [a.Mixup(0.2)],
    "Crop((0.8, 1.0))": [a.Crop((0.8, 1.0))],
    "Rotate(12)": [a.Rotate(12)],
    "Shift(2)": [a.Shift(2)],
    "Shift(2), Rotate(12)": MOVED,
    "Shift(2), Rotate(12), Mixup(0.2)": [*MOVED, a.Mixup(0.2)],
}

SHOWN = [
    a.Noise(0.3),
    a.Brightness(0.5),
    a.Contrast(0.7),
    a.Cutout(8),
    a.Shift(3),
    a.Rotate(25),
    a.Crop((0.5, 1.0)),
    a.Flip(),
    a.Mixup(1.0),
]


def load():
    """Return pictures (5000, 28, 28), 0 for paper and about 1 for ink, and digits."""
    X, y = fnn.datasets.load_mnist_5k()
    return (X / 255).reshape(-1, 28, 28), y


def split(y, per_digit, seed):
    """Return the numbers of the rows to train on, so many a digit, and the others."""
    order = np.random.default_rng(seed).permutation(len(y))
    train = np.concatenate([order[y[order] == k][:per_digit] for k in range(10)])
    return train, np.setdiff1d(order, train)


def accuracy(X, y, augment, seed, epochs):
    """Return the share of right answers on the rows that were not trained on."""
    train, test = split(y, 100, seed)
    hidden = [fnn.Dense(256, "relu"), fnn.Dropout(0.2), fnn.Dense(128, "relu")]
    net = fnn.Sequential(*hidden, fnn.Dense(10), seed=seed)
    net.fit(
        X[train],
        y[train],
        augment=augment,
        schedule=fnn.Cosine(epochs),
        epochs=epochs,
        batch_size=64,
        n_threads=1,
    )
    return net.evaluate(X[test], y[test], metrics=["accuracy"])["accuracy"]


def draw():
    """Write the picture: digits in the first row, below what becomes of them."""
    from matplotlib.figure import Figure  # noqa: PLC0415  (--quick needs none)

    X, y = load()
    digits = X[[int(np.flatnonzero(y == k)[7]) for k in range(9)]]
    rows = [("as they are", digits)]
    rows += [(repr(way), a.preview(digits, way, seed=1)) for way in SHOWN]
    figure = Figure(figsize=(11.2, len(rows)), dpi=60, layout="constrained")
    grid = figure.subplots(len(rows), len(digits))
    for axes, (name, pictures) in zip(grid, rows, strict=True):
        for ax, picture in zip(axes, pictures, strict=True):
            ax.imshow(picture, cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
        axes[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11)
    figure.savefig(PICTURE)


def main(*, quick):
    """Train on 100 rows a digit in each way and show the table."""
    seeds, epochs = (range(1), 3) if quick else (range(5), 60)
    X, y = load()
    lines = [
        "# Augmented digits",
        "",
        f"{SETTING}, {epochs} epochs; mean and deviation over {len(seeds)} splits.",
        "",
        "| training rows | accuracy | seconds of a processor |",
        "|---|---|---|",
    ]
    print("\n".join(lines))
    for name, augment in WAYS.items():
        begin = time.process_time()
        scores = [accuracy(X, y, augment, seed, epochs) for seed in seeds]
        seconds = (time.process_time() - begin) / len(seeds)
        score = f"{np.mean(scores):.4f} +- {np.std(scores):.4f}"
        lines.append(f"| {name} | {score} | {seconds:.1f} |")
        print(lines[-1], flush=True)
    if not quick:
        TABLE.write_text("\n".join(lines) + "\n")
        draw()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="seconds, no files")
    main(quick=parser.parse_args().quick)
