"""What runs at the end of each epoch.

A callback is any callable that takes one `EpochInfo`; a true return value stops the
training after this epoch. Exceptions it raises come out of ``fit`` unchanged. One that
is a context manager too is entered when the fit begins and left when it ends, however
it ends; what its ``__exit__`` returns is not looked at.
"""

from fastnn.callbacks.averaging import AVERAGES, EMA, SWA, Averaging
from fastnn.callbacks.checkpoint import Checkpoint
from fastnn.callbacks.csv_logger import CSVLogger
from fastnn.callbacks.early_stopping import EarlyStopping
from fastnn.callbacks.epoch_info import Callback, EpochInfo
from fastnn.callbacks.tensorboard import TensorBoard

__all__ = [
    "AVERAGES",
    "EMA",
    "SWA",
    "Averaging",
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "EpochInfo",
    "TensorBoard",
]
