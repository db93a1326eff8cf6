"""Build fastnn's wheel for several interpreters, compiling the core only once.

``python tools/build_wheels.py OUT [--levels all] [--python python3.12 ...]``

The core knows nothing of Python: its objects stay in ``build/wheels`` and serve one
interpreter after another, each of which adds its bindings. So a wheel after the first
takes a fraction of its time. Everything the compiler reads must therefore keep its
place: Eigen's headers are copied to ``build/eigen`` once.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:  # what reads TOML in 3.10 comes with pip
    from pip._vendor import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "wheels"
EIGEN = ROOT / "build" / "eigen"


def run(*command: str | Path) -> str:
    """Run a command in the tree and return what it prints."""
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}\nfailed: {' '.join(map(str, command))}")
    return done.stdout.strip()


def build_environment(python: str, folder: Path) -> Path:
    """Make a virtual environment with what building needs; return its Python."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    run(python, "-m", "venv", folder)
    inside = folder / "bin" / "python"
    requires = project["build-system"]["requires"]
    run(inside, "-m", "pip", "install", "--quiet", *requires, "cmake", "ninja")
    return inside


def keep_eigen(python: Path) -> None:
    """Copy Eigen's headers, unless they are there, to where they will stay."""
    if EIGEN.exists():
        return
    find = "from importlib.util import find_spec as f; print(f('eigency').origin)"
    package = Path(run(python, "-c", find)).parent
    shutil.copytree(package / "eigen", EIGEN.with_suffix(".part"))
    EIGEN.with_suffix(".part").rename(EIGEN)


def build(python: str, levels: str, out: Path) -> Path:
    """Build the wheel of one interpreter into `out` and return its path."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inside = build_environment(python, folder / "venv")
        keep_eigen(inside)
        # Another interpreter, another configuration. The objects stay: ninja compiles
        # anew only what is now compiled otherwise.
        (BUILD / "CMakeCache.txt").unlink(missing_ok=True)
        settings = {
            "build-dir": BUILD,
            "cmake.define.FASTNN_LEVELS": levels,
            "cmake.define.FASTNN_WERROR": "ON",
            "cmake.define.FASTNN_EIGEN_DIR": EIGEN,
        }
        options = [
            f"--config-settings={key}={value}" for key, value in settings.items()
        ]
        pip = ("-m", "pip", "wheel", "--no-deps", "--no-build-isolation")
        where = f"--wheel-dir={folder / 'wheel'}"
        run(inside, *pip, "--no-cache-dir", where, *options, ROOT)
        wheel = next((folder / "wheel").glob("*.whl"))
        out.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(wheel, out))


def main() -> None:
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--levels", default="all")
    parser.add_argument("--python", nargs="+", default=[sys.executable])
    arguments = parser.parse_args()
    for python in arguments.python:
        start = time.perf_counter()
        wheel = build(python, arguments.levels, arguments.out)
        print(f"{wheel.name}: built in {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
