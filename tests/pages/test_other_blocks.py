"""Blocks of the documentation that are no Python: commands that exist, data that can be read."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import click
import pytest
import yaml

from sift_toolkit.cli._app import app
from tests.pages.blocks import BLOCKS, PAGES, ROOT, Block

MAKEFILE: Final = (ROOT / "Makefile").read_text(encoding="utf-8")
PROJECT: Final = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
READERS: Final[dict[str, Callable[[str], object]]] = {
    "json": json.loads,
    "yaml": yaml.safe_load,
}
NOT_RUN: Final = {"text": "what a program printed, or a drawing: there is nothing to run"}
"""Languages whose blocks are not looked into, and why."""
SHELL: Final = [block for block in BLOCKS if block.language == "sh"]
COMPLETION: Final = re.compile(r"_SIFT_TOOLKIT_COMPLETE=(bash|zsh|fish)_source sift-toolkit")
EXTRAS: Final = re.compile(r"sift_toolkit\[([\w,-]+)\]")
TARGETS: Final = re.compile(r"`make ([\w-]+)")
ENDS: Final = re.compile(r"\s(?:&&|\|\||[|;])\s")
SENT_TO: Final = re.compile(r"\s>\s*\S+")


def commands_of(block: Block) -> Iterator[str]:
    """Yield each command of a block, without comments and what its output is sent to."""
    text = block.text.replace("\\\n", " ")
    for line in text.splitlines():
        said = re.sub(r"(^|\s)#.*", "", line).strip()
        if COMPLETION.search(said):
            yield said
        elif said:
            yield from (part.strip() for part in ENDS.split(SENT_TO.sub("", said)))


def wrong_with(command: str) -> str | None:
    """Say what is wrong with a command of a page; None: it is one that exists."""
    if COMPLETION.search(command):
        return None  # tests/cli/test_completion.py runs these
    words = [word for word in shlex.split(command) if not re.match(r"[A-Z_]+=", word)]
    for name, check in CHECKS.items():
        if words and words[0] == name:
            return check(words[1:])
    return None if not words or words[0] in GIVEN else f"nobody knows {words[0]}"


def wrong_options(words: list[str]) -> str | None:
    """Hold a call of sift-toolkit against the real commands and their options."""
    if not words or words[0] not in app.commands:
        return f"no command of sift-toolkit: {words[:1]}"
    command = app.commands[words[0]]
    try:
        with click.Context(command, info_name=words[0]) as context:
            given, left, _ = command.make_parser(context).parse_args(list(words[1:]))
    except click.UsageError as error:
        return error.format_message()
    missing = [
        each.name
        for each in command.params
        if each.required and not isinstance(given.get(str(each.name)), (str, tuple, list))
    ]
    return f"left over: {left}, missing: {missing}" if left or missing else None


def wrong_target(words: list[str]) -> str | None:
    """Each target that is asked for is one of the Makefile's."""
    targets = [word for word in words if "=" not in word]
    missing = [name for name in targets if not re.search(rf"^{name}:", MAKEFILE, re.MULTILINE)]
    return f"no target {missing}" if missing else None


def wrong_files(words: list[str]) -> str | None:
    """Files of the repository that a program is called with are there."""
    named = [word for word in words if re.fullmatch(r"[\w./-]+(\.py|/Dockerfile)", word)]
    missing = [word for word in named if not (ROOT / word).is_file()]
    return f"no file {missing}" if missing else None


def wrong_extra(words: list[str]) -> str | None:
    """What is installed is this package, by extras that it has."""
    _, _, extras = PROJECT.partition("[project.optional-dependencies]")
    known = set(re.findall(r"^([\w-]+) = \[", extras.partition("\n[")[0], re.MULTILINE))
    asked = {name for word in words for found in EXTRAS.findall(word) for name in found.split(",")}
    return f"no extra {asked - known}" if asked - known else None


CHECKS: Final[dict[str, Callable[[list[str]], str | None]]] = {
    "docker": wrong_files,
    "make": wrong_target,
    "pip": wrong_extra,
    "python": wrong_files,
    "sift-toolkit": wrong_options,
}
GIVEN: Final = frozenset({"aws", "cd", "git", "pytest"})
"""Programs that are not ours, whose calls are taken as they are."""


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_commands_exist(block: Block) -> None:
    """Each command line is one that the program would take: command, options, target, file."""
    commands = list(commands_of(block))
    assert commands
    found = ((command, wrong_with(command)) for command in commands)
    assert [(command, wrong) for command, wrong in found if wrong] == []


@pytest.mark.parametrize(
    "command",
    [
        "sift-toolkit fly job",
        "sift-toolkit compare a b --cheap",
        "sift-toolkit run",
        "make nothing-such",
        "python docs/none.py",
        "docker build --file docker/None/Dockerfile .",
        "pip install 'sift_toolkit[nothing]'",
        "rm -r everything",
    ],
)
def test_a_wrong_command_is_found(command: str) -> None:
    """The check is one that can fail, for each kind of command."""
    assert wrong_with(command) is not None


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language in READERS], ids=str)
def test_data_can_be_read(block: Block) -> None:
    """JSON and YAML are what they are said to be."""
    assert READERS[block.language](block.text)


def test_every_block_is_looked_at() -> None:
    """A block has a language that some test runs, reads or has a reason to leave alone."""
    known = {"python", "sh", *READERS, *NOT_RUN}
    assert [str(block) for block in BLOCKS if block.language not in known] == []
    assert {block.page for block in BLOCKS} > {"README.md", "docs/quickstart.md", "docs/cli.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_in_passing(page: Path) -> None:
    """Extras and targets in the text are those of this package."""
    text = page.read_text(encoding="utf-8")
    assert wrong_extra([text]) is None
    assert wrong_target(TARGETS.findall(text)) is None
