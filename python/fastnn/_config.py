"""The base of every description a user writes: layers, losses, optimizers, schedules.

A description is an inert frozen dataclass. Its types are checked here, from its own
annotations; its ranges are checked once, by the C++ struct of the same name.
"""

from __future__ import annotations

import dataclasses
import functools
import numbers
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

__all__ = [
    "Config",
    "from_name",
    "is_int",
    "is_real",
    "nearest",
    "number",
    "short_repr",
    "step_number",
    "unknown_name",
    "whole",
]


# What other libraries call things: spelling alone would lead astray (swish to mish).
_ELSEWHERE = {
    "acc": "accuracy",
    "bce": "binary_cross_entropy",
    "bce_with_logits": "binary_cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "ce": "cross_entropy",
    "kaiming_normal": "he_normal",
    "kaiming_uniform": "he_uniform",
    "linear": "identity",
    "log_loss": "cross_entropy",
    "logistic": "sigmoid",
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "mse_loss": "mse",
    "nll": "cross_entropy",
    "poisson_nll": "poisson",
    "roc_auc": "auc",
    "smooth_l1": "huber",
    "sparse_categorical_crossentropy": "cross_entropy",
    "swish": "silu",
    "xavier_normal": "glorot_normal",
    "xavier_uniform": "glorot_uniform",
}


def nearest(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'adam'?"`` for the closest known name, else ``""``."""
    import difflib  # noqa: PLC0415  (only a mistake needs it)

    names = list(known)
    close = [n for n in names if n == _ELSEWHERE.get(name.lower())]
    close += difflib.get_close_matches(name.lower(), names, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def unknown_name(argument: str, name: str, known: Iterable[str]) -> ValueError:
    """The error for a name that is none of the known ones."""
    known = list(known)
    return ValueError(
        f"{argument}: unknown name {name!r}{nearest(name, known) or '.'} "
        f"Known names: {', '.join(known)}."
    )


def is_real(value: object) -> bool:
    """Whether this is a number, of NumPy or Python, and no boolean."""
    return isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))


def is_int(value: object) -> bool:
    """Whether this is an integer, of NumPy or Python, and no boolean."""
    return isinstance(value, numbers.Integral) and not isinstance(
        value, (bool, np.bool_)
    )


def number(argument: str, value: object) -> float:
    """`value` as a float, or an error that names the argument."""
    if not is_real(value):
        raise TypeError(
            f"{argument} must be a number, got {type(value).__name__} {value!r}"
        )
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        raise ValueError(
            f"{argument} must be a number within the range of float64, got an integer "
            "beyond it"
        ) from None


def step_number(value: object) -> int:
    """`value` as the number of a step, or an error that names it."""
    if type(value) is not int and not is_int(value):
        raise TypeError(
            f"step must be an integer >= 1, got {type(value).__name__} {value!r}"
        )
    return whole("step", value)


def whole(argument: str, value: Any, below: int = 2**63) -> int:
    """`value`, known to be an integer, as an int that C++ can hold."""
    result = int(value)
    if -(2**63) <= result < below:
        return result
    bits = below.bit_length() - 1
    raise ValueError(
        f"{argument} must be below 2**{bits} in size, got an integer of "
        f"{len(str(abs(result)))} digits"
    )


# annotation -> (what to call it, test, conversion of a named value to plain Python)
_KINDS: dict[Any, tuple[str, Callable[[object], bool], Callable[[str, Any], Any]]] = {
    float: ("a number", is_real, number),
    int: ("an integer", is_int, whole),
    bool: (
        "True or False",
        lambda v: isinstance(v, (bool, np.bool_)),
        lambda _, v: bool(v),
    ),
    str: ("a string", lambda v: isinstance(v, str), lambda _, v: str(v)),
}


def _how_many(kinds: tuple[Any, ...]) -> str:
    return "" if kinds[-1:] == (Ellipsis,) else f"{len(kinds)} "


def _checked(owner: str, name: str, annotation: Any, value: Any) -> Any:
    """`value` as the plain Python type its annotation asks for, or a TypeError."""
    if typing.get_origin(annotation) in (tuple, Sequence):
        kinds = typing.get_args(annotation)
        if len(kinds) == 1:  # Sequence[int]
            kinds = (*kinds, ...)
        if kinds[-1:] == (Ellipsis,) and isinstance(value, (tuple, list)):
            kinds = kinds[:1] * len(value)
        if not isinstance(value, (tuple, list)) or len(value) != len(kinds):
            raise TypeError(
                f"{owner}: {name} must be a tuple of {_how_many(kinds)}numbers, "
                f"got {value!r}"
            )
        return tuple(
            _checked(owner, f"{name}[{i}]", kind, item)
            for i, (kind, item) in enumerate(zip(kinds, value, strict=True))
        )
    if typing.get_origin(annotation) is typing.Literal:
        return _chosen(owner, name, typing.get_args(annotation), value)
    options = typing.get_args(annotation) or (annotation,)
    if value is None and type(None) in options:
        return None
    if any(_is_choice(option, value) for option in options):
        return value
    known = [_KINDS[option] for option in options if option in _KINDS]
    if not known:  # a type of its own: checked by the class that declares it
        return value
    for _, test, convert in known:
        if test(value):
            return convert(f"{owner}: {name}", value)
    names = [repr(name) for option in options for name in _choices(option)]
    wanted = " or ".join(names + [what for what, _, _ in known])
    raise TypeError(
        f"{owner}: {name} must be {wanted}, got {type(value).__name__} {value!r}"
    )


