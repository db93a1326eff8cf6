"""The compiled modules export their entry point and nothing else."""

import subprocess

from fastnn import _native


def test_the_installed_modules_export_their_entry_only(tool):
    check = tool("check_exports")
    modules = check.installed_modules()
    names = {path.name.partition(".")[0] for path in modules}
    assert names == {"_cpu", *(f"_core_{level}" for level in _native.levels_built)}
    assert [check.breach(path) for path in modules] == [None] * len(modules)


def test_a_library_that_exports_more_is_caught(tool, tmp_path, capsys):
    source = tmp_path / "open.cpp"
    source.write_text('extern "C" { void PyInit_open() {} void leak() {} }')
    library = tmp_path / "open.so"
    subprocess.run(
        ["c++", "-shared", "-fPIC", "-o", str(library), str(source)], check=True
    )
    assert tool("check_exports").main([library]) == 1
    assert "not only PyInit_open" in capsys.readouterr().out


def test_checking_nothing_is_no_success(tool):
    assert tool("check_exports").main([]) == 1
