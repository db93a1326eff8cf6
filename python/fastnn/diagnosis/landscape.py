"""Stage "landscape": sharp or flat."""

from __future__ import annotations

import numpy as np

from fastnn.curvature import hessian_spectrum
from fastnn.diagnosis.lab import Lab
from fastnn.diagnosis.notes import Case
from fastnn.diagnosis.trial import Rows
from fastnn.losses import CustomLoss
from fastnn.sequential import Sequential

__all__ = ["MOST_PARAMETERS", "MOST_STEPS", "look", "sharpest"]

_ROWS = 500
MOST_PARAMETERS = 200_000  # of a network whose eigenvalues are looked for
MOST_STEPS = 30  # of Lanczos' method
_RADIUS = 0.01  # of a perturbation, beside each tensor's length
_DRAWS = 5


def look(case: Case) -> None:
    """Measure the largest eigenvalue and perturbed losses."""
    lab, notes, main = case.lab, case.notes, case.trained
    if main.diverged:
        return
    lab.say("the landscape")
    rows = lab.train.take(lab.random.permutation(len(lab.train))[:_ROWS])
    found: dict[str, object] = {"perturbed": _perturbed(lab, main.net, rows)}
    if main.net.n_parameters <= MOST_PARAMETERS and lab.clock.left > 0:
        found["lambda_max"] = sharpest(lab, main.net, rows)
    notes.measurements["landscape"] = found


def sharpest(lab: Lab, net: Sequential, rows: Rows) -> float | None:
    """Return about the largest eigenvalue of the loss' Hessian; None if it has none."""
    if isinstance(lab.setup.loss, CustomLoss):
        return None
    return hessian_spectrum(
        net,
        rows.X,
        rows.y,
        loss=lab.setup.loss,
        sample_weight=rows.weight,
        k=1,
        method="lanczos",
        max_steps=MOST_STEPS,
        tolerance=0.05,
        n_threads=lab.setup.trainer.get("n_threads"),
    ).lambda_max


def _perturbed(lab: Lab, net: Sequential, rows: Rows) -> float:
    """Return by how much the share grows when each tensor moves by 1 % of its length.

    The mean over some directions. Relative lengths, since a network's loss does not
    depend on the scale of layers that are normalised or rectified (Li et al. 2018).
    """
    before = lab.share(lab.loss_of(net, rows))
    state = net.state_dict()
    shares = []
    for _ in range(_DRAWS):
        moved = net.copy()
        changed = {}
        for name, value in state.items():
            if np.ndim(value) == 2:
                noise = lab.random.standard_normal(value.shape)
                length = np.linalg.norm(value.astype(np.float64)) / max(
                    float(np.linalg.norm(noise)), 1e-30
                )
                changed[name] = (value + _RADIUS * length * noise).astype(value.dtype)
        moved.load_state_dict(changed, strict=False)
        shares.append(lab.share(lab.loss_of(moved, rows)))
    return float(np.mean(shares)) - before
