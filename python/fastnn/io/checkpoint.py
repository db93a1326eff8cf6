"""A fit in a file: what it is, where it stands, and the network as it is by now.

The engine gives its state as flat arrays and plain numbers (`FitState` in C++). Groups
of flat arrays stand in the file under ``run.`` (the weights that are trained),
``best.`` (those of the best epoch), ``average.`` and ``optimizer.``; the network that
`load` returns stands under ``net.`` by the names of its tensors. Where that is one of
the groups, the group is not stored twice.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, TypeVar, get_args

import numpy as np
import numpy.typing as npt

from fastnn._network import Network
from fastnn._paths import checked_path
from fastnn._plain import check_fields
from fastnn._validation import check_int
from fastnn.callbacks import EMA, SWA
from fastnn.errors import ModelFileError
from fastnn.history import StopReason
from fastnn.io.container import naming, read_container, write_container
from fastnn.io.header import tensor_field
from fastnn.io.model_file import KIND as NETWORK
from fastnn.io.model_file import NetworkRecord, network_specs, told_as
from fastnn.io.run_record import RunRecord
from fastnn.layers.base import TensorSpec

__all__ = ["Checkpoint", "CheckpointWriter", "load_network"]

_KIND = "trainer"
_FIELDS = ("net", "trainer", "fit", "data", "state")
_COUNTS = 2**62
_FLOATS = ("usual_loss", "first_square", "lr", "stopping", "plateau lr", "plateau best")
_MAY_BE_NAN = ("optimizer.", "numbers", "curves")  # averages become weights
_STOPS = tuple(
    reason
    for reason in get_args(StopReason)
    if reason not in ("diverged", "interrupted")
)

_Tensors: TypeAlias = dict[str, npt.NDArray[Any]]
_N = TypeVar("_N", bound=Network)
_NetIs: TypeAlias = Literal["run", "best", "average", "own"]


# -- flat arrays and tensors ----------------------------------------------------------


def _group_of(name: str) -> str:
    """Return the engine's buffer that a tensor lies in."""
    if name.endswith(".num_batches_tracked"):
        return "counters"
    return "statistics" if ".running_" in name else "parameters"


class _Layout:
    """Where the tensors of a network lie in the engine's flat buffers."""

    def __init__(self, specs: Mapping[str, TensorSpec], dtype: str) -> None:
        self.specs = specs
        self.dtypes = {"parameters": dtype, "statistics": dtype, "counters": "int64"}
        self.sizes = dict.fromkeys(self.dtypes, 0)
        for name, (_, shape) in specs.items():
            self.sizes[_group_of(name)] += math.prod(shape)

    def flat_specs(self, group: str) -> dict[str, TensorSpec]:
        """Return dtype and shape of the flat arrays of a group such as "best"."""
        parts = ["parameters", "statistics"]
        if group != "average":
            parts.append("counters")
        return {
            f"{group}.{part}": (self.dtypes[part], (self.sizes[part],))
            for part in parts
        }

    def named(self, flat: Mapping[str, npt.NDArray[Any]]) -> _Tensors:
        """Return the tensors that lie in flat arrays."""
        tensors, at = {}, dict.fromkeys(self.dtypes, 0)
        for name, (_, shape) in self.specs.items():
            part, size = _group_of(name), math.prod(shape)
            begin = at[part]
            tensors[name] = flat[part][begin : begin + size].reshape(shape)
            at[part] = begin + size
        return tensors

    def check(self, group: str, flat: Mapping[str, npt.NDArray[Any]]) -> None:
        """Raise ModelFileError for numbers that no network can have."""
        for name, values in self.named(flat).items():
            if name.endswith((".running_var", ".num_batches_tracked")) and np.any(
                values < 0
            ):
                raise ModelFileError(
                    tensor_field(f"{group}.{_group_of(name)}"),
                    f"{name} in it must be >= 0",
                )

    def flat(self, tensors: Mapping[str, npt.NDArray[Any]]) -> _Tensors:
        """Return the flat arrays that tensors lie in."""
        pieces: dict[str, list[npt.NDArray[Any]]] = {part: [] for part in self.dtypes}
        for name in self.specs:
            pieces[_group_of(name)].append(tensors[name].reshape(-1))
        return {
            part: np.concatenate([np.empty(0, self.dtypes[part]), *arrays])
            for part, arrays in pieces.items()
        }


