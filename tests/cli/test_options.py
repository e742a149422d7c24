"""Options shared by commands: the config's fields, pairs, values, and what a shell completes."""

from __future__ import annotations

import dataclasses

import click
import pytest
from click.testing import CliRunner

from sift_toolkit import SiftConfig, SiftConfigError
from sift_toolkit.cli._options import ConfigPair, JobArgument, Pair, config_of, json_value


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], None),
        ([("keep", "0.5")], SiftConfig(keep=0.5)),
        ([("keep", "1"), ("scores", "fresh")], SiftConfig(keep=1, scores="fresh")),
        ([("beta_value", "1"), ("enabled", "false")], SiftConfig(beta_value=1, enabled=False)),
        ([("keep", ".5"), ("enabled", "False")], SiftConfig(keep=0.5, enabled=False)),
        ([("keep", "0.5"), ("high_loss_cap", "None")], SiftConfig(keep=0.5)),
    ],
)
def test_config(pairs: list[tuple[str, str]], expected: SiftConfig | None) -> None:
    """Texts become the values of the fields, as they do on their way to a job."""
    assert config_of(pairs) == expected


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        ([("kepe", "0.5")], "no field is called 'kepe', did you mean 'keep'?"),
        ([("keep", "0.5"), ("keep", "0.6")], "keep is given more than once"),
        ([("keep", "half")], "keep must be a number above 0 to 1 or None, got 'half'"),
        ([("scores", "fresh")], "keep or beta_value is required"),
    ],
)
def test_a_wrong_config(pairs: list[tuple[str, str]], problem: str) -> None:
    """Each problem is named, the nearest field for a misspelt one."""
    with pytest.raises(SiftConfigError, match=problem.replace("?", r"\?")):
        config_of(pairs)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ("abc", "abc"),
        ("", ""),
        ("1e", "1e"),
    ],
)
def test_json_value(text: str, value: object) -> None:
    """A value is what the job would read: JSON where it is that, else text."""
    assert json_value(text) == value


@pytest.mark.parametrize("text", ["keep", "=0.5", ""])
def test_no_pair(text: str) -> None:
    """What has no name or no sign is a usage error that says the form."""

    @click.command()
    @click.option("--pair", type=Pair("name=value"))
    def command(pair: tuple[str, str]) -> None:
        """Take a pair."""

    answer = CliRunner().invoke(command, ["--pair", text])
    assert answer.exit_code == 2
    assert f"must be name=value, got {text!r}" in answer.stderr


def completions(kind: click.ParamType, incomplete: str) -> list[str]:
    """The words that a shell would offer."""
    option = click.Option(["-c"], type=kind)
    context = click.Context(click.Command("run"))
    return [item.value for item in kind.shell_complete(context, option, incomplete)]


def test_completion_of_the_config() -> None:
    """A shell completes the fields, and the words that a field may hold."""
    kind = ConfigPair("field=value")
    fields = [field.name for field in dataclasses.fields(SiftConfig)]
    assert completions(kind, "") == [f"{name}=" for name in fields]
    assert completions(kind, "keep") == ["keep=", "keep_end="]
    assert completions(kind, "scores=") == ["scores=auto", "scores=fresh", "scores=memory"]
    assert completions(kind, "scores=f") == ["scores=fresh"]
    assert completions(kind, "keep=") == []
    assert completions(kind, "nonsense=") == []


def test_completion_of_a_job() -> None:
    """A shell completes paths where a job is asked for."""
    option = click.Argument(["job"], type=JobArgument())
    (item,) = JobArgument().shell_complete(click.Context(click.Command("watch")), option, "a/")
    assert (item.value, item.type) == ("a/", "file")
