"""Descriptions as plain data, for files, and back by a closed registry.

No class is ever found by a name that stands in a file: a registry holds all there are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from fastnn._config import Config
from fastnn.errors import ModelFileError

__all__ = ["check_fields", "from_plain", "to_plain"]

_C = TypeVar("_C", bound=Config)

_LONGEST_NAME = 200  # spelling corrections of long ones take their time


def to_plain(description: Config) -> dict[str, Any]:
    """Return a layer, loss, optimizer, schedule ... as a dict that JSON can hold.

    All fields are written, those at their default as well, so that a later default
    does not change what a file means. Arrays given as ``Dense(init=(W, b))`` are not:
    the tensors of the network are what counts, and the layer comes back with
    ``init="auto"``.

    Examples
    --------
    >>> import fastnn as fnn
    >>> from fastnn._plain import to_plain
    >>> to_plain(fnn.Warmup(2, then=fnn.Exponential(0.5)))
    {'kind': 'warmup', 'per': 'epoch', 'steps': 2,
     'then': {'kind': 'exponential', 'per': 'epoch', 'gamma': 0.5}}
    """
    fields = description.stored()
    return {
        "kind": description.kind,
        **{name: _plain_value(value) for name, value in fields.items()},
    }


def _plain_value(value: Any) -> Any:
    if isinstance(value, Config):
        return to_plain(value)
    if isinstance(value, tuple):
        return [_plain_value(item) for item in value]
    return value


def from_plain(
    family: type[_C], registry: Mapping[str, type[Config]], plain: object, where: str
) -> _C:
    """Return the description that `to_plain` made `plain` of.

    Parameters
    ----------
    family : type
        What is expected: `Layer`, `Loss`, `Optimizer`, ...
    registry : mapping of str to type
        Every class there may be by its `kind`, those of nested descriptions (an
        activation in a Dense, a schedule in a Warmup) as well.
    plain : object
        What stands in the file; nothing is believed of it.
    where : str
        What `plain` is called in errors, such as ``"config.net.layers[2]"``.

    Raises
    ------
    ModelFileError
        For an unknown kind or field, a missing one, a value that the class refuses or
        that `to_plain` would have written otherwise.

    Examples
    --------
    >>> import fastnn as fnn
    >>> from fastnn._plain import from_plain
    >>> from fastnn.schedules import SCHEDULES, Schedule
    >>> plain = {"kind": "cosine", "total": 0}
    >>> from_plain(Schedule, SCHEDULES, plain, "config.schedule")
    Traceback (most recent call last):
    ...
    fastnn.errors.ModelFileError: config.schedule: Cosine: total must be...
    """
    cls, given = _class_and_fields(family, registry, plain, where)
    values = {
        name: _value(registry, value, f"{where}.{name}")
        for name, value in given.items()
    }
    try:
        description: _C = cls.from_stored(values)
    except (TypeError, ValueError) as error:
        raise ModelFileError(where, str(error)) from None
    written = to_plain(description)
    for name, value in given.items():
        if written[name] != value:
            raise ModelFileError(
                f"{where}.{name}",
                f"fastnn would write {written[name]!r} here, got {value!r}",
            )
    return description


def _class_and_fields(
    family: type[_C], registry: Mapping[str, type[Config]], plain: object, where: str
) -> tuple[type[_C], dict[str, Any]]:
    """Return the class that `plain` names and its fields, none unknown or missing."""
    if not isinstance(plain, dict):
        raise ModelFileError(
            where, f"must be an object with a kind, got {type(plain).__name__}"
        )
    kind = plain.get("kind")
    cls = registry.get(kind) if isinstance(kind, str) else None
    if cls is None or not issubclass(cls, family):
        known = sorted(k for k, c in registry.items() if issubclass(c, family))
        raise ModelFileError(
            f"{where}.kind",
            f"must be the name of one of fastnn's own, got {kind!r}. "
            f"Known: {', '.join(known)}",
        )
    fields = {field.name: field for field in dataclasses.fields(cls)}
    given = {name: value for name, value in plain.items() if name != "kind"}
    for name in given:
        if name not in fields:
            raise ModelFileError(
                f"{where}.{name}",
                f"{cls.__name__} has no such field; is the file of a newer fastnn?",
            )
    for name, field in fields.items():
        if field.default is dataclasses.MISSING and name not in given:
            raise ModelFileError(f"{where}.{name}", f"{cls.__name__} needs it")
    return cls, given


def _value(registry: Mapping[str, type[Config]], value: object, where: str) -> Any:
    """Return a field's value; an object in it is a description, of some family."""
    if isinstance(value, str) and len(value) > _LONGEST_NAME:
        raise ModelFileError(where, f"must be a name, got {len(value)} characters")
    if isinstance(value, dict):
        return from_plain(Config, registry, value, where)
    if isinstance(value, list):
        return tuple(
            _value(registry, item, f"{where}[{i}]") for i, item in enumerate(value)
        )
    return value


def check_fields(plain: object, names: Iterable[str], where: str) -> dict[str, Any]:
    """Return `plain`, a dict of exactly these names.

    Raises
    ------
    ModelFileError
        Naming the first that is missing or unknown, within `where`.

    Examples
    --------
    >>> from fastnn._plain import check_fields
    >>> check_fields({"seed": 0}, ["seed", "dtype"], "config.net")
    Traceback (most recent call last):
    ...
    fastnn.errors.ModelFileError: config.net.dtype: is missing
    """
    if not isinstance(plain, dict):
        raise ModelFileError(where, f"must be an object, got {type(plain).__name__}")
    known = list(names)
    for name in known:
        if name not in plain:
            raise ModelFileError(f"{where}.{name}", "is missing")
    for name in plain:
        if name not in known:
            raise ModelFileError(f"{where}.{name}", "is no field of this version")
    return plain
