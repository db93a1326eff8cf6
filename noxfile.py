"""Every check of fastnn, one session each: ``nox -s lint``, ``nox -s tests`` ...

``FASTNN_WHEEL=path`` lets the sessions that need fastnn take that wheel instead of
building the tree for this processor. CI (`.ci/run`) runs these same sessions.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent
DIST = ROOT / "dist"
NATIVE = "--config-settings=cmake.define.FASTNN_LEVELS=native"
WHEEL_LIMIT_MB = 8
BENCHES = (
    "kernels_vs_numpy",
    "training_vs_peers",
    "time_to_accuracy",
    "inference_vs_peers",
    "scaling",
    "sklearn_parity",
)

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["lint", "typing", "tests"]
nox.options.error_on_missing_interpreters = True

PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")


def pinned(*names: str) -> list[str]:
    """Return these tools as the extra ``dev`` pins them."""
    wanted = PROJECT["project"]["optional-dependencies"]["dev"]
    return [next(pin for pin in wanted if pin.startswith(name)) for name in names]


def install_fastnn(session: nox.Session, extra: str) -> None:
    """Install fastnn with an extra: the wheel of FASTNN_WHEEL, else this tree."""
    if wheel := os.environ.get("FASTNN_WHEEL"):
        session.install(f"fastnn[{extra}] @ {Path(wheel).resolve().as_uri()}")
    else:
        session.install("-e", f".[{extra}]", NATIVE)


def cpp_files() -> list[str]:
    """Return all C++ files of the project."""
    return sorted(str(path) for path in (ROOT / "cpp").rglob("*.[ch]pp"))


@nox.session
def lint(session: nox.Session) -> None:
    """Style of Python and C++, and the ladder of includes and imports."""
    session.install(*pinned("ruff", "clang-format"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("clang-format", "--dry-run", "-Werror", *cpp_files())
    session.run("python", "tools/check_ladder.py")


@nox.session
def typing(session: nox.Session) -> None:
    """Types of the package and of the scripts, as strict as mypy can be."""
    dependencies = PROJECT["project"]["dependencies"]
    session.install(*pinned("mypy"), "nox", "matplotlib", *dependencies)
    session.run("mypy")
    scripts = sorted(str(path) for path in (ROOT / "tools").glob("*.py"))
    for script in [*scripts, "noxfile.py"]:
        session.run("mypy", script)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests and doctests, in an editable install for this processor."""
    install_fastnn(session, "test")
    session.run("pytest", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Load 20,000 files that are a few mutations away from valid ones."""
    install_fastnn(session, "test")
    cases = {"FASTNN_FUZZ_CASES": "20000"}
    session.run("pytest", "tests/io/test_fuzz.py", *session.posargs, env=cases)


@nox.session
def stubs(session: nox.Session) -> None:
    """Are the stubs of the compiled modules current? ``-- --write`` renews them."""
    install_fastnn(session, "test")
    session.install(*pinned("pybind11-stubgen", "ruff"))
    check = [] if "--write" in session.posargs else ["--check"]
    session.run("python", "tools/stubs.py", *check)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel with all levels into dist/, warnings being errors."""
    session.install(*pinned("auditwheel"))
    built = Path(session.create_tmp()) / "wheel"
    shutil.rmtree(built, ignore_errors=True)
    session.run(
        *("pip", "wheel", "--no-deps", "--wheel-dir", str(built), "."),
        "--config-settings=cmake.define.FASTNN_WERROR=ON",
    )
    path = next(built.glob("*.whl"))
    size = path.stat().st_size / 1e6
    session.log(f"{path.name}: {size:.2f} MB")
    if size > WHEEL_LIMIT_MB:
        session.error(f"the wheel is over {WHEEL_LIMIT_MB} MB")
    session.run("auditwheel", "show", str(path))
    DIST.mkdir(exist_ok=True)
    shutil.copy(path, DIST)


@nox.session
def installed(session: nox.Session) -> None:
    """The tests against the wheel of FASTNN_WHEEL, outside the tree, once per level."""
    if "FASTNN_WHEEL" not in os.environ:
        session.error("say which wheel: FASTNN_WHEEL=dist/fastnn-....whl")
    install_fastnn(session, "test")
    outside = session.create_tmp()
    config = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)]
    with session.chdir(outside):
        where = "import fastnn; print(fastnn.__file__)"
        found = session.run("python", "-c", where, silent=True)
        if not found or "site-packages" not in found:
            session.error(f"these tests would not see the wheel but {found}")
        session.run("python", str(ROOT / "tools" / "check_exports.py"))
        usable = (
            "from fastnn import _native as n\n"
            "print(*(l for l in n.levels_built if l in n.levels_supported))"
        )
        for level in str(session.run("python", "-c", usable, silent=True)).split():
            session.log(f"CPU level {level}")
            session.run(
                *("pytest", *config, str(ROOT / "tests"), "--pyargs", "fastnn"),
                *session.posargs,
                env={"FASTNN_CPU": level},
            )


