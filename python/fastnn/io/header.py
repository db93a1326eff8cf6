"""The header of a safetensors file, read as if its author wished us ill.

Eight bytes tell the header's length; the header is a JSON object of one entry for each
tensor, ``{"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}``, and
``__metadata__``, strings by name; then come the tensors' bytes.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

import numpy as np

from fastnn.errors import ModelFileError
from fastnn.io.strict_json import parse
from fastnn.layers.base import TensorSpec

__all__ = [
    "DTYPES",
    "LONGEST_HEADER",
    "Entry",
    "check_ranges",
    "check_set",
    "opened",
    "read_header",
    "tensor_field",
]

LONGEST_HEADER = 2**20
"""In bytes: some thousand layers."""

DTYPES = {"F32": "float32", "F64": "float64", "I64": "int64", "U64": "uint64"}
"""The types a file of ours may hold, and NumPy's names of them."""


class Entry(NamedTuple):
    """One tensor of the header: its type, shape and place among the data."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def tensor_field(name: str) -> str:
    """Return what a tensor is called in errors."""
    return f"tensor {name!r}"


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """Open a regular file for reading; another kind of file could hang or never end."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "a pipe or device"
            raise ModelFileError("file", f"is {what}, not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def read_header(file: BinaryIO) -> tuple[dict[str, str], dict[str, Entry], int]:
    """Return the metadata, the entries by name, and the number of bytes after them."""
    size = os.fstat(file.fileno()).st_size
    if size < 8:
        raise ModelFileError(
            "file", f"is {size} bytes long: it is empty, cut off or no fastnn file"
        )
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(LONGEST_HEADER, size - 8):
        raise ModelFileError(
            "header length",
            f"is {length}, but must be from 2 to {LONGEST_HEADER} and within the "
            f"{size - 8} bytes that follow: the file is cut off or no fastnn file",
        )
    raw = file.read(length)
    if len(raw) != length:
        raise ModelFileError("header", "ended while it was read")
    try:
        header = parse(raw.decode(), "header")
    except UnicodeDecodeError as error:
        raise ModelFileError("header", f"is not UTF-8: {error}") from None
    if not isinstance(header, dict):
        raise ModelFileError(
            "header", f"must be a JSON object, got {type(header).__name__}"
        )
    metadata = _metadata(header.pop("__metadata__", None))
    entries = {
        name: _entry(tensor_field(name), value) for name, value in header.items()
    }
    return metadata, entries, size - 8 - length


def _metadata(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ModelFileError(
            "__metadata__",
            "is missing or no object: a safetensors file, but not one of fastnn's",
        )
    for key, text in value.items():
        if not isinstance(text, str):
            raise ModelFileError(
                f"__metadata__.{key}", f"must be a string, got {type(text).__name__}"
            )
    return value


def _entry(field: str, value: object) -> Entry:
    known = ("dtype", "shape", "data_offsets")
    if not isinstance(value, dict) or set(value) != set(known):
        raise ModelFileError(
            field, f"must be an object of {', '.join(known)}, got {value!r}"
        )
    dtype = value["dtype"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ModelFileError(
            f"{field}: dtype", f"must be one of {', '.join(DTYPES)}, got {dtype!r}"
        )
    shape = _counts(f"{field}: shape", value["shape"])
    offsets = _counts(f"{field}: data_offsets", value["data_offsets"])
    if len(offsets) != 2:
        raise ModelFileError(
            f"{field}: data_offsets", f"must be two numbers, got {len(offsets)}"
        )
    return Entry(DTYPES[dtype], shape, *offsets)


def _counts(field: str, value: object) -> tuple[int, ...]:
    """Return a list of integers >= 0; True is none."""
    if not isinstance(value, list) or any(type(v) is not int or v < 0 for v in value):
        raise ModelFileError(field, f"must be a list of integers >= 0, got {value!r}")
    return tuple(value)


def check_set(entries: Mapping[str, Entry], expected: Mapping[str, TensorSpec]) -> None:
    """Raise unless the header lists exactly the expected tensors."""
    for name in entries:
        if name not in expected:
            raise ModelFileError(
                tensor_field(name), "is none of those that the config implies"
            )
    for name, (dtype, shape) in expected.items():
        entry = entries.get(name)
        if entry is None:
            raise ModelFileError(
                tensor_field(name), "is missing; the config implies it"
            )
        if entry.dtype != dtype:
            raise ModelFileError(
                f"{tensor_field(name)}: dtype",
                f"must be {dtype} by the config, got {entry.dtype}",
            )
        if entry.shape != shape:
            raise ModelFileError(
                f"{tensor_field(name)}: shape",
                f"must be {shape} by the config, got {entry.shape}",
            )


def check_ranges(entries: Mapping[str, Entry], data_size: int) -> None:
    """Raise unless the tensors follow each other from the first byte to the last.

    Shapes are those the config implies by now; their products are of Python's integers,
    which do not overflow.
    """
    at = 0
    for name, entry in entries.items():
        size = math.prod(entry.shape) * np.dtype(entry.dtype).itemsize
        if (entry.begin, entry.end) != (at, at + size):
            raise ModelFileError(
                f"{tensor_field(name)}: data_offsets",
                f"must be [{at}, {at + size}] by its shape and those before it, got "
                f"[{entry.begin}, {entry.end}]",
            )
        at += size
    if at != data_size:
        raise ModelFileError(
            "file",
            f"holds {data_size} bytes of tensors, but the header tells of {at}: it is "
            "cut off or has something appended",
        )
