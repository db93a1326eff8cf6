"""Record what torch.optim.lr_scheduler does: optim_schedules.json.

Run by hand where torch 2.13.0 is installed:

    python tests/goldens/record_schedules.py
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

LR = 0.3
FILE = Path(__file__).parent / "optim_schedules.json"

# Ours, its settings, torch's, its settings, and how many steps the two agree: to the
# end and beyond, except where torch goes on differently (CosineAnnealingLR rises again,
# OneCycleLR raises).
CASES = [
    ["StepDecay", {"step_size": 3}, "StepLR", {"step_size": 3}, 12],
    [
        "StepDecay",
        {"step_size": 4, "gamma": 0.7},
        "StepLR",
        {"step_size": 4, "gamma": 0.7},
        20,
    ],
    [
        "MultiStep",
        {"milestones": [2, 5, 9]},
        "MultiStepLR",
        {"milestones": [2, 5, 9]},
        14,
    ],
    [
        "MultiStep",
        {"milestones": [1], "gamma": 0.5},
        "MultiStepLR",
        {"milestones": [1], "gamma": 0.5},
        5,
    ],
    ["Exponential", {"gamma": 0.9}, "ExponentialLR", {"gamma": 0.9}, 30],
    [
        "Linear",
        {"start_factor": 0.25, "end_factor": 1.0, "total": 6},
        "LinearLR",
        {"start_factor": 0.25, "end_factor": 1.0, "total_iters": 6},
        12,
    ],
    [
        "Linear",
        {"start_factor": 1.0, "end_factor": 0.1, "total": 5},
        "LinearLR",
        {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 5},
        12,
    ],
    ["Polynomial", {"total": 7}, "PolynomialLR", {"total_iters": 7}, 12],
    [
        "Polynomial",
        {"total": 7, "power": 2.5},
        "PolynomialLR",
        {"total_iters": 7, "power": 2.5},
        12,
    ],
    ["Cosine", {"total": 8}, "CosineAnnealingLR", {"T_max": 8}, 9],
    [
        "Cosine",
        {"total": 9, "min_lr": 0.05},
        "CosineAnnealingLR",
        {"T_max": 9, "eta_min": 0.05},
        10,
    ],
    ["CosineRestarts", {"period": 4}, "CosineAnnealingWarmRestarts", {"T_0": 4}, 14],
    [
        "CosineRestarts",
        {"period": 3, "mult": 2, "min_lr": 0.01},
        "CosineAnnealingWarmRestarts",
        {"T_0": 3, "T_mult": 2, "eta_min": 0.01},
        30,
    ],
    [
        "OneCycle",
        {"total": 20, "max_lr": 1.5},
        "OneCycleLR",
        {"total_steps": 20, "max_lr": 1.5},
        20,
    ],
    [
        "OneCycle",
        {"total": 17, "max_lr": 0.7, "pct_start": 0.25, "div": 10, "final_div": 50},
        "OneCycleLR",
        {
            "total_steps": 17,
            "max_lr": 0.7,
            "pct_start": 0.25,
            "div_factor": 10,
            "final_div_factor": 50,
        },
        17,
    ],
    [
        "Cyclic",
        {"base_lr": 0.1, "max_lr": 0.9, "up": 4},
        "CyclicLR",
        {"base_lr": 0.1, "max_lr": 0.9, "step_size_up": 4},
        25,
    ],
    [
        "Cyclic",
        {"base_lr": 0.0, "max_lr": 0.9, "up": 5, "down": 2},
        "CyclicLR",
        {"base_lr": 0.0, "max_lr": 0.9, "step_size_up": 5, "step_size_down": 2},
        25,
    ],
]

# Settings of ReduceOnPlateau and the scores of the epochs.
_LOSSES = [1.0, 0.8, 0.81, 0.79995, 0.9, 0.7, 0.71, 0.72, 0.7, 0.7, 0.7, 0.69] * 2
_SCORES = [0.5, 0.6, 0.6001, 0.59, 0.6, 0.7, 0.65, 0.66, 0.7, 0.7, 0.71, 0.7] * 2
PLATEAUS = [
    [{"patience": 1, "factor": 0.5}, _LOSSES],
    [{"patience": 0, "cooldown": 2, "factor": 0.3, "min_lr": 0.01}, _LOSSES],
    [{"patience": 1, "threshold": 0.02, "threshold_mode": "abs"}, _LOSSES],
    [{"patience": 2, "mode": "max", "factor": 0.5, "threshold": 0.01}, _SCORES],
    [{"patience": 1, "mode": "max", "threshold_mode": "abs", "eps": 1e-3}, _SCORES],
]


def torch_rates(name: str, settings: dict, count: int) -> list[float]:
    """Return the learning rates of the first `count` steps, as torch has them."""
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1)], lr=LR, momentum=0.9)
    extra = {"cycle_momentum": False} if name in {"OneCycleLR", "CyclicLR"} else {}
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **settings, **extra)
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no optimizer.step() before the schedule's
        for step in range(count):
            rates.append(optimizer.param_groups[0]["lr"])
            if step + 1 < count:
                scheduler.step()
    return [float(rate) for rate in rates]


def torch_plateau(settings: dict, scores: list[float]) -> list[float]:
    """Return the learning rate after each score, as torch has it."""
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1)], lr=LR)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
    rates = []
    for score in scores:
        scheduler.step(score)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def main() -> None:
    """Write the file."""
    schedules = [[*case, torch_rates(*case[2:])] for case in CASES]
    plateaus = [[*case, torch_plateau(*case)] for case in PLATEAUS]
    lines = [
        f'"{key}": [\n' + ",\n".join(map(json.dumps, table)) + "\n]"
        for key, table in (("schedules", schedules), ("plateaus", plateaus))
    ]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
