"""The compiled core, in the best CPU level this processor runs.

The same C++ sources are compiled once per level into ``_core_v2``, ``_core_v3`` and
``_core_v4`` (x86-64; elsewhere there is one, ``_core_generic``). Importing this package
loads one of them as ``core``. ``FASTNN_CPU=v3`` in the environment forces a level.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from fastnn._native import _cpu

__all__ = ["core", "level", "levels_built", "levels_supported"]


def _is_built(name: str) -> bool:
    return importlib.util.find_spec(f"{__name__}._core_{name}") is not None


levels_built: tuple[str, ...] = tuple(filter(_is_built, _cpu.levels()))
"""Levels this installation holds, best first."""

levels_supported: tuple[str, ...] = tuple(
    name for name in _cpu.levels() if not _cpu.missing_features(name)
)
"""Levels this processor and its operating system run, best first."""


def _choose(forced: str | None) -> str:
    """Return the level to load: the forced one if it can run, else the best one."""
    usable = [name for name in levels_built if name in levels_supported]
    hint = f"usable here: {', '.join(usable) or 'none'}"
    if not forced:
        if usable:
            return usable[0]
        raise ImportError(
            f"fastnn was built for the CPU levels {list(levels_built)}, of which this "
            f"processor runs none (it runs {list(levels_supported)}). Install a wheel "
            "with all levels, or rebuild with -C cmake.define.FASTNN_LEVELS=native."
        )
    if forced not in _cpu.levels():
        raise ImportError(
            f"FASTNN_CPU={forced!r} is not a CPU level; expected one of "
            f"{_cpu.levels()} ({hint}), or unset it to take the best."
        )
    if forced not in levels_built:
        raise ImportError(
            f"FASTNN_CPU={forced!r}: this installation of fastnn was built without "
            f"that level ({hint}). Rebuild with -C cmake.define.FASTNN_LEVELS=all."
        )
    if missing := _cpu.missing_features(forced):
        raise ImportError(
            f"FASTNN_CPU={forced!r}: this processor lacks {', '.join(missing)}, "
            f"which that level needs ({hint})."
        )
    return forced


def _load(name: str) -> ModuleType:
    """Import one level, and let every name for it mean the same module."""
    module = importlib.import_module(f"{__name__}._core_{name}")
    sys.modules[f"{__name__}._core"] = module
    return module


level: str = _choose(os.environ.get("FASTNN_CPU"))
"""The level in use."""

if TYPE_CHECKING:
    from fastnn._native import _core as core
else:
    core = _core = _load(level)
