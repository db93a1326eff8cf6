"""Measure what the processor can do at most: the ceilings a training step lives under.

    python bench/ceilings.py                   # 1 and 2 threads
    python bench/ceilings.py --threads 1 2 4

Multiply-adds in registers, arrays streamed as Adam streams them, and the hand-over of a
stage of work between threads. ``ceilings.cpp`` is compiled at first use for this
processor, with ``$CXX`` or ``g++``, into the user's cache folder.
"""

from __future__ import annotations

import argparse
import ctypes
import functools
import hashlib
import math
import os
import platform
import shlex
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

SOURCE = Path(__file__).with_suffix(".cpp")
FLAGS = ("-std=c++17", "-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno")
MEMORY = 512 << 20  # beyond the caches of most processors
SIZES = tuple(1 << power for power in range(15, 30))  # 32 KiB to 512 MiB

_ROUNDS = 31
_ROUNDS_IN_MEMORY = 7
_LEAST_SECONDS = 2e-3  # of a round: long beside a hand-over and the clock


class NoCompilerError(RuntimeError):
    """There is no compiler to build the ceilings with."""


def fma_peak(threads: int, dtype: DTypeLike = "float32") -> float:
    """Return the FLOP/s of multiply-adds in registers, `threads` cores together."""
    name = np.dtype(dtype).name
    if name not in {"float32", "float64"}:
        raise ValueError(f"dtype is {name!r}; expected float32 or float64")
    run = getattr(_library(), f"fma_rounds_{name}")
    turns = 1 << 12
    while True:
        amount, seconds = _rounds(run, threads, _ROUNDS, ctypes.c_int64(turns))
        if seconds > _LEAST_SECONDS:
            return amount / seconds
        turns *= 4


def stream_bandwidth(threads: int, working_set_bytes: int = MEMORY) -> float:
    """Return the bytes/s read and written by a pass over three arrays.

    `working_set_bytes` is the size of all arrays of all threads; each thread passes
    over a part of its own, as slices of parameters are updated. Adam reads and writes
    such arrays: 24 bytes a float32 parameter and step.
    """
    run = _library().stream_rounds
    size, passes = ctypes.c_int64(working_set_bytes), 1
    while True:
        rounds = _ROUNDS if working_set_bytes < 32 << 20 else _ROUNDS_IN_MEMORY
        amount, seconds = _rounds(run, threads, rounds, size, ctypes.c_int64(passes), 0)
        if seconds > _LEAST_SECONDS:
            return amount / seconds
        passes *= 4


def exchange_bandwidth(threads: int, working_set_bytes: int) -> float:
    """Return the bytes/s of such a pass over what another thread wrote last.

    So the weights reach a core after another has updated them, and the activations of
    a batch the core that needs them for a gradient.
    """
    if threads < 2:
        raise ValueError(f"threads is {threads}; an exchange needs at least 2")
    size, once = ctypes.c_int64(working_set_bytes), ctypes.c_int64(1)
    rounds = max(_ROUNDS_IN_MEMORY, min(1001, (1 << 30) // working_set_bytes))
    amount, seconds = _rounds(_library().stream_rounds, threads, rounds, size, once, 1)
    return amount / seconds


def stage_latency(threads: int) -> float:
    """Return the seconds to hand an empty stage to all threads and see it done."""
    if threads < 2:
        return 0.0
    return _rounds(_library().stage_rounds, threads, 20001)[1]


def _rounds(
    run: Callable[..., float], threads: int, rounds: int, *arguments: object
) -> tuple[float, float]:
    """Return the amount of work of a round and its seconds.

    The lower quartile of them: a ceiling is what the processor gives undisturbed.
    """
    if threads < 1:
        raise ValueError(f"threads is {threads}; expected a positive integer")
    seconds = (ctypes.c_double * rounds)()
    amount = run(threads, rounds, *arguments, seconds)
    return amount, statistics.quantiles(seconds, n=4)[0]


@functools.cache
def _library() -> ctypes.CDLL:
    """Return the compiled ceilings, compiling them if this source is new here."""
    compiler = os.environ.get("CXX", "g++")
    key = "\n".join([SOURCE.read_text("utf-8"), compiler, *FLAGS, _processor()])
    name = f"ceilings-{hashlib.sha256(key.encode()).hexdigest()[:16]}.so"
    path = _cache_folder() / name
    if not path.exists():
        _compile(shlex.split(compiler), path)
    library = ctypes.CDLL(str(path))
    for function in ("fma_rounds_float32", "fma_rounds_float64", "stream_rounds"):
        getattr(library, function).restype = ctypes.c_double
    library.stage_rounds.restype = None
    return library


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fastnn-bench"


def _processor() -> str:
    """Return what tells this processor from another that shares the cache folder."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    wanted = ("vendor_id", "cpu family", "model", "flags", "Features")
    return "\n".join(
        dict.fromkeys(line for line in lines if line.split("\t")[0].strip() in wanted)
    )


def _compile(compiler: list[str], path: Path) -> None:
    """Compile to a name of its own first: others may be doing the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _draft(path) as draft:
        command = [*compiler, *FLAGS, "-shared", "-fPIC", "-pthread"]
        command += [str(SOURCE), "-o", str(draft)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise NoCompilerError(
                f"the ceilings are compiled for this processor by {compiler[0]!r}, "
                f"which cannot be run ({error.strerror}); install g++ or clang, or "
                f"name a C++ compiler in the environment variable CXX"
            ) from error
        if done.returncode:
            raise NoCompilerError(f"{shlex.join(command)} failed:\n{done.stderr}")
        draft.replace(path)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(prefix=path.stem, suffix=".tmp", dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _print(threads: list[int]) -> None:
    rows: list[tuple[str, float, Callable[[int], float]]] = [
        (f"FMA {dtype}, GFLOP/s", 1e-9, partial(fma_peak, dtype=dtype))
        for dtype in ("float32", "float64")
    ]
    rows += [
        (
            f"stream {_size(size)}, GB/s",
            1e-9,
            partial(stream_bandwidth, working_set_bytes=size),
        )
        for size in SIZES
    ]
    rows += [
        (
            f"exchange {_size(size)}, GB/s",
            1e-9,
            partial(_exchange_or_nan, working_set_bytes=size),
        )
        for size in SIZES[::2]
    ]
    rows.append(("empty stage, ns", 1e9, stage_latency))
    print(f"{'threads':24}", *(f"{n:9}" for n in threads))
    for name, scale, measure in rows:
        print(f"{name:24}", *(f"{scale * measure(n):9.1f}" for n in threads))


def _exchange_or_nan(threads: int, working_set_bytes: int) -> float:
    return exchange_bandwidth(threads, working_set_bytes) if threads > 1 else math.nan


def _size(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    _print(parser.parse_args().threads)