# -- writing --------------------------------------------------------------------------


class CheckpointWriter:
    """Writes the file of one fit after each epoch, and once more when it is over.

    Parameters
    ----------
    path : str
        The file.
    net : Network
        The network that is trained, built.
    run : RunRecord
        What does not change from epoch to epoch.
    resumed : Checkpoint, optional
        What the fit goes on from.
    """

    def __init__(
        self, path: str, net: Network, run: RunRecord, resumed: Checkpoint | None
    ) -> None:
        self._path = path
        self._net = NetworkRecord.of(net)
        self._run = run
        self._layout = _Layout(self._net.tensors(), self._net.dtype)
        self._state: dict[str, Any] | None = None
        self._net_is: _NetIs | None = None
        if resumed is not None:
            self._state = resumed.state
            if resumed.path == path:
                self._net_is = resumed.net_is

    def save(self, state: dict[str, Any]) -> None:
        """Write the state after an epoch; the engine calls it."""
        averaged = isinstance(self._run.fit.averaging, EMA)
        self._state = state
        self._write("average" if averaged else "run", {})

    def finish(self, net: Network, epochs: int) -> None:
        """Write the network that the fit ended with, if the file holds another one."""
        if self._state is None or self._state["epoch"] != epochs:
            return  # a callback broke the network: the file holds the last whole one
        net_is: _NetIs = "run"
        if self._state["best"] is not None:
            net_is = "best"
        elif self._state["average"]["count"]:
            net_is = "own" if isinstance(self._run.fit.averaging, SWA) else "average"
        if net_is != self._net_is:
            self._write(net_is, net.state_dict() if net_is == "own" else {})

    def _write(self, net_is: _NetIs, tensors: _Tensors) -> None:
        state: Any = self._state
        groups = {"run": state["network"], "average": state["average"]}
        if state["best"] is not None:
            groups["best"] = state["best"]
        if net_is != "own":
            tensors = self._layout.named({**groups["run"], **groups[net_is]})
        tensors = {f"net.{name}": array for name, array in tensors.items()}
        for group in groups:
            if group != net_is:
                for name in self._layout.flat_specs(group):
                    tensors[name] = groups[group][name.removeprefix(f"{group}.")]
        for name, slot in state["trainer"]["slots"].items():
            tensors[f"optimizer.{name}"] = slot
        tensors["numbers"] = _floats(state)
        tensors["curves"] = np.array([*state["curves"].values()], np.float64).T
        epochs, steps = state["progress"]
        record = dataclasses.replace(self._net, epochs=epochs, steps=steps)
        config = {
            "net": record.to_plain(),
            **self._run.to_plain(),
            "state": _integers(state, net_is),
        }
        write_container(self._path, _KIND, config, tensors, may_be_nan=_MAY_BE_NAN)
        self._net_is = net_is


def _floats(state: dict[str, Any]) -> npt.NDArray[np.float64]:
    """Return the numbers that may be infinite, which JSON does not know."""
    lr, best, _, _ = state["trainer"]["plateau"]
    first = state["usual_loss"], state["first_square"], state["trainer"]["lr"]
    return np.array([*first, state["stopping"][0], lr, best], np.float64)


def _integers(state: dict[str, Any], net_is: _NetIs) -> dict[str, Any]:
    _, _, bad_epochs, cooldown_left = state["trainer"]["plateau"]
    _, best_epoch, waited = state["stopping"]
    return {
        "epoch": state["epoch"],
        "steps": state["steps"],
        "stop": state["stop"],
        "trainer_epoch": state["trainer"]["epoch"],
        "trainer_step": state["trainer"]["step"],
        "slots": len(state["trainer"]["slots"]),
        "bad_epochs": bad_epochs,
        "cooldown_left": cooldown_left,
        "best_epoch": best_epoch,
        "waited": waited,
        "average_count": state["average"]["count"],
        "has_best": state["best"] is not None,
        "net_is": net_is,
    }


