"""
Which of the compiled levels this processor runs.
"""

from __future__ import annotations

__all__: list[str] = ["levels", "missing_features", "required_features"]

def levels() -> list[str]:
    """
    Names of the CPU levels of this architecture, best first.
    """

def missing_features(level: str) -> list[str]:
    """
    Features that `level` needs and this processor lacks; empty: it runs.
    """

def required_features(level: str) -> list[str]:
    """
    Every processor feature that the code of `level` may use.
    """
