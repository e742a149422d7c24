"""The command line as a whole: what it costs to start, what it says, how it exits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import sift_toolkit
from sift_toolkit import (
    SiftConfigError,
    SiftJobError,
    SiftRequestError,
    SiftStateError,
    SiftUsageError,
)
from sift_toolkit.cli._app import app

HEAVY = ("torch", "sagemaker", "boto3", "botocore", "rich", "pandas", "matplotlib", "moto")
COMMANDS = ("compare", "describe", "doctor", "report", "run", "trial", "watch")


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_is_quick(arguments: list[str]) -> None:
    """No help text imports torch, an SDK, boto3 or what else takes its time."""
    code = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
import sift_toolkit
from sift_toolkit.cli import main
sys.argv[0] = "sift-toolkit"
main()
"""
    answer = python(code, *arguments)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("Usage: sift-toolkit")
    imported = {name.partition(".")[0] for name in json.loads(answer.stderr)}
    assert imported.isdisjoint(HEAVY)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_an_example(name: str) -> None:
    """Each says what it does, shows a call, and names its exit codes."""
    text = CliRunner().invoke(app, [name, "--help"]).stdout
    assert "Example" in text
    assert f"sift-toolkit {name}" in text.split("Example")[1]
    assert "xit code" in text
    assert "--json" in text
    for parameter in app.commands[name].params:
        assert not isinstance(parameter, click.Option) or parameter.help, parameter.name


def test_the_commands() -> None:
    """The list of commands is what was decided."""
    assert tuple(sorted(app.commands)) == COMMANDS


def test_version() -> None:
    """--version tells the version of this package."""
    answer = CliRunner().invoke(app, ["--version"])
    assert answer.stdout == f"sift-toolkit, version {sift_toolkit.__version__}\n"


def test_click_is_missing() -> None:
    """Without click the mend is said, and nothing else."""
    code = "import sys; sys.modules['click'] = None; from sift_toolkit.cli import main; main()"
    answer = python(code)
    assert answer.returncode == 1
    assert answer.stderr == (
        "sift-toolkit needs click, which is not there: pip install 'sift_toolkit[cli]'\n"
    )


def test_another_missing_module_is_not_blamed_on_click() -> None:
    """What is really missing is what is told."""
    code = """
import sys
sys.modules["sift_toolkit.cli._run"] = None
import sift_toolkit
from sift_toolkit.cli import main
main()
"""
    answer = python(code)
    assert "sift_toolkit.cli._run" in answer.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SiftConfigError(["keep is wrong"]), 2),
        (SiftRequestError(["no script"]), 2),
        (SiftUsageError("no job"), 2),
        (SiftJobError("it failed"), 1),
        (SiftStateError("no report"), 1),
    ],
)
def test_errors_are_said_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    """What this package raises becomes one message on standard error, and an exit code."""
    answer = _with_failing_command(monkeypatch, error)
    assert answer.exit_code == code
    assert answer.stdout == ""
    assert answer.stderr == f"Error: {error}\n"


@pytest.mark.parametrize(
    ("name", "extra"), [("boto3", "client"), ("rich.console", "client"), ("matplotlib", "demo")]
)
def test_a_package_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, name: str, extra: str
) -> None:
    """A command that needs more than click says what to install."""
    answer = _with_failing_command(monkeypatch, ModuleNotFoundError("no", name=name))
    assert answer.exit_code == 1
    assert answer.stderr.endswith(f"which is not there: pip install 'sift_toolkit[{extra}]'\n")


def test_a_module_of_ours_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other missing module is a fault to be seen."""
    answer = _with_failing_command(monkeypatch, ModuleNotFoundError("no", name="sift_toolkit.x"))
    assert isinstance(answer.exception, ModuleNotFoundError)


def test_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends with 130, as in a shell."""
    answer = _with_failing_command(monkeypatch, KeyboardInterrupt())
    assert answer.exit_code == 130
    assert answer.stderr == "\ninterrupted\n"


def test_other_errors_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw keeps its traceback."""
    answer = _with_failing_command(monkeypatch, ZeroDivisionError("oops"))
    assert isinstance(answer.exception, ZeroDivisionError)


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete"), ("zsh", "compdef"), ("fish", "complete")]
)
def test_completion(shell: str, word: str) -> None:
    """Each shell can be told how to complete the command, as the help says."""
    answer = CliRunner().invoke(
        app, env={"_SIFT_TOOLKIT_COMPLETE": f"{shell}_source"}, prog_name="sift-toolkit"
    )
    assert word in answer.stdout
    assert "_SIFT_TOOLKIT_COMPLETE" in answer.stdout


def test_as_a_module(tmp_path: Path) -> None:
    """`python -m sift_toolkit.cli` is the same command."""
    command = [sys.executable, "-m", "sift_toolkit.cli", "nonsense"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert answer.returncode == 2
    assert "No such command 'nonsense'" in answer.stderr


def _with_failing_command(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Result:
    @click.command()
    def fail() -> None:
        raise error

    monkeypatch.setitem(app.commands, "fail", fail)
    return CliRunner().invoke(app, ["fail"])


def test_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours are for terminals, and for nobody where NO_COLOR is set."""

    @click.command()
    def paint() -> None:
        click.secho("red", fg="red")

    monkeypatch.setitem(app.commands, "paint", paint)
    monkeypatch.delenv("NO_COLOR", raising=False)

    def output(**options: Any) -> str:
        return CliRunner().invoke(app, ["paint"], **options).stdout

    assert "\x1b[31m" in output(color=True)
    assert output(color=True, env={"NO_COLOR": "1"}) == "red\n"
    assert output() == "red\n"