# -- reading --------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A fit that can be completed, read from a file."""

    path: str
    net: NetworkRecord
    run: RunRecord
    tensors: _Tensors
    """Of the network that the fit has by now, by name."""
    state: dict[str, Any]
    """As the engine takes it."""
    net_is: _NetIs

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Read the file that `CheckpointWriter` wrote, believing nothing of it.

        Raises
        ------
        ModelFileError
            If the file is damaged, hostile or none of a fit.
        OSError
            If it cannot be read.
        """
        _, config, tensors = read_container(
            path, (_KIND,), _expected, may_be_nan=_MAY_BE_NAN
        )
        name = checked_path(path)
        with naming(name):
            record, run, numbers = _records(config)
            named = _net_tensors(tensors)
            state = _state(record, run, numbers, named, tensors)
        return cls(name, record, run, named, state, numbers["net_is"])

    def network(self, cls: type[_N]) -> _N:
        """Return the network that the fit has by now."""
        with naming(self.path):
            return self.net.network(cls, self.tensors)

    def check_completed_by(self, run: RunRecord, net: Network) -> None:
        """Raise ValueError unless a fit of this net and trainer completes this one."""
        if frozenset(net.frozen) != self.net.frozen:
            raise ValueError(
                f"freeze: the fit to complete, in {self.path!r}, has the layers "
                f"{tuple(sorted(self.net.frozen))} frozen, the network {net.frozen}: "
                "complete it first, or begin another with fnn.Trainer(fnn.load(path), "
                "...)"
            )
        self.run.check_same(run, self.path, self.epoch)

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return int(self.state["epoch"])


def load_network(path: str | os.PathLike[str], cls: type[_N]) -> _N:
    """Return the network of a file of either kind; `fastnn.load` is the user's word."""
    kind, config, tensors = read_container(
        path, (NETWORK, _KIND), _expected, may_be_nan=_MAY_BE_NAN
    )
    with naming(path):
        record = NetworkRecord.from_plain(config["net"], "config.net")
        if kind == _KIND:
            tensors = _net_tensors(tensors)
        return record.network(cls, tensors)


def _net_tensors(tensors: _Tensors) -> _Tensors:
    prefix = "net."
    return {
        n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)
    }


def _records(
    config: dict[str, Any],
) -> tuple[NetworkRecord, RunRecord, dict[str, Any]]:
    """Return what the config of a checkpoint says, checked."""
    given = check_fields(config, _FIELDS, "config")
    record = NetworkRecord.from_plain(given["net"], "config.net")
    run = RunRecord.from_plain(given, "config")
    return record, run, _checked_integers(given["state"], run)


def _checked_integers(plain: object, run: RunRecord) -> dict[str, Any]:
    where = "config.state"
    lowest = {
        "epoch": 1,
        "steps": 1,
        "trainer_epoch": 1,
        "trainer_step": 0,
        "slots": 0,
        "bad_epochs": 0,
        "cooldown_left": 0,
        "best_epoch": -1,
        "waited": 0,
        "average_count": 0,
    }
    state = check_fields(plain, (*lowest, "stop", "has_best", "net_is"), where)
    for name, at_least in lowest.items():
        with told_as(f"{where}.{name}"):
            check_int(name, state[name], at_least, below=_COUNTS)
    if state["stop"] is not None and state["stop"] not in _STOPS:
        raise ModelFileError(
            f"{where}.stop", f"must be one of {_STOPS} or null, got {state['stop']!r}"
        )
    stopping, averaging = run.fit.early_stopping, run.fit.averaging
    restores = stopping is not None and stopping.restore_best_weights
    optimizer = run.trainer["optimizer"]
    possible = {
        "slots": optimizer.state_names(state["slots"]) is not None,
        "epoch": state["epoch"] <= run.fit.epochs,
        "best_epoch": state["best_epoch"] < (state["epoch"] if stopping else 0),
        "has_best": state["has_best"] is (restores and state["best_epoch"] >= 0),
        "average_count": bool(averaging) or not state["average_count"],
        "net_is": state["net_is"]
        in ("run", *_others(averaging, has_best=state["has_best"], state=state)),
    }
    for name, is_possible in possible.items():
        if not is_possible:
            raise ModelFileError(
                f"{where}.{name}", f"no such fit has {state[name]!r} here"
            )
    return state


