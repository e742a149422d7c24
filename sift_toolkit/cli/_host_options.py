"""Options of the commands that run jobs on this machine: what a job consists of."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

import click

from sift_toolkit.cli._options import ConfigPair, Pair

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]

FOLDER: Final = click.Path(file_okay=False, path_type=Path)
"""A folder, there already or not."""


class _Channel(Pair):
    """``NAME=PATH`` of something on this machine."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return the name and the path."""
        name, path = super().convert(value, param, ctx)
        if "://" in path:
            self.fail(
                f"must be a folder or file of this machine, got {path!r}; copy it here first",
                param,
                ctx,
            )
        return name, path


hooks_option: Final[Decorator] = click.option(
    "--hooks", is_flag=True, help="SCRIPT is a module of hooks: the toolkit trains it."
)

source_dir_option: Final[Decorator] = click.option(
    "--source-dir",
    type=FOLDER,
    metavar="DIR",
    help="Folder of code that goes along.  [default: the one that SCRIPT is in]",
)


def trailing_arguments(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what stands after ``--``, for `hyperparameters_of`."""
    argument = click.argument(
        "script_arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- --NAME VALUE]..."
    )
    return argument(command)


def config_option(meaning: str) -> Decorator:
    """``-c``, for `config_of`; *meaning* says whose config it is."""
    return click.option(
        "-c",
        "--config",
        "pairs",
        type=ConfigPair("field=value"),
        metavar="FIELD=VALUE",
        multiple=True,
        help=meaning,
    )


def channel_option(meaning: str, *, on_this_machine: bool = False) -> Decorator:
    """``--channel``; *meaning* follows what a channel is, which may be an address or not."""
    return click.option(
        "--channel",
        "channels",
        type=(_Channel if on_this_machine else Pair)("name=path"),
        metavar="NAME=PATH",
        multiple=True,
        help=f"A folder or file of data; {meaning}",
    )


def environment_option(whose: str) -> Decorator:
    """``--env``, a variable of *whose* environment."""
    return click.option(
        "--env",
        "environment",
        type=Pair("name=value"),
        metavar="NAME=VALUE",
        multiple=True,
        help=f"An environment variable of the {whose}.",
    )


def python_option(runs: str) -> Decorator:
    """``--python``; *runs* says what it is for."""
    return click.option(
        "--python",
        default=sys.executable,
        metavar="PATH",
        show_default="this one",
        help=f"Interpreter with torch and sagemaker-training that {runs}.",
    )
