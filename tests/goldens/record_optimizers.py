"""Record what torch.optim does on fixed gradients: optim_trajectories.json.

Run by hand where torch 2.13.0 is installed:

    python tests/goldens/record_optimizers.py

Everything is float64, torch's default dtype included: NAdam and ASGD keep scalars of
their state in it. Gradients come from a frozen stream of numbers. At step 50 all are
zero, one parameter's are zero for 40 steps, and from step 61 on the learning rate is
lower. torch's ASGD takes a new rate one step later than it is given (see
`fastnn.ASGD`), so it is given one step earlier.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

STEPS = 100
RECORDED = (1, 7, 50, 100)
SIZE = 11
LOWER_FROM, LOWER_BY = 61, 0.3
FILE = Path(__file__).parent / "optim_trajectories.json"

# The keyword cases of torch's own tests, and mixtures of them. torch has no Lion.
CASES = {
    "SGD": [
        {},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.5},
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1, "dampening": 0.3},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        {"lr": 0.1, "momentum": 0.5, "nesterov": True, "maximize": True},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1, "weight_decay": 0.1, "lr_decay": 0.1},
        {"initial_accumulator_value": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "eps": 1e-2, "maximize": True},
    ],
    "RMSprop": [
        {},
        {"lr": 1e-3, "centered": True},
        {"lr": 1e-3, "momentum": 0.1},
        {"weight_decay": 0.1, "alpha": 0.9, "eps": 1e-3},
        {"centered": True, "momentum": 0.9, "weight_decay": 0.1, "maximize": True},
    ],
    "Adadelta": [
        {},
        {"weight_decay": 0.1},
        {"rho": 0.95, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.3, "eps": 1e-3},
    ],
    "Adam": [
        {},
        {"weight_decay": 0.1, "amsgrad": True},
        {"weight_decay": 0.1, "maximize": True},
        {"lr": 0.1, "betas": [0.5, 0.6], "eps": 1e-2},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "amsgrad": True},
    ],
    "AdamW": [
        {},
        {"weight_decay": 0.1, "amsgrad": True},
        {"lr": 0.1, "weight_decay": 0.3, "maximize": True},
    ],
    "Adamax": [
        {},
        {"weight_decay": 0.1},
        {"weight_decay": 0.1, "maximize": True},
        {"betas": [0.5, 0.6], "eps": 1e-2},
    ],
    "NAdam": [
        {},
        {"momentum_decay": 6e-3},
        {"weight_decay": 0.1, "momentum_decay": 6e-3, "maximize": True},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "betas": [0.8, 0.9]},
    ],
    "RAdam": [
        {},
        {"eps": 1e-6, "weight_decay": 0.1},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
        {"betas": [0.8, 0.9]},
        {"betas": [0.8, 0.5]},
    ],
    "Rprop": [
        {},
        {"lr": 2e-4, "maximize": True},
        {"lr": 0.5, "etas": [0.3, 1.5], "step_sizes": [1e-3, 1.0]},
    ],
    "ASGD": [
        {},
        {"t0": 20, "lr": 0.1},
        {"t0": 20, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.02, "lambd": 0.1, "alpha": 0.5, "t0": 0},
    ],
}


def problem() -> tuple[np.ndarray, np.ndarray]:
    """Return the first parameters (SIZE) and the gradients (STEPS, SIZE)."""
    draw = np.random.RandomState(20250321)  # the legacy stream never changes
    params = draw.standard_normal(SIZE)
    grads = draw.standard_normal((STEPS, SIZE)) + 0.3
    grads[49] = 0.0
    grads[19:59, 3] = 0.0
    return params, grads


def rate_at(step: int, lr: float) -> float:
    """Return the learning rate of step 1, 2, ..."""
    return lr * LOWER_BY if step >= LOWER_FROM else lr


def torch_trajectory(name: str, settings: dict) -> dict:
    """Return params at the recorded steps and the final state, as torch has them."""
    import torch

    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        first, grads = problem()
        params = torch.tensor(first, requires_grad=True)
        optimizer = getattr(torch.optim, name)([params], foreach=False, **settings)
        lr = optimizer.param_groups[0]["lr"]
        recorded = {}
        for step in range(1, STEPS + 1):
            ahead = 1 if name == "ASGD" else 0
            optimizer.param_groups[0]["lr"] = rate_at(step + ahead, lr)
            params.grad = torch.tensor(grads[step - 1])
            optimizer.step()
            if step in RECORDED:
                recorded[str(step)] = params.detach().tolist()
        state = optimizer.state[params]
        slots = {
            key: value.tolist()
            for key, value in state.items()
            if torch.is_tensor(value) and value.shape == params.shape
        }
    finally:
        torch.set_default_dtype(default)
    return {"params": recorded, "slots": slots}


def main() -> None:
    """Write the file."""
    cases = [
        {"optimizer": name, "settings": settings, **torch_trajectory(name, settings)}
        for name, table in CASES.items()
        for settings in table
    ]
    lines = ",\n".join(json.dumps(case) for case in cases)
    FILE.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
