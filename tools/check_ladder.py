"""Check that includes and imports only go down the ladder.

    core -> kernels -> nn -> optim -> train -> diagnose -> bindings -> Python

``python tools/check_ladder.py [root]`` prints every breach and exits with 1 if there is
one.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

CPP_LADDER = ("core", "kernels", "nn", "optim", "train", "diagnose", "bindings")

# Diagnosis stands beside the trainer, not on it: it must work on any network.
FORBIDDEN_INCLUDES = {"diagnose": ("fastnn/train/trainer.hpp",)}

# Headers that belong to one floor only.
HOMES = {
    "pybind11/": ("bindings",),
    "Python.h": ("bindings",),
    "Eigen/": ("core", "kernels", "diagnose"),
}

# The bindings are compiled once for all CPU levels: nothing they read, through whatever
# header, may be Eigen, whose registers differ from level to level.
OUT_OF_REACH = {"bindings": "Eigen/"}

# Python modules by floor, lowest first; modules of one floor may import each other.
# What is not named here is the top floor: nothing below may import it.
PYTHON_LADDER = (
    (
        *("_native", "reference", "_config", "_extras", "_html", "_paths", "_plain"),
        *("_progress", "errors", "history"),
    ),
    ("layers", "losses", "optim", "schedules"),
    ("_validation", "callbacks", "gradient_noise"),
    ("augment",),
    ("_fit_options", "_frozen", "_head", "_network", "_state", "_summary", "io"),
    ("trainer", "onnx"),
    ("sequential",),
)

# These stand alone: they import no other part of fastnn.
STANDALONE = ("_native", "reference")

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def cpp_floor(path: PurePosixPath) -> str | None:
    """Return the floor of a file under ``cpp/``, or None where it has none."""
    floor = path.parts[1] if path.parts[0] == "fastnn" else path.parts[0]
    return floor if floor in CPP_LADDER else None


def _include_breach(root: Path, path: PurePosixPath, include: str) -> str | None:
    """Say what is wrong with one include of the file `path`, or return None."""
    floor = cpp_floor(path)
    if floor is None:
        return None
    for prefix, homes in HOMES.items():
        if include.startswith(prefix) and floor not in homes:
            return f"{include} belongs to {', '.join(homes)} only"
    if not include.startswith("fastnn/"):
        return None
    if not (root / "cpp" / include).is_file():
        return f"{include} does not exist under cpp/"
    if include in FORBIDDEN_INCLUDES.get(floor, ()):
        return f"{floor} must not know {include}"
    target = cpp_floor(PurePosixPath(include))
    if target is None:
        return f"{include} is on no floor of the ladder"
    if CPP_LADDER.index(target) > CPP_LADDER.index(floor):
        return f"{floor} is below {target}, but includes {include}"
    return None


def _includes(root: Path, name: str) -> list[str]:
    """Return what a file under ``cpp/`` includes; nothing if it is not there."""
    source = root / "cpp" / name
    text = source.read_text(encoding="utf-8") if source.is_file() else ""
    return [match.group(2) for match in _INCLUDE.finditer(text)]


def _way_to(root: Path, name: str, prefix: str, seen: set[str]) -> list[str]:
    """Return the includes that lead from a file to a header, or none if none do."""
    for include in _includes(root, name):
        if include.startswith(prefix):
            return [include]
        if include not in seen:
            seen.add(include)
            if way := _way_to(root, include, prefix, seen):
                return [include, *way]
    return []


def cpp_breaches(root: Path) -> Iterator[str]:
    """Yield every include that goes up, leaves its home, or leads out of reach."""
    sources = sorted((root / "cpp").rglob("*.[ch]pp"))
    for source in sources:
        path = PurePosixPath(source.relative_to(root / "cpp").as_posix())
        for include in _includes(root, str(path)):
            if breach := _include_breach(root, path, include):
                yield f"cpp/{path}: {breach}"
        prefix = OUT_OF_REACH.get(cpp_floor(path) or "")
        if prefix and (way := _way_to(root, str(path), prefix, set())):
            yield f"cpp/{path}: must not read {prefix}, but does: {' -> '.join(way)}"


def _executed_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a module, leaving out what stands there for type checkers only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith(
            "TYPE_CHECKING"
        ):
            children: list[ast.AST] = [*node.orelse]
        else:
            children = [node]
        for child in children:
            yield child
            yield from _executed_nodes(child)


def _imported_modules(tree: ast.AST) -> Iterator[str]:
    """Yield the top names inside fastnn that a module imports at any depth."""
    for node in _executed_nodes(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module]
            if node.module == "fastnn":
                names = [f"fastnn.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "fastnn" and rest:
                yield rest.partition(".")[0]


def _is_module(package: Path, name: str) -> bool:
    return (package / name).is_dir() or (package / f"{name}.py").is_file()


def python_floor(module: str) -> int:
    """Return the floor of a module of fastnn; the top one unless it is named."""
    for floor, modules in enumerate(PYTHON_LADDER):
        if module in modules:
            return floor
    return len(PYTHON_LADDER)


def python_breaches(root: Path) -> Iterator[str]:
    """Yield every import inside fastnn that goes up the ladder."""
    package = root / "python" / "fastnn"
    for source in sorted(package.rglob("*.py")):
        path = source.relative_to(package)
        module = path.parts[0].removesuffix(".py")
        if module in ("__init__", "__main__"):
            continue
        tree = ast.parse(source.read_text(encoding="utf-8"))
        for imported in sorted(set(_imported_modules(tree)) - {module}):
            if not _is_module(package, imported):
                continue  # a name of fastnn/__init__.py itself
            if module in STANDALONE:
                yield f"python/fastnn/{path}: {module} stands alone, imports {imported}"
            elif python_floor(imported) > python_floor(module):
                yield f"python/fastnn/{path}: {module} is below {imported}, imports it"


def main(root: Path) -> int:
    """Print the breaches of both ladders; 1 if there is one."""
    breaches = [*cpp_breaches(root), *python_breaches(root)]
    for breach in breaches:
        print(breach)
    print(f"ladder: {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    default = Path(__file__).resolve().parent.parent
    sys.exit(main(Path(arguments[0]) if arguments else default))
