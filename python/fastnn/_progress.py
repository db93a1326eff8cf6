"""What runs show: nothing, a bar over epochs (members, folds), or a line for each."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Progress"]

_MOST = 6  # values beside the bar; a line of text has room for all


class Progress:
    """Shows the newest losses and metrics; silent unless asked for.

    Parameters
    ----------
    epochs : int
        How many there will be at most.
    verbose : {0, 1, 2}
        0: nothing; 1: a bar on stderr, or a notebook's own; 2: a line an epoch on
        stdout, for files.
    done : int, default 0
        How many were done before, by a fit that this one completes.
    unit : str, default "epoch"
        What is counted, if it is not epochs.
    """

    def __init__(
        self, epochs: int, *, verbose: int, done: int = 0, unit: str = "epoch"
    ) -> None:
        self._epochs = epochs
        self._unit = unit
        self._lines = verbose == 2
        self._bar = _bar(epochs, done, unit) if verbose == 1 else None
        self._done = done

    @property
    def shown(self) -> bool:
        """Whether there is anything to do after an epoch."""
        return self._lines or self._bar is not None

    def update(self, logs: dict[str, float]) -> None:
        """Move on by one epoch."""
        self._done += 1
        values = {key: f"{logs[key]:.4g}" for key in _told(logs)}
        if self._bar is not None:
            first = dict(list(values.items())[:_MOST])
            self._bar.set_postfix(first, refresh=False)
            self._bar.update()
        if self._lines:
            self._print_line(logs["seconds"], values)

    def _print_line(self, seconds: float, values: dict[str, str]) -> None:
        count = f"{self._done:>{len(str(self._epochs))}}/{self._epochs}"
        shown = "  ".join(f"{key} {value}" for key, value in values.items())
        sys.stdout.write(f"{self._unit} {count}  {seconds:.3f} s  {shown}\n")
        sys.stdout.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()


def _bar(epochs: int, done: int, unit: str) -> Any:
    """Return a progress bar for what stderr is: a terminal, a notebook or a file."""
    if sys.stderr is None:  # a program without a console
        return None
    from tqdm.auto import tqdm  # noqa: PLC0415  (100 ms that few need)

    seen = sys.stderr.isatty() or "ipykernel" in sys.modules
    # A file or pipe keeps every state that is written: few, and none at the start.
    quiet = {} if seen else {"delay": 1e-9, "mininterval": 10.0}
    bar = tqdm(total=epochs, initial=done, unit=unit, dynamic_ncols=True, **quiet)
    bar.leave = bar.pos == 0  # below another bar it goes when it is done
    return bar


def _told(logs: dict[str, float]) -> list[str]:
    """Return the losses, then each metric beside its twin; not how it came about."""
    plain = [key for key in logs if not key.startswith("val_")]
    plain = [key for key in plain if key not in ("lr", "seconds")]
    return [twin for key in plain for twin in (key, f"val_{key}") if twin in logs]