def _others(averaging: object, *, has_best: bool, state: dict[str, Any]) -> list[str]:
    """Return what the network may be beside the weights that are trained."""
    others = ["best"] if has_best else []
    if averaging is not None and state["average_count"]:
        others.append("average" if isinstance(averaging, EMA) else "own")
    return others


def _groups(run: RunRecord, numbers: dict[str, Any], layout: _Layout) -> Any:
    """Return dtype and shape of the engine's arrays, by group and by name."""
    groups = {"run": layout.flat_specs("run"), "average": layout.flat_specs("average")}
    if numbers["has_best"]:
        groups["best"] = layout.flat_specs("best")
    empty = (layout.dtypes["parameters"], (0,))
    if run.fit.averaging is None:
        groups["average"]["average.parameters"] = empty
    if not isinstance(run.fit.averaging, EMA):
        groups["average"]["average.statistics"] = empty
    groups.pop(numbers["net_is"], None)
    return groups


def _expected(kind: str, config: dict[str, Any]) -> dict[str, TensorSpec]:
    """Return dtype and shape of every tensor that such a file has."""
    if kind != _KIND:
        return network_specs(config)
    record, run, numbers = _records(config)
    specs = record.tensors()
    layout = _Layout(specs, record.dtype)
    expected = {f"net.{name}": spec for name, spec in specs.items()}
    for group in _groups(run, numbers, layout).values():
        expected.update(group)
    flat = (record.dtype, (layout.sizes["parameters"],))
    for name in run.trainer["optimizer"].state_names(numbers["slots"]):
        expected[f"optimizer.{name}"] = flat
    expected["numbers"] = ("float64", (len(_FLOATS),))
    expected["curves"] = ("float64", (numbers["epoch"], len(run.curves)))
    return expected


def _state(
    record: NetworkRecord,
    run: RunRecord,
    numbers: dict[str, Any],
    named: _Tensors,
    tensors: _Tensors,
) -> dict[str, Any]:
    """Return the state as the engine takes it."""
    layout = _Layout(record.tensors(), record.dtype)
    found: dict[str, dict[str, Any]] = {"run": {}, "average": {}, "best": {}}
    for group, specs in _groups(run, numbers, layout).items():
        for name in specs:
            found[group][name.removeprefix(f"{group}.")] = tensors[name]
    if numbers["net_is"] != "own":
        found[numbers["net_is"]] = layout.flat(named)
    for group in ("run", "best"):
        if found[group]:
            layout.check(group, found[group])
    usual_loss, first_square, base_lr, stopping, lr, best = _checked_floats(
        tensors["numbers"]
    )
    return {
        "network": found["run"],
        "progress": (record.epochs, record.steps),
        "trainer": {
            "epoch": numbers["trainer_epoch"],
            "step": numbers["trainer_step"],
            "slots": {
                name: tensors[f"optimizer.{name}"]
                for name in run.trainer["optimizer"].state_names(numbers["slots"])
            },
            "lr": base_lr,
            "plateau": (lr, best, numbers["bad_epochs"], numbers["cooldown_left"]),
        },
        "epoch": numbers["epoch"],
        "steps": numbers["steps"],
        "stop": numbers["stop"],
        "usual_loss": usual_loss,
        "first_square": first_square,
        "stopping": (stopping, numbers["best_epoch"], numbers["waited"]),
        "best": found["best"] or None,
        "average": {**found["average"], "count": numbers["average_count"]},
        "curves": {
            name: column.tolist()
            for name, column in zip(run.curves, tensors["curves"].T, strict=True)
        },
    }


def _checked_floats(numbers: npt.NDArray[np.float64]) -> list[float]:
    """Return the numbers: no NaN, and a learning rate that is one."""
    values: list[float] = numbers.tolist()
    for name, value in zip(_FLOATS, values, strict=True):
        may = not math.isnan(value)
        if name not in {"stopping", "plateau best"}:
            may = value >= 0 and (math.isfinite(value) or name == "first_square")
        if not may:
            raise ModelFileError(tensor_field("numbers"), f"{name} cannot be {value}")
    return values
