"""The command line: ``python -m fastnn demo | info | bench``."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fastnn._config import nearest
from fastnn._show_config import show_config

_COMMANDS = ("demo", "info", "bench")
_BENCH = Path("bench") / "kernels_vs_numpy.py"
_INTERRUPTED = 130  # what shells say of a command ended by Ctrl-C


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0 is well, 1 failed, 2 misused."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    if not given:
        parser.print_help(sys.stderr)
        return 2
    if not given[0].startswith("-") and given[0] not in _COMMANDS:
        hint = nearest(given[0], _COMMANDS) or f"; there are {', '.join(_COMMANDS)}"
        parser.error(f"unknown command {given[0]!r}{hint}")
    options, rest = parser.parse_known_args(given)
    if rest and options.command != "bench":
        parser.error(f"unknown argument {rest[0]!r}; see {parser.prog} --help")
    try:
        return _run(options, rest)
    except (ImportError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fastnn",
        description="Multi-layer perceptrons, trained on a CPU.",
    )
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    demo = commands.add_parser(
        "demo",
        help="train on real images, against NumPy, and draw the curves",
        description=(
            "Train on scikit-learn's digits and a subset of MNIST, repeat the work in "
            'NumPy, and draw the curves. Needs pip install "fastnn[demo]".'
        ),
    )
    demo.add_argument(
        "--out",
        metavar="FILE",
        default="fastnn_demo.png",
        help="where the picture goes (default: %(default)s)",
    )
    demo.add_argument(
        "--seed",
        type=int,
        default=0,
        help="of split, weights, shuffles and dropout (default: %(default)s)",
    )
    demo.add_argument("--data", choices=("digits", "mnist"), help="only this data set")
    commands.add_parser("info", help="show version, CPU level and threads")
    commands.add_parser(
        "bench",
        add_help=False,  # --help is the benchmark's own
        help="compare the kernels with NumPy (in a clone; options are passed on)",
    )
    return parser


def _run(options: argparse.Namespace, rest: Sequence[str]) -> int:
    if options.command == "info":
        show_config()
        return 0
    if options.command == "bench":
        return subprocess.call([sys.executable, str(_bench_script()), *rest])  # noqa: S603
    from fastnn import demo  # noqa: PLC0415  (info needs none of it)

    names = {} if options.data is None else {"names": (options.data,)}
    demo.run(options.out, seed=options.seed, **names)
    return 0


def _bench_script() -> Path:
    """Find the benchmark in the tree of an editable install, or in this folder."""
    for root in (Path(__file__).resolve().parents[2], Path.cwd()):
        if (root / _BENCH).is_file() and (root / "python" / "fastnn").is_dir():
            return root / _BENCH
    raise FileNotFoundError(
        f"{_BENCH} is part of fastnn's source, not of the installed package: run "
        "this in the folder of a clone"
    )


if __name__ == "__main__":
    sys.exit(main())
