"""The table of the training benchmark: which networks are raced, and by whom.

An epoch has as many steps as last some milliseconds in the fastest library, and at
least five: what a library does once an epoch shall weigh little, as it does for users.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any

from peers.case import Case

ALL = ("fastnn", "jax", "torch", "compiled", "sklearn", "numpy")
# torch.compile takes some ten seconds a case to compile: it runs where it is compared.
SWEEPERS = ("fastnn", "jax", "torch", "sklearn", "numpy")

HEADLINE = "networks"
SWEEPS = ("depth", "width", "batch", "rows")

# Goals by network: times faster than a peer, and share of the processor's FMA peak.
GOALS: dict[str, dict[str, float]] = {
    "30-64-32-2": {"jax": 3, "torch": 30, "sklearn": 30},
    "64-128-64-10": {"jax": 2.5, "torch": 7, "sklearn": 10, "peak": 0.45},
    "784-256-128-10": {"jax": 1.8, "torch": 3.5, "sklearn": 5.5, "peak": 0.75},
    "784-1024-1024-10": {"jax": 1.35, "torch": 2.4, "sklearn": 3.8, "peak": 0.82},
    "1024-2048x3-100": {"jax": 1.2, "torch": 2.2, "sklearn": 3, "peak": 0.84},
}


def steps_of_epoch(flops: float) -> int:
    """Steps that last about 8 ms at 300 GFLOP/s and 5 us of anything else a step."""
    return min(1000, max(5, ceil(8e-3 / (flops / 3e11 + 5e-6))))


def _case(
    group: str, label: str, widths: tuple[int, ...], batch: int, **options: Any
) -> Case:
    case = Case(group, label, widths, batch, **options)
    if case.rows:
        return replace(case, rows=case.rows // batch * batch)
    return replace(case, rows=batch * steps_of_epoch(case.flops))


def _named(group: str, widths: tuple[int, ...], batch: int, **options: Any) -> Case:
    return _case(group, "-".join(map(str, widths)), widths, batch, **options)


_MIDDLE = (784, 256, 128, 10)

CASES: tuple[Case, ...] = (
    _named(HEADLINE, (30, 64, 32, 2), 32),
    _named(HEADLINE, (64, 128, 64, 10), 128),
    _named(HEADLINE, _MIDDLE, 128),
    _named(HEADLINE, (784, 1024, 1024, 10), 256),
    _case(HEADLINE, "1024-2048x3-100", (1024, 2048, 2048, 2048, 100), 512),
    _case(
        *("variants", "BatchNorm and Dropout", _MIDDLE, 128),
        batchnorm=True,
        dropout=0.2,
    ),
    _case("variants", "SGD with momentum", _MIDDLE, 128, optimizer="sgd"),
    _case("variants", "float64", _MIDDLE, 128, dtype="float64"),
    _named("neighbours", (10, 46, 46, 10), 128),
    _named("neighbours", (10, 45, 45, 10), 128),
    *(
        _case("depth", str(depth), (*(128,) * (depth + 1), 10), 128)
        for depth in (2, 4, 8, 16, 32)
    ),
    *(
        _case("width", str(width), (*(width,) * 4, 10), 128)
        for width in (16, 32, 64, 128, 256, 512, 1024, 2048)
    ),
    *(
        _case("batch", str(batch), _MIDDLE, batch, rows=max(1024, 5 * batch))
        for batch in (1, 4, 16, 64, 256, 1024)
    ),
    *(
        _case("rows", f"{rows:,}", (64, 128, 64, 10), 128, rows=rows)
        for rows in (10_000, 100_000, 1_000_000)
    ),
)

_SMALL: tuple[Any, ...] = ((20, 16, 16, 3), 32)

QUICK: tuple[Case, ...] = (
    _named(HEADLINE, (30, 64, 32, 2), 32, rows=640),
    _case("variants", "layers", *_SMALL, rows=640, batchnorm=True, dropout=0.2),
    _case("variants", "rule", *_SMALL, rows=640, optimizer="sgd", dtype="float64"),
    _case("width", "16", *_SMALL, rows=640),
    _case("width", "32", (20, 32, 32, 3), 32, rows=640),
)


def contenders_of(case: Case) -> tuple[str, ...]:
    """Return who races: scikit-learn knows neither BatchNorm nor dropout."""
    everybody = SWEEPERS if case.group in SWEEPS else ALL
    plain = not (case.batchnorm or case.dropout)
    return tuple(key for key in everybody if plain or key != "sklearn")
