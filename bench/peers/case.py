"""What is raced: a network, its batches, its rule of update, and where rows come from.

A case travels to the contenders' processes as JSON; each makes weights and rows from it
by the same seeds, so that all have the same numbers.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from peers import datasets

Array = npt.NDArray[Any]
Weights = list[tuple[Array, Array]]  # (W (out, in), b (out)) of each dense layer


@dataclass(frozen=True)
class Case:
    """A network of dense layers with relu between them, and how it is trained."""

    group: str
    label: str
    widths: tuple[int, ...]  # inputs, hidden layers, outputs
    batch: int
    rows: int = 0  # an epoch has rows / batch steps
    optimizer: str = "adam"  # or "sgd", with momentum 0.9
    lr: float = 1e-3
    dtype: str = "float32"
    batchnorm: bool = False  # between each hidden layer and its relu
    dropout: float = 0.0  # after each relu
    loss: str = "cross_entropy"  # or "mse"
    data: str = "random"  # or a name of `peers.datasets`

    @property
    def key(self) -> str:
        return f"{self.group}: {self.label}"

    @property
    def hidden(self) -> tuple[int, ...]:
        return self.widths[1:-1]

    @property
    def flops(self) -> float:
        """Multiplications and additions of a step's matrix products.

        Forward, and backward to weights and to inputs, 2 m n for each row; nobody needs
        the gradient of the first layer's inputs.
        """
        products = [m * n for m, n in pairwise(self.widths)]
        return 2.0 * self.batch * (3 * sum(products) - products[0])

    @property
    def parameters(self) -> int:
        dense = sum((m + 1) * n for m, n in pairwise(self.widths))
        return dense + 2 * sum(self.hidden) * self.batchnorm

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Case:
        known = {field.name for field in fields(cls)}
        given = {name: value for name, value in content.items() if name in known}
        return cls(**{**given, "widths": tuple(content["widths"])})

    def weights(self, seed: int = 0) -> Weights:
        """He's initial weights, zero biases: the same for all contenders.

        A third of it to the outputs: logits so small that scikit-learn, which keeps
        probabilities off 0 when it takes their logarithm, finds the same loss.
        """
        rng = np.random.default_rng(seed)
        weights = []
        for i, (m, n) in enumerate(pairwise(self.widths)):
            scale = np.sqrt(2 / m) / (3 if i == len(self.hidden) else 1)
            w = rng.standard_normal((n, m)) * scale
            weights.append((w.astype(self.dtype), np.zeros(n, self.dtype)))
        return weights

    def load(self) -> datasets.Split:
        """Rows to train on, and to validate on where the data is real."""
        if self.data == "random":
            split = _random(self.rows, self.widths[0], self.widths[-1], self.dtype)
        else:
            split = datasets.load(self.data).first(self.rows)
        if len(split.X) % self.batch:
            raise ValueError(f"{self.key}: {len(split.X)} rows make no whole batches")
        return split


@lru_cache(maxsize=1)
def _random(rows: int, inputs: int, classes: int, dtype: str) -> datasets.Split:
    rng = np.random.default_rng(1)
    draw: Any = np.dtype(dtype)
    X = rng.standard_normal((rows, inputs), dtype=draw)
    return datasets.Split(X, rng.integers(0, classes, rows))