@nox.session
def sdist(session: nox.Session) -> None:
    """Pack the sdist, build a wheel from its contents alone, and test that wheel."""
    session.install(*pinned("build"))
    folder = Path(session.create_tmp()).resolve() / "sdist"
    shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "-m", "build", "--sdist", "--outdir", str(folder))
    archive = next(folder.glob("*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    tree = folder / archive.name.removesuffix(".tar.gz")

    # The build requirements without eigency: the headers must come from the sdist. No
    # index and a dead proxy: whatever tries to download fails.
    requires = PROJECT["build-system"]["requires"]
    session.install(*(name for name in requires if not name.startswith("eigency")))
    session.install("cmake", "ninja")
    session.run(
        *("pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation"),
        "--no-cache-dir",  # pip would reuse an older wheel of a folder of this name
        *("--wheel-dir", str(folder), NATIVE, str(tree)),
        env=dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9"),
    )
    built = next(folder.glob("*.whl"))
    session.install(f"fastnn[test] @ {built.as_uri()}")
    with session.chdir(tree):
        session.run("pytest", "tests/packaging")


@nox.session
def bench(session: nox.Session) -> None:
    """Short runs of the benchmarks: do contenders run and agree? No time is asserted.

    ``-- training_vs_peers --threads 2`` runs one, in full.
    """
    install_fastnn(session, "bench")
    runs = [session.posargs] if session.posargs else [[b, "--quick"] for b in BENCHES]
    for name, *options in runs:
        session.run("python", f"bench/{name}.py", *options)


def _run_sanitized(session: nox.Session, sanitizers: str, *libraries: str) -> None:
    """Build for `sanitizers` and run pytest with their run-time libraries loaded."""
    settings = {
        "cmake.build-type": "RelWithDebInfo",
        "cmake.define.FASTNN_SANITIZE": sanitizers,
        "install.strip": "false",
    }
    options = [f"--config-settings={key}={value}" for key, value in settings.items()]
    session.install("-e", ".[test]", NATIVE, *options)
    found = [
        str(session.run("g++", f"-print-file-name={name}", external=True, silent=True))
        for name in (*libraries, "libstdc++.so")
    ]
    session.run(
        *("pytest", *(session.posargs or ["tests", "--ignore=tests/packaging"])),
        env={
            "LD_PRELOAD": " ".join(path.strip() for path in found),
            "PYTHONMALLOC": "malloc",
            # The interpreter frees little at exit; leaks of ours show in the counters.
            "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "TSAN_OPTIONS": "report_signal_unsafe=0",
        },
    )


@nox.session
def asan(session: nox.Session) -> None:
    """The tests under the address and undefined-behaviour sanitizers."""
    _run_sanitized(session, "address,undefined", "libasan.so", "libubsan.so")


@nox.session
def tsan(session: nox.Session) -> None:
    """The tests under the thread sanitizer."""
    _run_sanitized(session, "thread", "libtsan.so")
