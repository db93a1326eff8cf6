"""Stage "layers": what activations, gradients and updates look like, layer by layer."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn.diagnosis import thresholds as at
from fastnn.diagnosis.lab import Lab
from fastnn.diagnosis.notes import Case, Notes
from fastnn.diagnosis.trial import Rows
from fastnn.errors import DivergedError
from fastnn.layers import Dense, Layer, Maxout, Residual
from fastnn.layers.base import Activation
from fastnn.sequential import Sequential
from fastnn.trainer import Trainer

__all__ = ["LayerStats", "look", "stats_of"]

Array = npt.NDArray[Any]

_ROWS = 1000


@dataclasses.dataclass(frozen=True)
class LayerStats:
    """Of one layer with weights, and the activation after it.

    Attributes
    ----------
    name : str
        Its position and class.
    mean, spread : float
        Of its outputs, after the activation.
    dead : float
        Share of units with one output for all rows.
    saturated : float
        Share of outputs where the activation's slope is below 5 % of its largest.
    same : bool
        Whether all units are copies of each other.
    gradient : float
        Root mean square of the loss gradient over its weights.
    weight : float
        Root mean square of its weights.
    """

    name: str
    mean: float
    spread: float
    dead: float
    saturated: float
    same: bool
    gradient: float
    weight: float


def look(case: Case) -> None:
    """Measure the layers at the start and after the training."""
    lab, notes = case.lab, case.notes
    lab.say("the layers")
    index = lab.random.permutation(len(lab.train))[:_ROWS]
    rows = lab.train.take(index)
    before = stats_of(lab, lab.net, rows)
    after = stats_of(lab, case.trained.net, rows)
    notes.measurements["layers"] = {"start": before, "trained": after}
    if len(before) >= 2:
        _judge_gradients(case, before, after)
        _judge_units(case, before[:-1], after[:-1])
    _judge_updates(case, rows)


def stats_of(lab: Lab, net: Sequential, rows: Rows) -> list[LayerStats]:
    """Return the state of each layer with weights."""
    _, gradients = net.loss_and_gradients(
        rows.X, rows.y, loss=lab.setup.loss, sample_weight=rows.weight
    )
    state = net.state_dict()
    stats = []
    for start, end in _spans(net.layers):
        weights = [k for k in gradients if k.startswith(f"{start}.")]
        matrices = [k for k in weights if np.ndim(state[k]) == 2]
        if not matrices:
            continue
        out = net.hidden(rows.X, end).astype(np.float64)
        f = _activation(net.layers[start : end + 1])
        spread = out.std(axis=0)
        scale = max(float(np.abs(out).max()), 1e-30)
        stats.append(
            LayerStats(
                name=f"{start} {type(net.layers[start]).__name__}",
                mean=float(out.mean()),
                spread=float(out.std()),
                dead=float(np.mean(spread < at.SAME * scale)),
                saturated=0.0 if f is None else _saturated(f, out),
                same=out.shape[1] > 1
                and bool(np.ptp(out, axis=1).max() < at.SAME * scale),
                gradient=_rms([gradients[k] for k in matrices]),
                weight=_rms([state[k] for k in matrices]),
            )
        )
    return stats


def _spans(layers: tuple[Layer, ...]) -> list[tuple[int, int]]:
    """Return where each layer with weights stands, and the last that goes with it."""
    starts = [
        i for i, x in enumerate(layers) if isinstance(x, (Dense, Maxout, Residual))
    ]
    ends = [*(i - 1 for i in starts[1:]), len(layers) - 1]
    return list(zip(starts, ends, strict=True))


def _activation(block: tuple[Layer, ...]) -> Activation | None:
    found = None
    for layer in block:
        if isinstance(layer, Dense) and isinstance(layer.activation, Activation):
            found = layer.activation
        elif isinstance(layer, Activation):
            found = layer
    return found


def _saturated(f: Activation, out: Array) -> float:
    """Return the share of outputs on the flat parts of a squashing function."""
    if f.kind == "sigmoid":
        slope = 4 * out * (1 - out)
    elif f.kind == "tanh":
        slope = 1 - out**2
    elif f.kind == "softsign":
        slope = (1 - np.abs(out)) ** 2
    elif f.kind in ("hard_sigmoid", "hard_tanh"):
        low = 0.0 if f.kind == "hard_sigmoid" else -1.0
        slope = ((out > low) & (out < 1)).astype(float)
    else:
        return 0.0
    return float(np.mean(slope < at.FLAT_SLOPE))


def _rms(arrays: list[Array]) -> float:
    squares = sum(float((a.astype(np.float64) ** 2).sum()) for a in arrays)
    return float(np.sqrt(squares / sum(a.size for a in arrays)))


def _severity(case: Case) -> Any:
    """Return how grave a sick layer is: it may train well all the same."""
    return "severe" if case.trained.train > at.HIGH_LOSS else "info"


def _judge_gradients(
    case: Case, before: list[LayerStats], after: list[LayerStats]
) -> None:
    for when, stats in (("at the start", before), ("after training", after)):
        last = stats[-1].gradient
        ratio = stats[0].gradient / last if last > 0 else float("nan")
        evidence = {
            "first_layer": stats[0].gradient,
            "last_layer": last,
            "ratio": ratio,
            "layers": len(stats),
        }
        if ratio < at.VANISHING and not case.notes.has("vanishing_gradients"):
            case.notes.find(
                "vanishing_gradients",
                _severity(case),
                f"gradients vanish on their way to the first layer ({when})",
                cause="optimization",
                **evidence,
                advice="use ReLU-like activations with He starts, BatchNorm, Residual "
                "blocks, or fewer layers",
            )
        if ratio > at.EXPLODING and not case.notes.has("exploding_gradients"):
            case.notes.find(
                "exploding_gradients",
                _severity(case),
                f"gradients grow on their way to the first layer ({when})",
                cause="optimization",
                **evidence,
                advice='use init="auto", BatchNorm, or clip_norm=1.0',
            )


def _judge_units(case: Case, before: list[LayerStats], after: list[LayerStats]) -> None:
    notes: Notes = case.notes
    for when, stats in (("at the start", before), ("after training", after)):
        same = [s for s in stats if s.same]
        if same and not notes.has("equal_units"):
            notes.find(
                "equal_units",
                _severity(case),
                f"all units of a layer are equal ({when}), and will stay so",
                cause="optimization",
                layers=[s.name for s in same],
                advice='break the symmetry: init="auto" instead of equal weights',
            )
            continue
        dead = max(stats, key=lambda s: s.dead)
        if dead.dead > at.DEAD and not notes.has("dead_units"):
            notes.find(
                "dead_units",
                _severity(case),
                f"{dead.dead:.0%} of the units of layer {dead.name} give the same "
                f"output for all rows ({when})",
                cause="optimization",
                share=dead.dead,
                layer=dead.name,
                advice="lower the learning rate, start biases at 0, use LeakyReLU or "
                "BatchNorm before the activation",
            )
        flat = max(stats, key=lambda s: s.saturated)
        if flat.saturated > at.SATURATED and not notes.has("saturated_units"):
            notes.find(
                "saturated_units",
                _severity(case),
                f"{flat.saturated:.0%} of the outputs of layer {flat.name} are where "
                f"its activation is flat ({when})",
                cause="optimization",
                share=flat.saturated,
                layer=flat.name,
                advice="standardise X, start with smaller weights, use BatchNorm or a "
                "ReLU-like activation",
            )


def _judge_updates(case: Case, rows: Rows) -> None:
    """Measure how far some steps move each layer's weights."""
    lab, notes = case.lab, case.notes
    ratios = _update_ratios(lab, rows)
    if ratios is None:
        return
    notes.measurements["updates"] = ratios
    typical = float(np.median(list(ratios.values())))
    low = typical < at.UPDATE_LOW
    if low or typical > at.UPDATE_HIGH:
        notes.find(
            "small_updates" if low else "large_updates",
            "warning" if case.trained.train > at.HIGH_LOSS else "info",
            f"a step moves weights by {typical:.1g} of their length (good: 1e-3)",
            ratio=typical,
            advice=f"{'raise' if low else 'lower'} the learning rate",
        )


def _update_ratios(lab: Lab, rows: Rows, steps: int = 5) -> dict[str, float] | None:
    """Return by layer how long a step is beside the weights; None: it diverged."""
    net = lab.net.copy()
    trainer = Trainer(
        net,
        loss=lab.setup.loss,
        optimizer=lab.setup.optimizer,
        **lab.setup.trainer,
    )
    size = min(lab.setup.batch_size, len(rows))
    before = net.state_dict()
    try:
        for k in range(steps):
            index = np.arange(k * size, (k + 1) * size) % len(rows)
            batch = rows.take(index)
            trainer.step(batch.X, batch.y, batch.weight)
    except (DivergedError, ValueError):
        return None
    after = net.state_dict()
    ratios = {}
    for name, value in before.items():
        weight = value.astype(np.float64)  # large squares are no float32
        length = float(np.linalg.norm(weight))
        if np.ndim(weight) == 2 and length > 0:
            moved = float(np.linalg.norm(after[name] - weight))
            ratios[name] = moved / steps / length
    return ratios or None
