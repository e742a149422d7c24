"""An estimator is found by its name in a user's file, which runs as a module."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sift_toolkit import SiftUsageError
from sift_toolkit.cli._estimator_file import estimator_in


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that makes something, with a module beside it."""
    (tmp_path / "next_door.py").write_text("VALUE = 3\n")
    path = tmp_path / "launch.py"
    path.write_text("from next_door import VALUE\nmade = [VALUE]\ndef make(): return [VALUE, 1]\n")
    return path


def test_a_name_and_a_function(file: Path) -> None:
    """A name is what it stands for, a function is called."""
    assert estimator_in(file, "made") == [3]
    assert estimator_in(file, "make") == [3, 1]


def test_the_path_is_put_back(file: Path) -> None:
    """Files beside it can be imported while it runs, and not afterwards."""
    before = list(sys.path)
    estimator_in(file, "made")
    assert sys.path == before


def test_its_command_line_is_empty(tmp_path: Path) -> None:
    """A file that reads its own options finds none, and not those of this command."""
    path = tmp_path / "launch.py"
    path.write_text("import sys\nmade = sys.argv\n")
    before = list(sys.argv)
    assert estimator_in(path, "made") == [str(path)]
    assert sys.argv == before


def test_no_such_name(file: Path) -> None:
    """The names that are there are told."""
    with pytest.raises(SiftUsageError, match="nothing called 'mode'; its names are VALUE, made"):
        estimator_in(file, "mode")


def test_no_python_file(tmp_path: Path) -> None:
    """A file of another kind is refused."""
    path = tmp_path / "launch.txt"
    path.write_text("made = 1\n")
    with pytest.raises(SiftUsageError, match=r"its name must end in \.py"):
        estimator_in(path, "made")


def test_its_own_errors_stay(tmp_path: Path) -> None:
    """What the user's file raises is the user's to see."""
    path = tmp_path / "launch.py"
    path.write_text("1 / 0\n")
    before = list(sys.path)
    with pytest.raises(ZeroDivisionError):
        estimator_in(path, "made")
    assert sys.path == before
