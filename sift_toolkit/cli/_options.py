"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import click
from click.shell_completion import CompletionItem

from sift_toolkit.config import SiftConfig, help_of, key_of, rule_of
from sift_toolkit.errors import SiftConfigError, SiftUsageError

if TYPE_CHECKING:
    _PairType: TypeAlias = click.ParamType[tuple[str, str]]
    _TextType: TypeAlias = click.ParamType[str]
else:  # older releases of click have no generic types
    _PairType = _TextType = click.ParamType

Command = TypeVar("Command", bound=Callable[..., Any])

_FIELDS: Final = {field.name: field for field in dataclasses.fields(SiftConfig)}


class Pair(_PairType):
    """``NAME=VALUE``.

    Args:
        name: what it is called in the help.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return the name and the value."""
        if isinstance(value, tuple):
            return value
        name, sign, rest = str(value).partition("=")
        if not sign or not name:
            self.fail(f"must be {self.name}, got {value!r}", param, ctx)
        return name, rest


class ConfigPair(Pair):
    """A field of SiftConfig and its value, completed by the shell."""

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click gives it
        param: click.Parameter,  # noqa: ARG002 - click gives it
        incomplete: str,
    ) -> list[CompletionItem]:
        """Return the fields that begin so, or the words that a field may hold."""
        name, sign, begun = incomplete.partition("=")
        if not sign:
            return [
                CompletionItem(f"{field}=", help=help_of(_FIELDS[field]))
                for field in _FIELDS
                if field.startswith(name)
            ]
        rule = rule_of(_FIELDS[name]) if name in _FIELDS else None
        words = getattr(rule, "options", ())
        return [CompletionItem(f"{name}={word}") for word in words if word.startswith(begun)]


class JobArgument(_TextType):
    """A training job's name, or the path of a file or folder that speaks of one."""

    name = "job"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click gives it
        param: click.Parameter,  # noqa: ARG002 - click gives it
        incomplete: str,
    ) -> list[CompletionItem]:
        """Let the shell complete paths; names of jobs would take a call to AWS."""
        return [CompletionItem(incomplete, type="file")]


def json_option(command: Command) -> Command:
    """Add ``--json``."""
    option = click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Print one JSON object on standard output, and nothing else there.",
    )
    return option(command)


def aws_options(command: Command) -> Command:
    """Add ``--region`` and ``--profile``."""
    for name, meaning in (
        ("--profile", "Profile of your AWS configuration.  [default: AWS's own]"),
        ("--region", "AWS region of the jobs.  [default: the configured one]"),
    ):
        command = click.option(name, metavar="NAME", help=meaning)(command)
    return command


def config_of(pairs: Iterable[tuple[str, str]]) -> SiftConfig | None:
    """Return the config that ``-c`` options describe, None where there are none.

    Raises:
        SiftConfigError: a field is unknown, given twice, or has a value it may not have.
    """
    pairs = list(pairs)
    given = dict(pairs)
    problems = [_unknown(name) for name in given if name not in _FIELDS]
    problems += [
        f"{name} is given more than once"
        for name in given
        if sum(name == other for other, _ in pairs) > 1
    ]
    if problems:
        raise SiftConfigError(problems)
    return SiftConfig.from_hyperparameters(
        {key_of(name): _with_leading_zero(text) for name, text in pairs}
    )


def _unknown(name: str) -> str:
    (nearest,) = difflib.get_close_matches(name, _FIELDS, n=1, cutoff=0.0)
    return f"no field is called {name!r}, did you mean {nearest!r}?"


def _with_leading_zero(text: str) -> str:
    """Return ``.5`` as people write it the way that JSON does."""
    return f"0{text}" if text.startswith(".") else text


def json_value(text: str) -> object:
    """Return what a hyperparameter's text stands for: JSON where it is that, else itself."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def once(pairs: Iterable[tuple[str, str]], option: str) -> dict[str, str]:
    """Return *pairs* as a dict; a name that is given twice is refused, not overwritten.

    Raises:
        SiftUsageError: one is.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            msg = f"{option} {name!r} is given more than once"
            raise SiftUsageError(msg)
        found[name] = value
    return found
