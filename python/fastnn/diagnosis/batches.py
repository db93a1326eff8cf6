"""Stage "batch size": the gradient's noise, the time of an epoch, and what they cost.

McCandlish et al. 2018, "An empirical model of large-batch training": to a given loss,
training with batches of B rows takes ``1 + B / N`` times as many epochs as with the
smallest ones, and ``1 + N / B`` times as many steps as with the largest, N the
gradient's noise scale. Large batches waste rows, small ones time. What the model
expects is only told where a training shows it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastnn.diagnosis import thresholds as at
from fastnn.diagnosis.alternative import Alternative
from fastnn.diagnosis.codes import Code
from fastnn.diagnosis.lab import Lab
from fastnn.diagnosis.notes import Case
from fastnn.diagnosis.report import Severity
from fastnn.diagnosis.room import epoch_seconds
from fastnn.diagnosis.trial import Run
from fastnn.optim import LBFGS, SGD, Optimizer
from fastnn.sequential import Sequential

__all__ = ["look", "measured", "noise_scale", "other_batches"]

_DRAWS = {32: 24, 512: 8}  # batches of so many rows, for the noise scale
_TIMED = (16, 64, 256)  # batch sizes, beside the user's
_LEAST, _MOST = 16, 256  # batch sizes that are tried
_CAUSES = ("optimization", "data", "model_bias")


def measured(case: Case) -> dict[str, Any] | None:
    """Return the noise scales and the times of an epoch; measured at first use.

    None where there is no time for the gradients, or no batch to be chosen.
    """
    lab, m = case.lab, case.notes.measurements
    rows = 2 * sum(size * draws for size, draws in _DRAWS.items())
    if isinstance(lab.setup.optimizer, LBFGS):
        return None
    if "batch_size" not in m:
        if rows * lab.seconds_a_row > lab.slice:
            return None
        lab.say("batch sizes")
        m["batch_size"] = {
            "used": min(lab.setup.batch_size, len(lab.train)),
            "rows": len(lab.train),
            "noise_scale_at_start": noise_scale(lab, lab.net),
            "noise_scale": noise_scale(lab, case.trained.net),
            "seconds_an_epoch": _epoch_times(lab),
        }
    return dict(m["batch_size"])


def other_batches(case: Case) -> Iterator[Alternative]:
    """Yield smaller or larger batches for a high loss, where noise is far from them."""
    lab, m = case.lab, measured(case)
    if m is None:
        return
    used, noise = m["used"], m["noise_scale"]
    code: Code = "batch_too_large"
    size = None if noise is None else _smaller(noise, used)
    if size is None and case.trained.still and _drowns(used, noise):
        code, size = "batch_too_small", _larger(noise, used, len(lab.train))
    if size is None:
        return
    yield Alternative(
        code,
        "optimization",
        f"with batches of {size} rows the same network trains far better",
        f"batch_size={size}",
        lambda: lab.run(f"batches of {size}", batch_size=size),
        {"batch_size": used, **({} if noise is None else {"noise_scale": noise})},
    )


def look(case: Case) -> None:
    """Try whether another batch size saves epochs or time, where all else is well."""
    if case.trained.diverged or (m := measured(case)) is None:
        return
    blamed = [f.cause for f in case.notes.findings if f.severity == "severe"]
    if any(cause in _CAUSES for cause in blamed):
        return
    for attempt in (_try_smaller, _try_larger):
        if case.lab.clock.left > 0:
            attempt(case, m)


def noise_scale(lab: Lab, net: Sequential) -> float | None:
    """Return tr(Sigma) / |G|^2, the batch size beyond which larger ones gain little.

    McCandlish et al. 2018, appendix A.1: from the squared lengths of gradients over
    small and large batches. None where the gradient is lost in noise.
    """
    n = len(lab.train)
    large = min(max(_DRAWS), n)
    small = min(*_DRAWS, large // 4)
    if small < 1:
        return None
    squares = {small: 0.0, large: 0.0}
    for size, draws in zip(squares, _DRAWS.values(), strict=True):
        for _ in range(draws):
            rows = lab.train.take(lab.random.integers(0, n, size))
            _, gradients = net.loss_and_gradients(
                rows.X, rows.y, loss=lab.setup.loss, sample_weight=rows.weight
            )
            total = sum(
                float((g.astype(np.float64) ** 2).sum()) for g in gradients.values()
            )
            squares[size] += total / draws
    gradient = (large * squares[large] - small * squares[small]) / (large - small)
    noise = (squares[small] - squares[large]) / (1 / small - 1 / large)
    if not (gradient > 0 and noise > 0 and math.isfinite(noise)):
        return None
    return noise / gradient


def _epoch_times(lab: Lab) -> dict[int, float]:
    """Return the seconds of an epoch at some batch sizes, the user's among them."""
    n = len(lab.train)
    times = {}
    for size in sorted({min(size, n) for size in (*_TIMED, lab.setup.batch_size)}):
        if lab.clock.left > 4 * lab.seconds_a_row * n:
            times[size] = epoch_seconds(lab, rows=n, batch_size=size)
    return times


