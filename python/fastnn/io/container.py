"""The file: tensors by name, beside a description of what they belong to.

A safetensors file, which ``safetensors.numpy.load_file`` and ``safetensors.torch`` read
as well. Its metadata holds exactly

=================  ===================================================
``format``         "fastnn"
``version``        of this layout; a newer one is refused
``kind``           what the file is of: "network", "trainer"
``config``         the description, JSON
``config_sha256``  of the config's UTF-8 bytes
``data_sha256``    of the tensors' bytes, in the order of their names
=================  ===================================================

Whoever reads believes nothing: the config implies the exact set of tensors, and only if
the header lists that very set, and the file is as long as it takes, memory is asked
for. The sums guard against accidents, not against forgers; a forged file is at worst a
network with other numbers.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt

from fastnn._paths import checked_path
from fastnn.errors import ModelFileError
from fastnn.io.atomic import write_atomically
from fastnn.io.header import (
    DTYPES,
    LONGEST_HEADER,
    Entry,
    check_ranges,
    check_set,
    opened,
    read_header,
    tensor_field,
)
from fastnn.io.strict_json import parse, text_of
from fastnn.layers.base import TensorSpec

__all__ = ["Expected", "naming", "read_container", "write_container"]

Expected: TypeAlias = Callable[[str, dict[str, Any]], Mapping[str, TensorSpec]]
"""(kind, config) -> every tensor's dtype and shape."""

_FORMAT = "fastnn"
_VERSION = 1
_METADATA = ("format", "version", "kind", "config", "config_sha256", "data_sha256")


# -- writing --------------------------------------------------------------------------


def write_container(
    path: str | os.PathLike[str],
    kind: str,
    config: dict[str, Any],
    tensors: Mapping[str, npt.NDArray[Any]],
    *,
    may_be_nan: tuple[str, ...] = (),
) -> None:
    """Write a file, whole or not at all (`write_atomically` says how).

    Parameters
    ----------
    path : str or os.PathLike
        Where; an existing file is replaced.
    kind : str
        What the file is of.
    config : dict
        Plain data: dicts, lists, strings, numbers of 64 bits, booleans, None.
    tensors : mapping of str to ndarray
        Of float32, float64, int64 or uint64, in any layout and byte order.
    may_be_nan : tuple of str, default ()
        Beginnings of the names of tensors that may hold NaN and infinity.

    Raises
    ------
    TypeError, ValueError
        If something could not be read back; no file is touched then.
    OSError
        As `write_atomically`; the old file is intact then.
    """
    from safetensors.numpy import save  # noqa: PLC0415  (10 ms that few need)

    name = checked_path(path)
    arrays = {key: _to_store(key, value) for key, value in tensors.items()}
    for key, array in arrays.items():
        if not (key.startswith(may_be_nan) or _is_finite(array)):
            raise ValueError(
                f"{key} holds NaN or infinity, so a file of it could not be loaded: "
                "save while the numbers are finite"
            )
    text = text_of(config)
    metadata = {
        "format": _FORMAT,
        "version": str(_VERSION),
        "kind": kind,
        "config": text,
        "config_sha256": _sha256([text.encode()]),
        "data_sha256": _data_sha256(arrays),
    }
    head, data = _in_order(save(arrays, metadata), metadata)
    if len(head) > LONGEST_HEADER:
        raise ValueError(
            f"the description of this {kind} takes {len(head)} bytes, more than the "
            f"{LONGEST_HEADER} that a file may have: it has too many layers"
        )
    write_atomically(name, [len(head).to_bytes(8, "little"), head, data])


