"""What this installation is and what it runs on."""

from __future__ import annotations

import platform
import sys
from typing import Any

import numpy as np

from fastnn import _native
from fastnn._native import core
from fastnn._threads import num_threads, threads_from

__all__ = ["show_config"]


def show_config() -> dict[str, Any]:
    """Print and return what this installation is and what it runs on.

    Returns
    -------
    dict
        "version"; "cpu_level" in use, "levels_built" and "levels_supported"; "threads"
        of a call that names none and "threads_from", who decided it; "eigen" and
        "compiler" the core was built with; "numpy", "python" and "platform".

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
        "threads": num_threads(),
        "threads_from": threads_from(),
        "eigen": core.eigen_version,
        "compiler": core.compiler,
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
