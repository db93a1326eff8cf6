"""`coefs_` and `intercepts_`: lists whose arrays are the network's own numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["WeightList"]


class WeightList(list[Any]):
    """A list of views: to assign an entry is to write into it.

    ``estimator.coefs_[0] = W`` changes what the estimator predicts, as it does in
    scikit-learn, where the list itself is the network.
    """

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            for i, entry in zip(range(*index.indices(len(self))), value, strict=True):
                self[i] = entry
            return
        target = self[index]
        array = np.asarray(value)
        if array.shape != target.shape:
            raise ValueError(
                f"entry {index} must have shape {target.shape}, got {array.shape}"
            )
        target[...] = array
