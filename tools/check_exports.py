"""Check that the compiled modules export their ``PyInit_`` function and nothing else.

Two levels of the core may live in one process. Were an instantiation of a ``std::``
template visible, the loader could hand the code of one level to the other.

``python tools/check_exports.py [module.so ...]``; by default the installed modules.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path


def installed_modules() -> list[Path]:
    """Return the compiled modules of the fastnn that Python would import."""
    spec = importlib.util.find_spec("fastnn._native._cpu")
    if spec is None or spec.origin is None:
        raise SystemExit("fastnn is not installed for this Python")
    return sorted(Path(spec.origin).parent.glob("*.so"))


def exported_symbols(module: Path) -> list[str]:
    """Return the names a shared object defines for others."""
    listing = subprocess.run(
        ["nm", "-D", "--defined-only", "--format=posix", str(module)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [line.split()[0].partition("@")[0] for line in listing.splitlines()]


def breach(module: Path) -> str | None:
    """Say what is wrong with the exports of one module, or return None."""
    expected = f"PyInit_{module.name.partition('.')[0]}"
    symbols = exported_symbols(module)
    if symbols == [expected]:
        return None
    return f"{module.name}: exports {symbols[:5]} ({len(symbols)}), not only {expected}"


def main(modules: list[Path]) -> int:
    """Print the breaches of all modules; 1 if there is one or nothing to check."""
    breaches = [found for module in modules if (found := breach(module))]
    for found in breaches:
        print(found)
    print(f"exports: {len(modules)} modules, {len(breaches)} breaches")
    return 1 if breaches or not modules else 0


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]] or installed_modules()))
