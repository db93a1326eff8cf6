"""The ladder of includes and imports, and that its check can fail."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def check(tool):
    return tool("check_ladder")


def plant(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_the_project_keeps_its_ladder(check, capsys):
    assert check.main(ROOT) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("where", "include", "message"),
    [
        ("fastnn/core/a.hpp", '"fastnn/nn/b.hpp"', "core is below nn"),
        ("fastnn/kernels/a.cpp", '"fastnn/optim/b.hpp"', "kernels is below optim"),
        ("fastnn/nn/a.hpp", "<pybind11/pybind11.h>", "belongs to bindings only"),
        ("fastnn/optim/a.hpp", "<Eigen/Core>", "belongs to core, kernels"),
        ("fastnn/nn/a.hpp", '"fastnn/nn/missing.hpp"', "does not exist"),
        ("fastnn/nn/a.hpp", '"fastnn/misc/b.hpp"', "on no floor"),
        ("fastnn/diagnose/a.hpp", '"fastnn/train/trainer.hpp"', "must not know"),
    ],
)
def test_an_include_that_breaks_the_ladder_is_found(
    check, tmp_path, capsys, where, include, message
):
    headers = ("nn/b", "optim/b", "misc/b", "train/trainer")
    plant(tmp_path, {f"cpp/fastnn/{name}.hpp": "" for name in headers})
    plant(tmp_path, {f"cpp/{where}": f"#pragma once\n#  include {include}\n"})
    assert check.main(tmp_path) == 1
    assert message in capsys.readouterr().out


def test_bindings_do_not_reach_eigen_by_any_way(check, tmp_path, capsys):
    plant(
        tmp_path,
        {
            "cpp/fastnn/kernels/simd.hpp": "#include <Eigen/Core>",
            "cpp/fastnn/nn/a.hpp": '#include "fastnn/kernels/simd.hpp"',
            "cpp/fastnn/nn/b.hpp": '#include "fastnn/nn/a.hpp"',
            "cpp/bindings/x.cpp": '#include "bindings/y.hpp"',
            "cpp/bindings/y.hpp": '#include "fastnn/nn/b.hpp"',
        },
    )
    assert check.main(tmp_path) == 1
    said = capsys.readouterr().out
    assert "cpp/bindings/x.cpp: must not read Eigen/" in said
    assert "fastnn/nn/a.hpp -> fastnn/kernels/simd.hpp -> Eigen/Core" in said


def test_includes_that_go_down_are_allowed(check, tmp_path):
    plant(
        tmp_path,
        {
            "cpp/fastnn/core/b.hpp": "#include <vector>",
            "cpp/fastnn/nn/a.hpp": '#include "fastnn/core/b.hpp"',
            "cpp/bindings/a.cpp": "#include <pybind11/pybind11.h>",
        },
    )
    assert check.main(tmp_path) == 0


@pytest.mark.parametrize(
    ("where", "statement", "message"),
    [
        ("layers.py", "from fastnn.sequential import f", "layers is below sequential"),
        ("layers.py", "from fastnn import sequential", "layers is below sequential"),
        ("optim.py", "def f():\n    import fastnn.recipe", "optim is below recipe"),
        ("reference/x.py", "from fastnn._native import core", "stands alone"),
    ],
)
def test_an_import_that_breaks_the_ladder_is_found(
    check, tmp_path, capsys, where, statement, message
):
    modules = ("sequential", "recipe", "_native")
    plant(tmp_path, {f"python/fastnn/{name}.py": "" for name in modules})
    plant(tmp_path, {f"python/fastnn/{where}": statement})
    assert check.main(tmp_path) == 1
    assert message in capsys.readouterr().out


def test_types_may_be_named_upward(check, tmp_path):
    guarded = "if TYPE_CHECKING:\n    from fastnn.sequential import Sequential\n"
    plant(
        tmp_path, {"python/fastnn/sequential.py": "", "python/fastnn/optim.py": guarded}
    )
    assert check.main(tmp_path) == 0
