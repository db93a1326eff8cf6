"""Whether data are those of an earlier run, told by a few numbers."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from fastnn._validation.arrays import Array
from fastnn._validation.data import Data
from fastnn._validation.sparse import is_csr

__all__ = ["Fingerprint", "fingerprint", "fingerprints"]

Fingerprint = dict[str, Any]
"""``{"shape": [rows, columns], "crc32": checksum of the bytes}``"""

_PIECE = 1 << 26  # bytes: a Ctrl-C is looked for between two pieces


def fingerprint(value: Any) -> Fingerprint | None:
    """Return shape and checksum of an array or of sparse rows."""
    if value is None:
        return None
    parts = [value.starts, value.columns, value.values] if is_csr(value) else [value]
    total = 0
    for part in parts:
        content: Any = np.ascontiguousarray(part).reshape(-1).view(np.uint8)
        for begin in range(0, len(content), _PIECE):
            total = zlib.crc32(content[begin : begin + _PIECE], total)
    return {"shape": [int(n) for n in value.shape], "crc32": total}


def fingerprints(
    train: Data, validation: Data | None, class_weight: Array | None
) -> dict[str, Fingerprint | None]:
    """Return the fingerprint of everything a fit is given, by argument."""
    X, y, weight = (None, None, None)
    if validation is not None:
        X, y, weight = validation.X, validation.y, validation.weight
    return {
        "X": fingerprint(train.X),
        "y": fingerprint(train.y),
        "sample_weight": fingerprint(train.weight),
        "class_weight": fingerprint(class_weight),
        "validation_data[0]": fingerprint(X),
        "validation_data[1]": fingerprint(y),
        "validation_data[2]": fingerprint(weight),
    }
