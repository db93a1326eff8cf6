"""What a diagnosis shows while it runs: the stage, and the time that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastnn.diagnosis.clock import Clock

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Ticker"]


class Ticker:
    """A bar over the budget; silent unless it is to be shown."""

    def __init__(self, clock: Clock, *, shown: bool) -> None:
        self._clock = clock
        self._bar: Any = None
        if shown:
            from tqdm.auto import tqdm  # noqa: PLC0415  (40 ms)

            self._bar = tqdm(
                total=round(clock.budget, 1),
                desc="diagnose",
                bar_format="{desc}: {bar} {n:.0f}/{total:.0f} s{postfix}",
                leave=False,
            )

    def say(self, what: str) -> None:
        """Show what is being done now."""
        if self._bar is not None:
            self._bar.set_postfix_str(what, refresh=False)
            self._bar.n = min(self._clock.passed, self._bar.total)
            self._bar.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
