"""The history as a CSV file that grows with every epoch."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fastnn._paths import checked_path
from fastnn.callbacks._target import check_file
from fastnn.callbacks.epoch_info import EpochInfo

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["CSVLogger"]


class CSVLogger:
    """Write one row an epoch: its number, losses, metrics, learning rate and seconds.

    A row is written in one piece and is in the file when the epoch is over, so whoever
    reads it, or finds it after a crash, has whole lines. Numbers read back exactly.

    Parameters
    ----------
    path : str or path-like
        The file, by custom ending in ".csv".
    append : bool, default False
        False: each fit replaces the file, when its first epoch is done. True: rows are
        added to those there are. A line that a crash cut short is dropped, and where
        the fit completes an interrupted one (`Trainer.resume`), its rows take the place
        of those from the same epoch on, so that the file is that of one fit.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable; if the file to append to has other columns.
    OSError
        If the file cannot be written: when the fit begins, or after an epoch.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Dense(1, init=([[0.0]], [0.5])))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "fit.csv"
    ...     _ = net.fit(
    ...         [[0.0]], [1.0], loss="mse", epochs=2, optimizer=fnn.SGD(lr=0.25),
    ...         callbacks=[fnn.CSVLogger(path)],
    ...     )
    ...     header, *rows = path.read_text().splitlines()
    >>> header
    'epoch,loss,lr,seconds'
    >>> [row.split(",")[:2] for row in rows]
    [['0', '0.25'], ['1', '0.0625']]
    """

    def __init__(self, path: str | os.PathLike[str], append: bool = False) -> None:
        self.path: str = checked_path(path, "CSVLogger: path")
        if not isinstance(append, bool):
            raise TypeError(
                "CSVLogger: append must be True or False, got "
                f"{type(append).__name__} {append!r}"
            )
        self.append = append
        self._epoch = -1  # the newest one written

    def __repr__(self) -> str:
        return f"CSVLogger({self.path!r}, append={self.append})"

    def __enter__(self) -> Self:
        """Look before a fit begins whether the file can be written."""
        check_file(self.path)
        self._epoch = -1
        return self

    def __exit__(self, *error: object) -> None:
        """Do nothing: each row was complete, and the file is closed."""

    def __call__(self, info: EpochInfo) -> None:
        """Write the row of an epoch, the header before the first."""
        text = _line([info.epoch, *info.logs.values()])
        columns = ["epoch", *info.logs]
        begins = not 0 <= self._epoch < info.epoch
        if begins and self.append:
            self._make_room(columns, info.epoch)
        elif begins:
            Path(self.path).write_bytes(b"")
        with open(self.path, "ab", buffering=0) as file:  # noqa: PTH123
            file.write(text if file.tell() else _line(columns) + text)
        self._epoch = info.epoch

    def _make_room(self, columns: list[str], epoch: int) -> None:
        """Drop what the coming rows replace from the file to append to."""
        path = Path(self.path)
        if not path.exists():
            return
        lines = path.read_bytes().splitlines(keepends=True)
        while lines and not lines[-1].endswith(b"\n"):
            lines.pop()
        if lines and lines[0] != _line(columns):
            raise ValueError(
                f"CSVLogger: {self.path!r} has the columns "
                f"{lines[0].decode(errors='replace').strip()!r}, but this fit has "
                f"{','.join(columns)!r}: log to another file, or pass append=False"
            )
        while epoch > 0 and len(lines) > 1 and _epoch_of(lines[-1]) >= epoch:
            lines.pop()
        os.truncate(path, sum(map(len, lines)))


def _line(values: Sequence[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode()


def _epoch_of(line: bytes) -> int:
    """Return the epoch of a row; -1 if it has none."""
    number = line.partition(b",")[0]
    return int(number) if number.isdigit() else -1
