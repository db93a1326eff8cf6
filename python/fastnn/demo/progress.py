"""The progress bars of the demo: one look for fastnn and NumPy."""

from __future__ import annotations

import math
import sys
from typing import Any

from tqdm import tqdm

from fastnn.callbacks import EpochInfo

__all__ = ["bar", "follow"]


def bar(name: str, epochs: int) -> Any:
    """Return a bar over epochs; without a terminal only its last state is written."""
    quiet = {} if sys.stderr.isatty() else {"delay": 1e-9, "mininterval": math.inf}
    return tqdm(
        total=epochs,
        desc=f"  {name:<8}",
        bar_format="{desc}|{bar:18}| {n_fmt:>3}/{total_fmt} epochs{postfix}",
        ascii=None if _can_draw() else True,
        **quiet,
    )


def follow(progress: Any, info: EpochInfo) -> None:
    """Move the bar by one epoch and show both losses."""
    loss, val_loss = info.logs["loss"], info.logs["val_loss"]
    progress.set_postfix_str(
        f"loss {loss:.3f}, validation {val_loss:.3f}", refresh=False
    )
    progress.update()


def _can_draw() -> bool:
    """Whether the stream of the bars takes blocks, as UTF-8 does."""
    return "utf" in (sys.stderr.encoding or "").lower()
