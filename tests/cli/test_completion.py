"""What bash completes: fields and their values too, though it cuts words at each `=`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sift_toolkit.cli._completion import _joined


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, as a shell finds it."""
    path = tmp_path_factory.mktemp("bin") / "sift-toolkit"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sift_toolkit.cli "$@"\n')
    path.chmod(0o755)
    return path


def completed(program: Path, *words: str) -> list[str]:
    """Return what bash would offer for the last of words that it has cut."""
    script = """
        eval "$(_SIFT_TOOLKIT_COMPLETE=bash_source sift-toolkit)"
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        compopt() { echo "compopt $*"; }
        _sift_toolkit_completion sift-toolkit
        for one in "${COMPREPLY[@]}"; do echo "<$one>"; done
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", "sift-toolkit", *words],
        env={**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [line.strip("<>") for line in done.stdout.splitlines()]


def test_a_field(program: Path) -> None:
    """A field is completed up to its sign, after which no space comes."""
    assert completed(program, "run", "x.py", "-c", "law") == ["compopt -o nospace", "law="]


@pytest.mark.parametrize(
    "words", [("-c", "scores", "=", "m"), ("--config", "=", "scores", "=", "m")]
)
def test_a_value(program: Path, words: tuple[str, ...]) -> None:
    """A value is completed, its field left as it stands."""
    assert completed(program, "run", "x.py", *words) == ["memory"]


def test_all_values(program: Path) -> None:
    """Right after the sign all values are offered."""
    words = ("run", "x.py", "-c", "keep", "=", "0.5", "-c", "scores", "=")
    assert completed(program, *words) == ["auto", "fresh", "memory"]


def test_nothing(program: Path) -> None:
    """Where there is nothing to offer, nothing is."""
    assert completed(program, "run", "x.py", "-c", "nonsense") == []


def test_commands_and_paths(program: Path) -> None:
    """Commands are completed as ever, and paths are bash's own affair."""
    assert completed(program, "comp") == ["compare"]
    assert completed(program, "compare", "plain", "=", "a/")[0] == "compopt -o default"


@pytest.mark.parametrize(
    ("words", "whole"),
    [
        (["a", "b"], ["a", "b"]),
        (["-c", "a", "=", "b"], ["-c", "a=b"]),
        (["-c", "a", "="], ["-c", "a="]),
        (["-c", "a=", ""], ["-c", "a="]),
        ([""], [""]),
    ],
)
def test_words(words: list[str], whole: list[str]) -> None:
    """What was cut at a sign is put together again."""
    assert list(_joined(words)) == whole
