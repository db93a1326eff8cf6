"""JSON out of files that anybody may have written: bounded, and without surprises.

Python's parser takes the last of two equal keys, NaN and Infinity, integers of any
length, halves of surrogate pairs, and nests until the stack ends. Here each of these is
an error.
"""

from __future__ import annotations

import json
import math
from typing import Any

from fastnn.errors import ModelFileError

__all__ = ["parse", "text_of"]

_DEEPEST = 32  # ours nest 25 at most: 8 blocks within blocks take 16
_LONGEST_INTEGER = 20  # characters: 2**64 fits, and so does -2**63
_LONGEST_REAL = 32  # Python writes 24 at most


def text_of(value: object) -> str:
    """Return the value as the shortest JSON.

    Raises
    ------
    ValueError, TypeError
        If `parse` would refuse it, or JSON has no word for it.

    Examples
    --------
    >>> from fastnn.io.strict_json import text_of
    >>> text_of({"p": 0.5, "milestones": (3, 5)})
    '{"p":0.5,"milestones":[3,5]}'
    """
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    parse(text, "config")
    return text


def parse(text: str, field: str) -> Any:
    """Return what the JSON text says.

    Parameters
    ----------
    text : str
        At most as long as what the caller is willing to hold.
    field : str
        What the text is called in errors.

    Raises
    ------
    ModelFileError
        For text that is not JSON, keys given twice, NaN, infinity, integers beyond 64
        bits, nesting deeper than 32, and text that cannot be encoded.

    Examples
    --------
    >>> from fastnn.io.strict_json import parse
    >>> parse('{"units": 3}', "config")
    {'units': 3}
    >>> parse('{"units": 3, "units": 4}', "config")
    Traceback (most recent call last):
    ...
    fastnn.errors.ModelFileError: config: holds the key 'units' twice
    """
    _check_depth(text, field)

    def refuse(name: str) -> Any:
        raise ModelFileError(field, f"holds {name}, which is no JSON")

    def integer(digits: str) -> int:
        if len(digits) > _LONGEST_INTEGER:
            raise ModelFileError(
                field, f"holds an integer of {len(digits)} characters: {digits[:30]}..."
            )
        return int(digits)

    def real(digits: str) -> float:
        value = float(digits) if len(digits) <= _LONGEST_REAL else math.inf
        if not math.isfinite(value):
            raise ModelFileError(
                field, f"holds a number that no float64 needs: {digits[:30]}..."
            )
        return value

    def without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise ModelFileError(field, f"holds the key {key!r} twice")
            found[key] = value
        return found

    try:
        value = json.loads(
            text,
            object_pairs_hook=without_twins,
            parse_constant=refuse,
            parse_int=integer,
            parse_float=real,
        )
    except json.JSONDecodeError as error:
        raise ModelFileError(field, f"is not JSON: {error}") from None
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ModelFileError(
            field, "holds half of a surrogate pair, which is no text"
        ) from None
    return value


def _check_depth(text: str, field: str) -> None:
    """Refuse deep nesting before the parser, which recurses, sees it."""
    outside = text.replace(r"\\", "").replace(r"\"", "").split('"')[::2]
    depth = 0
    for character in "".join(outside):
        if character in "[{":
            depth += 1
            if depth > _DEEPEST:
                raise ModelFileError(field, f"nests deeper than {_DEEPEST} levels")
        elif character in "]}":
            depth -= 1
