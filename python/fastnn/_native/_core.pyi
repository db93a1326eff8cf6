"""
fastnn's core, compiled for one CPU level.
"""

from __future__ import annotations

__all__: list[str] = ["eigen_version", "level"]
__version__: str
eigen_version: str
level: str
