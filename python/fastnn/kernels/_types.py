"""The types of the kernels' arguments."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = np.ndarray[Any, np.dtype[np.floating[Any]]]
Mask: TypeAlias = npt.NDArray[np.bool_]
