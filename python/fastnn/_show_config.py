"""What this installation is and what it runs on."""

from __future__ import annotations

import platform
import sys
from typing import Any

import numpy as np

from fastnn import _native
from fastnn._native import core
from fastnn._validation import check_threads

__all__ = ["set_num_threads", "show_config"]


def set_num_threads(n_threads: int | None) -> None:
    """Set how many threads the process uses where `n_threads` is not given.

    It goes before the environment variables FASTNN_NUM_THREADS and OMP_NUM_THREADS,
    which go before the number of processors the process may use.

    Parameters
    ----------
    n_threads : int or None
        >= 1; None: decide automatically again.

    Examples
    --------
    >>> import fastnn as fnn
    >>> fnn.set_num_threads(1)
    >>> fnn.set_num_threads(None)
    """
    core.set_num_threads(check_threads(n_threads))


def show_config() -> dict[str, Any]:
    """Print and return version, CPU level, levels built, threads and Eigen version.

    Returns
    -------
    dict
        "version", "cpu_level", "levels_built", "levels_supported", "threads",
        "eigen", "numpy", "python" and "platform".

    Examples
    --------
    >>> import fastnn as fnn
    >>> config = fnn.show_config()
    fastnn ...
    >>> config["version"] == fnn.__version__
    True
    """
    config = {
        "version": core.__version__,
        "cpu_level": _native.level,
        "levels_built": list(_native.levels_built),
        "levels_supported": list(_native.levels_supported),
        "threads": core.default_threads(0),
        "eigen": core.eigen_version,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    lines = [f"fastnn {config['version']}"]
    for key, value in list(config.items())[1:]:
        shown = ", ".join(value) if isinstance(value, list) else value
        lines.append(f"  {key:<17} {shown}")
    sys.stdout.write("\n".join(lines) + "\n")
    return config
