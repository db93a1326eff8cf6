"""The progress bar of a fit."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Progress"]


class Progress:
    """A bar over epochs that shows the newest losses; silent unless asked for."""

    def __init__(self, epochs: int, *, shown: bool, done: int = 0) -> None:
        self.shown = shown
        self._bar: Any = None
        if shown:
            from tqdm.auto import tqdm  # noqa: PLC0415  (100 ms that few need)

            # A file or pipe keeps every state that is written: write few.
            interval = 0.1 if sys.stderr.isatty() else 2.0
            self._bar = tqdm(
                total=epochs, initial=done, unit="epoch", mininterval=interval
            )

    def update(self, logs: dict[str, float]) -> None:
        """Move on by one epoch."""
        if self._bar is not None:
            losses = {k: f"{logs[k]:.4g}" for k in ("loss", "val_loss") if k in logs}
            self._bar.set_postfix(losses, refresh=False)
            self._bar.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()
