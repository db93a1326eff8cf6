"""The progress bar of a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Progress"]


class Progress:
    """A bar over epochs that shows the newest losses; silent unless asked for."""

    def __init__(self, epochs: int, *, shown: bool) -> None:
        self.shown = shown
        self._bar: Any = None
        if shown:
            from tqdm.auto import tqdm  # noqa: PLC0415  (100 ms that few need)

            self._bar = tqdm(total=epochs, unit="epoch")

    def update(self, logs: dict[str, float]) -> None:
        """Move on by one epoch."""
        if self._bar is not None:
            losses = {k: v for k, v in logs.items() if k not in ("lr", "seconds")}
            self._bar.set_postfix({k: f"{v:.4g}" for k, v in losses.items()})
            self._bar.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()