def _drowns(used: int, noise: float | None) -> bool:
    """Whether the gradient is lost in the noise of batches that are small."""
    return used <= at.SMALL_BATCH if noise is None else used * at.BATCH_OFF <= noise


def _smaller(noise: float, used: int) -> int | None:
    """Return the power of 2 next to the noise scale; None if not far below."""
    size = max(1 << max(0, round(math.log2(noise))), _LEAST)
    return size if size * at.BATCH_OFF <= used else None


def _larger(noise: float | None, used: int, rows: int) -> int | None:
    """Return a larger batch up to the noise scale, of which an epoch has eight."""
    most = min(_MOST, rows // 8, math.inf if noise is None else noise)
    if most < used * at.BATCH_OFF:
        return None
    return 1 << int(math.log2(most))


def _try_smaller(case: Case, m: dict[str, Any]) -> None:
    """Find that a smaller batch reaches the same loss in far fewer epochs, and sooner.

    By the noise scale at the start, the smallest of a training, and only where the
    model expects it to be worth the longer epochs.
    """
    lab, main = case.lab, case.trained
    noise, used, times = m["noise_scale_at_start"], m["used"], m["seconds_an_epoch"]
    size = None if noise is None else _smaller(noise, used)
    if size is None or not main.curve or noise is None or used not in times:
        return
    expected = (1 + used / noise) / (1 + size / noise)
    cost = epoch_seconds(lab, rows=len(lab.train), batch_size=size) / times[used]
    if expected < at.EPOCHS_SAVED or expected < at.TIME_SAVED * cost:
        return
    run = lab.run(f"batches of {size}", batch_size=size, enough=main.curve[-1])
    reached = min(run.curve, default=math.inf) <= main.curve[-1]
    fewer = main.epochs / max(run.epochs, 1)
    sooner = fewer / cost
    if run.diverged or not reached or fewer < at.EPOCHS_SAVED or sooner < at.TIME_SAVED:
        return
    evidence: dict[str, Any] = {
        "batch_size": used,
        "noise_scale_at_start": noise,
        "training": main.train,
        "epochs": main.epochs,
        f"epochs_with_{size}": run.epochs,
        "seconds_an_epoch": times[used],
        f"seconds_an_epoch_with_{size}": cost * times[used],
    }
    case.notes.find(
        "batch_too_large",
        _severity(case, sooner),
        f"batches of {size} rows reach the same loss in 1/{fewer:.0f} of the epochs, "
        f"{sooner:.1f} times sooner",
        **evidence,
        advice=f"batch_size={size}, for as many epochs as it needs",
    )


def _try_larger(case: Case, m: dict[str, Any]) -> None:
    """Find that a larger batch comes to the same loss in a fraction of the time."""
    lab, main = case.lab, case.trained
    used, times = m["used"], m["seconds_an_epoch"]
    size = _larger(m["noise_scale"], used, len(lab.train))
    if size is None or used not in times:
        return
    each = epoch_seconds(lab, rows=len(lab.train), batch_size=size)
    sooner = times[used] / each
    if sooner < at.SLOW_EPOCHS:
        return
    optimizer = _with_rate_for(lab.setup.optimizer, size / used)
    run = lab.run(
        f"batches of {size}",
        batch_size=size,
        optimizer=optimizer,
        keeps_schedule=True,
    )
    if run.diverged or not _is_as_good(run, main):
        return
    evidence: dict[str, Any] = {
        "batch_size": used,
        "training": main.train,
        f"training_with_{size}": run.train,
        "held_out_at_best": main.best_held,
        f"held_out_at_best_with_{size}": run.best_held,
        "seconds_an_epoch": times[used],
        f"seconds_an_epoch_with_{size}": each,
    }
    if m["noise_scale"] is not None:
        evidence["noise_scale"] = m["noise_scale"]
    rate = "" if optimizer is None else f", lr={getattr(optimizer, 'lr', 0.0):.2g}"
    case.notes.find(
        "slow_batches",
        _severity(case, sooner),
        f"with batches of {size} rows an epoch takes 1/{sooner:.0f} of the time, and "
        "training comes as far",
        **evidence,
        advice=f"batch_size={size}{rate}",
    )


def _severity(case: Case, sooner: float) -> Severity:
    """Return "warning" where it saves the user, on all rows, time worth telling."""
    lab, main = case.lab, case.trained
    seconds = main.seconds * max(1.0, lab.given / len(lab.train))
    saved = seconds * (1 - 1 / sooner)
    return "warning" if saved >= at.SECONDS_SAVED else "info"


def _is_as_good(run: Run, main: Run) -> bool:
    return (
        run.train <= main.train + at.STILL
        and run.best_held <= main.best_held + at.STILL
    )


def _with_rate_for(optimizer: Optimizer, larger: float) -> Optimizer | None:
    """Return it with the rate for batches that are so many times larger.

    In proportion for SGD (Goyal et al. 2017), by the root for rules that divide by the
    root of squared gradients (Malladi et al. 2022). None for a rule without a rate.
    """
    rule: Any = optimizer
    rate = getattr(rule, "lr", None)
    if rate is None:
        return None
    factor = larger if isinstance(rule, SGD) else math.sqrt(larger)
    changed: Optimizer = dataclasses.replace(rule, lr=rate * factor)
    return changed
