"""Stage "landscape": sharp or flat, and what the batch size does."""

from __future__ import annotations

import time

import numpy as np

from fastnn.curvature import hessian_spectrum
from fastnn.diagnosis.lab import Lab
from fastnn.diagnosis.notes import Case
from fastnn.diagnosis.trial import Rows
from fastnn.errors import DivergedError
from fastnn.losses import CustomLoss
from fastnn.sequential import Sequential
from fastnn.trainer import Trainer

__all__ = ["MOST_PARAMETERS", "MOST_STEPS", "look", "noise_scale", "sharpest"]

_ROWS = 500
MOST_PARAMETERS = 200_000  # of a network whose eigenvalues are looked for
MOST_STEPS = 30  # of Lanczos' method
_RADIUS = 0.01  # of a perturbation, beside each tensor's length
_DRAWS = 5
_SMALL, _LARGE, _PAIRS = 32, 512, 8
_BATCHES = (16, 64, 256)


def look(case: Case) -> None:
    """Measure the largest eigenvalue, perturbed losses and the gradient's noise."""
    lab, notes, main = case.lab, case.notes, case.trained
    if main.diverged:
        return
    lab.say("the landscape")
    rows = lab.train.take(lab.random.permutation(len(lab.train))[:_ROWS])
    found: dict[str, object] = {
        "perturbed": _perturbed(lab, main.net, rows),
        "noise_scale": noise_scale(lab, main.net),
        "batch_size": lab.setup.batch_size,
    }
    if main.net.n_parameters <= MOST_PARAMETERS and lab.clock.left > 0:
        found["lambda_max"] = sharpest(lab, main.net, rows)
    if lab.clock.left > 4 * lab.seconds_a_row * len(lab.train):
        found["seconds_an_epoch"] = _epoch_times(lab)
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
                length = np.linalg.norm(value) / max(
                    float(np.linalg.norm(noise)), 1e-30
                )
                changed[name] = (value + _RADIUS * length * noise).astype(value.dtype)
        moved.load_state_dict(changed, strict=False)
        shares.append(lab.share(lab.loss_of(moved, rows)))
    return float(np.mean(shares)) - before


def noise_scale(lab: Lab, net: Sequential) -> float | None:
    """Return tr(Sigma) / |G|^2, the batch size beyond which larger ones gain little.

    McCandlish et al. 2018, appendix A.1: from the squared lengths of gradients over
    small and large batches. None where the gradient is lost in noise.
    """
    n = len(lab.train)
    large = min(_LARGE, n)
    small = min(_SMALL, large // 4)
    if small < 1:
        return None
    squares = {small: 0.0, large: 0.0}
    for size in squares:
        for _ in range(_PAIRS):
            rows = lab.train.take(lab.random.integers(0, n, size))
            _, gradients = net.loss_and_gradients(
                rows.X, rows.y, loss=lab.setup.loss, sample_weight=rows.weight
            )
            total = sum(
                float((g.astype(np.float64) ** 2).sum()) for g in gradients.values()
            )
            squares[size] += total / _PAIRS
    gradient = (large * squares[large] - small * squares[small]) / (large - small)
    noise = (squares[small] - squares[large]) / (1 / small - 1 / large)
    if gradient <= 0 or noise <= 0:
        return None
    return noise / gradient


def _epoch_times(lab: Lab) -> dict[int, float]:
    """Return the seconds of an epoch at some batch sizes."""
    times = {}
    for size in (b for b in _BATCHES if b <= len(lab.train)):
        trainer = Trainer(
            lab.net.copy(),
            loss=lab.setup.loss,
            optimizer=lab.setup.optimizer,
            **lab.setup.trainer,
        )
        start = time.perf_counter()
        try:
            trainer.fit(lab.train.X, lab.train.y, epochs=1, batch_size=size)
        except DivergedError:
            continue
        times[size] = time.perf_counter() - start
    return times
