"""The history as TensorBoard shows it."""

from __future__ import annotations

import contextlib
import importlib
import os
from typing import TYPE_CHECKING, Any

from fastnn._paths import checked_path
from fastnn.callbacks.epoch_info import EpochInfo

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["TensorBoard"]

_PACKAGES = ("tensorboardX", "torch.utils.tensorboard")  # the light one first


class TensorBoard:
    """Write losses, metrics and learning rate for TensorBoard, one point an epoch.

    As Keras does, training goes to the run "train" and validation to "validation", so
    that a loss and its twin share a chart. Further fits with one object go on where the
    last one ended. Needs the extra ``fastnn[tensorboard]``, or torch and tensorboard.

    Parameters
    ----------
    log_dir : str or path-like, default "logs"
        The folder, made when a fit begins; ``tensorboard --logdir logs`` shows it.

    Raises
    ------
    ImportError
        If neither package is installed.
    TypeError, ValueError
        If log_dir is no path.
    OSError
        If the folder cannot be made or written to, when the fit begins.

    Examples
    --------
    ``net.fit(X, y, callbacks=[fnn.TensorBoard("logs/first")])``
    """

    def __init__(self, log_dir: str | os.PathLike[str] = "logs") -> None:
        self.log_dir: str = checked_path(log_dir, "TensorBoard: log_dir")
        _summary_writer()
        self._writers: dict[str, Any] = {}
        self._first = 0  # the step of epoch 0
        self._next = 0  # the step after the newest one written

    def __repr__(self) -> str:
        return f"TensorBoard({self.log_dir!r})"

    def __enter__(self) -> Self:
        """Make the folder before a fit begins, or say that it cannot be."""
        os.makedirs(self.log_dir, exist_ok=True)  # noqa: PTH103
        return self

    def __exit__(self, *error: object) -> None:
        """Close the files when the fit ends."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def __call__(self, info: EpochInfo) -> None:
        """Write the values of an epoch; they can be seen within moments."""
        if self._first + info.epoch < self._next:  # another fit
            self._first = self._next
        step = self._first + info.epoch
        for key, value in info.logs.items():
            run = "validation" if key.startswith("val_") else "train"
            self._writer(run).add_scalar(key.removeprefix("val_"), value, step)
        for writer in self._writers.values():
            writer.flush()
        self._next = step + 1

    def _writer(self, run: str) -> Any:
        if run not in self._writers:
            folder = os.path.join(self.log_dir, run)  # noqa: PTH118
            # The name of the file tells the second: two of one second would be one.
            suffix = f".{os.urandom(8).hex()}"
            self._writers[run] = _summary_writer()(folder, filename_suffix=suffix)
        return self._writers[run]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_writers": {}}


def _summary_writer() -> Any:
    """Return the class that writes event files, or say what to install."""
    for name in _PACKAGES:
        with contextlib.suppress(ModuleNotFoundError):
            return importlib.import_module(name).SummaryWriter
    raise ImportError(
        "TensorBoard needs a package that writes its files: pip install "
        "'fastnn[tensorboard]' (tensorboardX), or torch and tensorboard"
    )
