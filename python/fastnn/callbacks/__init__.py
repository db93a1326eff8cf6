"""What runs at the end of each epoch.

A callback is any callable that takes one `EpochInfo`; a true return value stops the
training after this epoch. Exceptions it raises come out of ``fit`` unchanged.
"""

from fastnn.callbacks.averaging import AVERAGES, EMA, SWA, Averaging
from fastnn.callbacks.early_stopping import EarlyStopping
from fastnn.callbacks.epoch_info import Callback, EpochInfo

__all__ = [
    "AVERAGES",
    "EMA",
    "SWA",
    "Averaging",
    "Callback",
    "EarlyStopping",
    "EpochInfo",
]