def _in_order(content: bytes, metadata: dict[str, str]) -> tuple[bytes, memoryview]:
    """Return header and data of a file, with the metadata in our order.

    safetensors writes them in a random one: the same network made different files.
    """
    length = int.from_bytes(content[:8], "little")
    header = {**json.loads(content[8 : 8 + length]), "__metadata__": metadata}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    aligned = -(-len(text) // 8) * 8
    return text.ljust(aligned), memoryview(content)[8 + length :]


def _to_store(name: str, value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array as safetensors takes it: C-contiguous and little-endian."""
    if value.dtype.newbyteorder("=").name not in DTYPES.values():
        raise TypeError(f"{name} is of dtype {value.dtype}, which no file holds")
    return np.asarray(value, value.dtype.newbyteorder("<"), order="C")


def _bytes_of(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return a view of a C-contiguous array's memory."""
    return array.reshape(-1).view(np.uint8)


def _sha256(pieces: Iterable[Any]) -> str:
    import hashlib  # noqa: PLC0415  (10 ms that only files need)

    total = hashlib.sha256()
    for piece in pieces:
        total.update(piece)
    return total.hexdigest()


def _data_sha256(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    return _sha256(_bytes_of(arrays[name]) for name in sorted(arrays))


def _is_finite(array: npt.NDArray[Any]) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


# -- reading --------------------------------------------------------------------------


def read_container(
    path: str | os.PathLike[str],
    kinds: tuple[str, ...],
    expected: Expected,
    *,
    may_be_nan: tuple[str, ...] = (),
) -> tuple[str, dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Read a file that anybody may have written.

    Parameters
    ----------
    path : str or os.PathLike
        A regular file.
    kinds : tuple of str
        The kinds that the caller can use.
    expected : callable
        ``expected(kind, config)`` checks the config and returns the dtype and shape of
        every tensor it implies, by name. It is called before any tensor is read.
    may_be_nan : tuple of str, default ()
        As in `write_container`.

    Returns
    -------
    kind : str
    config : dict
    tensors : dict of str to ndarray

    Raises
    ------
    ModelFileError
        If anything about the content is not as `write_container` makes it.
    OSError
        If the file cannot be read at all.
    """
    name = checked_path(path)
    with naming(name), opened(name) as file:
        metadata, entries, data_size = read_header(file)
        kind, config = _description(metadata, kinds)
        check_set(entries, expected(kind, config))
        check_ranges(entries, data_size)
        tensors = {key: _read_tensor(file, key, e) for key, e in entries.items()}
        if _data_sha256(tensors) != metadata["data_sha256"]:
            raise ModelFileError(
                "data_sha256", "is not that of the tensors: the file is damaged"
            )
        for key, array in tensors.items():
            if not (key.startswith(may_be_nan) or _is_finite(array)):
                raise ModelFileError(tensor_field(key), "holds NaN or infinity")
    return kind, config, tensors


@contextlib.contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Give every ModelFileError that comes out of the block the file's name."""
    try:
        yield
    except ModelFileError as error:
        if error.path is not None:
            raise
        raise ModelFileError(error.field, error.problem, os.fspath(path)) from None


def _description(
    metadata: Mapping[str, str], kinds: tuple[str, ...]
) -> tuple[str, dict[str, Any]]:
    """Return kind and config of a file of our format and version."""
    if metadata.get("format") != _FORMAT:
        raise ModelFileError(
            "__metadata__.format",
            f"must be {_FORMAT!r}, got {metadata.get('format')!r}: a safetensors file, "
            "but not one of fastnn's",
        )
    _check_version(metadata.get("version"))
    for key in _METADATA:
        if key not in metadata:
            raise ModelFileError(f"__metadata__.{key}", "is missing")
    for key in metadata:
        if key not in _METADATA:
            raise ModelFileError(f"__metadata__.{key}", "is no field of this version")
    if metadata["kind"] not in kinds:
        raise ModelFileError(
            "__metadata__.kind",
            f"must be {' or '.join(map(repr, kinds))} here, got {metadata['kind']!r}",
        )
    text = metadata["config"]
    if _sha256([text.encode()]) != metadata["config_sha256"]:
        raise ModelFileError(
            "config_sha256", "is not that of the config: the file is damaged"
        )
    config = parse(text, "config")
    if not isinstance(config, dict):
        raise ModelFileError(
            "config", f"must be a JSON object, got {type(config).__name__}"
        )
    return metadata["kind"], config


def _check_version(text: str | None) -> None:
    if text == str(_VERSION):
        return
    if text is not None and text.isascii() and text.isdigit() and text[0] != "0":
        raise ModelFileError(
            "__metadata__.version",
            f"is {text}, newer than {_VERSION}, the newest that this fastnn reads: "
            "update fastnn",
        )
    raise ModelFileError(
        "__metadata__.version", f"must be {_VERSION} or newer, got {text!r}"
    )


def _read_tensor(file: BinaryIO, name: str, entry: Entry) -> npt.NDArray[Any]:
    """Return the next tensor of the file, in the machine's byte order."""
    array = np.empty(entry.shape, np.dtype(entry.dtype).newbyteorder("<"))
    if file.readinto(_bytes_of(array)) != array.nbytes:  # type: ignore[attr-defined]
        raise ModelFileError(tensor_field(name), "ended while it was read")
    return array.astype(entry.dtype, copy=False)