def _choices(annotation: Any) -> tuple[Any, ...]:
    """The names that one of an annotation's alternatives lists."""
    is_list = typing.get_origin(annotation) is typing.Literal
    return typing.get_args(annotation) if is_list else ()


def _is_choice(annotation: Any, value: Any) -> bool:
    return isinstance(value, str) and value in _choices(annotation)


def _chosen(owner: str, name: str, names: tuple[str, ...], value: Any) -> str:
    """`value` if it is one of the names."""
    if not isinstance(value, str):
        raise TypeError(
            f"{owner}: {name} must be a string, got {type(value).__name__} {value!r}"
        )
    if value not in names:
        known = " or ".join(repr(n) for n in names)
        raise ValueError(
            f"{owner}: {name} must be {known}, got {value!r}{nearest(value, names)}"
        )
    return value


@functools.cache  # resolving them takes ten times as long as all the rest
def _annotations(cls: Any) -> dict[str, Any]:
    """Return the types of a description's fields, inherited ones too.

    But for the field that marks what follows as keywords, which typing refuses before
    Python 3.11.
    """
    hints: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        own = dict(vars(base).get("__annotations__", {}))
        own.pop("_", None)
        scope = {"__annotations__": own, "__module__": base.__module__}
        hints |= typing.get_type_hints(type(base.__name__, (), scope))
    return hints


def _values(config: Any) -> tuple[Any, ...]:
    return tuple(getattr(config, f.name) for f in dataclasses.fields(config))


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Config:
    """A frozen description with a name (`kind`) that Python and C++ share."""

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        hints = _annotations(type(self))  # type: ignore[arg-type]
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            checked = _checked(
                type(self).__name__, field.name, hints[field.name], value
            )
            if checked is not value:
                object.__setattr__(self, field.name, checked)
        try:
            self._check_ranges()
        except ValueError as error:
            raise ValueError(f"{type(self).__name__}: {error}") from None

    # Written once here rather than generated by every dataclass: generating them takes
    # most of the time that `import fastnn` takes.

    def __eq__(self, other: object) -> bool:
        """Whether `other` is of the same class and says the same."""
        if type(other) is not type(self):
            return NotImplemented
        return _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash(_values(self))

    def __repr__(self) -> str:
        names = (field.name for field in dataclasses.fields(self))
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({shown})"

    def _check_ranges(self) -> None:
        """Let the C++ twin refuse values out of range."""

    def to_native(self) -> dict[str, Any]:
        """The description as the dict from which C++ reads its twin."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {"kind": self.kind, **values}

    @classmethod
    def from_stored(cls, fields: dict[str, Any]) -> typing.Any:
        """The description that `stored` gave these fields of; all are checked."""
        return cls(**fields)

    def stored(self) -> dict[str, Any]:
        """The fields as a file keeps them; all else is `fastnn._plain`'s business."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}


def short_repr(config: Config) -> str:
    """Return the class and the fields that differ from their defaults."""
    shown = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.default is dataclasses.MISSING:
            shown.append(repr(value))
        elif value != field.default:
            shown.append(f"{field.name}={value!r}")
    return f"{type(config).__name__}({', '.join(shown)})"


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'AEIOU' else 'a'} {noun}"


_C = typing.TypeVar("_C", bound=Config)


def from_name(
    argument: str, value: object, family: type[_C], registry: Mapping[str, type[_C]]
) -> _C:
    """An object of the family from itself or from its name in the registry."""
    if isinstance(value, family):
        return value
    if isinstance(value, str):
        if value.lower() in registry:
            return registry[value.lower()]()
        raise unknown_name(argument, value, sorted(registry))
    if isinstance(value, type) and issubclass(value, family):
        raise TypeError(
            f"{argument} is the class {value.__name__}; write {value.__name__}()"
        )
    raise TypeError(
        f"{argument} must be a name or {_with_article(family.__name__)}, "
        f"got {type(value).__name__} {value!r}"
    )
