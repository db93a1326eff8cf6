"""Record what torch.optim does on fixed gradients, for test_optimizers.py.

Run by hand where torch is installed:

    python tests/reference/record_torch_trajectories.py

Everything is float64, torch's default dtype included: NAdam and ASGD keep scalars of
their state in it. The gradient of step 50 is zero.
"""

import json
from pathlib import Path

import numpy as np

STEPS = 100
RECORDED = (1, 2, 7, 50, 51, 100)
CASES = {
    "sgd": [
        {"lr": 0.1},
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.3},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        {"momentum": 0.5, "maximize": True, "weight_decay": 0.1},
    ],
    "adagrad": [
        {},
        {"lr_decay": 0.1, "weight_decay": 0.1},
        {"initial_accumulator_value": 0.5, "eps": 1e-3},
        {"maximize": True},
    ],
    "rmsprop": [
        {},
        {"centered": True, "alpha": 0.9},
        {"momentum": 0.9, "weight_decay": 0.1},
        {"centered": True, "momentum": 0.5, "eps": 1e-3},
        {"maximize": True},
    ],
    "adadelta": [
        {},
        {"rho": 0.95, "eps": 1e-4, "weight_decay": 0.1},
        {"maximize": True, "lr": 0.3},
    ],
    "adam": [
        {},
        {"amsgrad": True, "betas": [0.8, 0.9]},
        {"weight_decay": 0.1, "eps": 1e-3},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "amsgrad": True},
        {"maximize": True},
    ],
    "adamw": [
        {},
        {"amsgrad": True, "weight_decay": 0.3},
        {"maximize": True, "lr": 0.1},
    ],
    "adamax": [
        {},
        {"weight_decay": 0.1, "maximize": True},
        {"betas": [0.5, 0.6], "eps": 1e-2},
    ],
    "nadam": [
        {},
        {"weight_decay": 0.1, "momentum_decay": 0.1},
        {"weight_decay": 0.1, "decoupled_weight_decay": True},
        {"maximize": True, "betas": [0.5, 0.6]},
    ],
    "radam": [
        {},
        {"weight_decay": 0.1, "betas": [0.8, 0.9]},
        {"weight_decay": 0.1, "decoupled_weight_decay": True},
        {"maximize": True, "eps": 1e-3},
        {"betas": [0.8, 0.5]},
    ],
    "rprop": [
        {},
        {"lr": 0.5, "etas": [0.3, 1.5], "step_sizes": [1e-3, 1.0]},
        {"maximize": True},
    ],
    "asgd": [
        {},
        {"t0": 5.0, "weight_decay": 0.1},
        {"lambd": 0.1, "alpha": 0.5, "maximize": True, "t0": 20.0},
    ],
}
NAMES = {
    "sgd": "SGD",
    "adagrad": "Adagrad",
    "rmsprop": "RMSprop",
    "adadelta": "Adadelta",
    "adam": "Adam",
    "adamw": "AdamW",
    "adamax": "Adamax",
    "nadam": "NAdam",
    "radam": "RAdam",
    "rprop": "Rprop",
    "asgd": "ASGD",
}


def trajectory(torch, rule, hyper, start, gradients):
    """Return the parameters after each recorded step, and ASGD's average."""
    params = torch.nn.Parameter(torch.tensor(start))
    optimizer = getattr(torch.optim, NAMES[rule])([params], foreach=False, **hyper)
    recorded = {}
    for step, gradient in enumerate(gradients, start=1):
        params.grad = torch.tensor(gradient)
        optimizer.step()
        if step in RECORDED:
            recorded[step] = params.detach().tolist()
    if rule == "asgd":
        recorded["ax"] = optimizer.state[params]["ax"].tolist()
    return recorded


def main():
    import torch

    torch.set_default_dtype(torch.float64)
    rng = np.random.default_rng(7)
    start = rng.normal(size=3).round(3).tolist()
    # three scales, as adaptive rules divide by them
    gradients = (rng.normal(size=(STEPS, 3)) * [1.0, 30.0, 0.01]).round(4)
    gradients[49] = 0.0
    cases = [
        {
            "rule": rule,
            "hyper": hyper,
            "params": trajectory(torch, rule, hyper, start, gradients.tolist()),
        }
        for rule, settings in CASES.items()
        for hyper in settings
    ]
    golden = {
        "torch": torch.__version__,
        "start": start,
        "gradients": gradients.tolist(),
        "cases": cases,
    }
    path = Path(__file__).with_name("torch_trajectories.json")
    path.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
