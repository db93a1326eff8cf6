"""Record what torch.optim.LBFGS does: lbfgs_trajectories.json.

Run by hand where torch 2.13.0 is installed:

    python tests/goldens/record_lbfgs.py

All is float64. A small network is trained on all rows, a few iterations a step, by
torch's strong Wolfe search and by steps of fixed length; Rosenbrock's function is
minimised in one step. Of the networks the loss after each step is recorded: the search
is torch's to rounding, which later steps enlarge.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "lbfgs_trajectories.json"
STEPS = 12

# Settings of LBFGS as fastnn takes them. torch ends a search when max_eval evaluations
# are made, fastnn does not: all cases grant more than are needed.
CASES = [
    {"max_iter": 4, "max_eval": 100},
    {"max_iter": 4, "max_eval": 100, "history_size": 2},
    {"max_iter": 3, "max_eval": 100, "lr": 0.5},
    {"max_iter": 1, "max_eval": 100},
    {"max_iter": 3, "max_eval": 100, "lr": 0.3, "line_search_fn": None},
]
START = [-1.2, 1.0, 0.7, -0.3, 1.5]


def problem() -> dict[str, np.ndarray]:
    """Return data X, y and the first weights of 3-4-2 with tanh between."""
    draw = np.random.RandomState(20261126)  # the legacy stream never changes
    X = draw.standard_normal((20, 3))
    y = np.stack([np.sin(2 * X[:, 0]), X[:, 1] * X[:, 2]], axis=1)
    return {
        "X": X,
        "y": y,
        "0.weight": 0.5 * draw.standard_normal((4, 3)),
        "0.bias": 0.1 * draw.standard_normal(4),
        "1.weight": 0.5 * draw.standard_normal((2, 4)),
        "1.bias": 0.1 * draw.standard_normal(2),
    }


def _settings(case: dict) -> dict:
    return {"line_search_fn": "strong_wolfe", **case}


def torch_losses(case: dict) -> list[float]:
    """Return the loss after each step of training."""
    import torch

    data = {name: torch.tensor(value) for name, value in problem().items()}
    parameters = [data[n] for n in ("0.weight", "0.bias", "1.weight", "1.bias")]
    for p in parameters:
        p.requires_grad_()
    optimizer = torch.optim.LBFGS(parameters, **_settings(case))

    def loss():
        hidden = torch.tanh(data["X"] @ parameters[0].T + parameters[1])
        return ((hidden @ parameters[2].T + parameters[3] - data["y"]) ** 2).mean()

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    losses = []
    for _ in range(STEPS):
        optimizer.step(closure)
        losses.append(loss().item())
    return losses


def torch_points(case: dict) -> list[list[float]]:
    """Return where torch evaluates Rosenbrock's function during one long step."""
    import torch

    x = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    longer = {"max_iter": 25}
    optimizer = torch.optim.LBFGS([x], **{**_settings(case), **longer})
    points = []

    def closure():
        optimizer.zero_grad()
        points.append(x.tolist())
        value = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
        value.backward()
        return value

    optimizer.step(closure)
    return points


def main() -> None:
    """Write the file."""
    cases = [{"settings": case, "losses": torch_losses(case)} for case in CASES]
    points = {"settings": CASES[1], "points": torch_points(CASES[1])}
    lines = ",\n".join(json.dumps(case) for case in [*cases, points])
    FILE.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
