"""The command line: commands, exit codes, and what it says to mistakes."""

import subprocess
import sys

import pytest

from fastnn import __main__ as cli
from fastnn import demo


def test_it_runs_as_a_module():
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "fastnn", "info"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.startswith("fastnn ")
    assert run.stderr == ""


def test_no_command_shows_help(capsys):
    assert cli.main([]) == 2
    assert "demo" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dmeo"], "unknown command 'dmeo'; did you mean 'demo'?"),
        (["xyz"], "unknown command 'xyz'; there are demo, info, bench"),
        (["demo", "--seed", "x"], "invalid int value: 'x'"),
        (["demo", "--data", "iris"], "invalid choice: 'iris'"),
        (["info", "--fast"], "unknown argument '--fast'"),
        (["--fast"], "command"),
    ],
)
def test_misuse_is_exit_code_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as error:
        cli.main(arguments)
    assert error.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"]])
def test_help_is_exit_code_0(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        cli.main(arguments)
    assert error.value.code == 0
    assert "python -m fastnn" in capsys.readouterr().out


def test_options_reach_the_demo(monkeypatch):
    calls = []
    monkeypatch.setattr(demo, "run", lambda *args, **named: calls.append((args, named)))
    assert cli.main(["demo"]) == 0
    assert cli.main(["demo", "--out", "a.svg", "--seed", "3", "--data", "digits"]) == 0
    assert calls == [
        (("fastnn_demo.png",), {"seed": 0}),
        (("a.svg",), {"seed": 3, "names": ("digits",)}),
    ]


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ImportError("no such package"), 1, "error: no such package"),
        (ValueError("no such folder"), 1, "error: no such folder"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_a_failure_is_an_exit_code_and_one_line(
    error, code, message, monkeypatch, capsys
):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(demo, "run", fail)
    assert cli.main(["demo"]) == code
    assert capsys.readouterr().err.strip() == message


def test_bench_needs_a_clone(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    assert cli.main(["bench"]) == 1
    assert "run this in the folder of a clone" in capsys.readouterr().err


def test_bench_runs_the_script_of_this_folder(monkeypatch, tmp_path):
    (tmp_path / "python" / "fastnn").mkdir(parents=True)
    (tmp_path / "bench").mkdir()
    script = "import sys; sys.exit(7 if sys.argv[1:] == ['--quick'] else 0)"
    (tmp_path / "bench" / "kernels_vs_numpy.py").write_text(script)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    assert cli.main(["bench", "--quick"]) == 7
