"""Which file a job names, and the import path it is started with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sift_toolkit import SiftUsageError
from sift_toolkit.config import SCRIPT_KEY
from sift_toolkit.container._script import existing_script, import_beside, script_of
from sift_toolkit.contract import JobTree

MakeJob = Callable[..., JobTree]


def test_the_job_names_its_script(make_job: MakeJob) -> None:
    """The hyperparameter is decoded as all are."""
    assert script_of(make_job(**{SCRIPT_KEY: "model/net.py"})) == Path("model/net.py")


def test_a_job_without_a_script(make_job: MakeJob) -> None:
    """A job that was launched otherwise is told how to be launched."""
    with pytest.raises(
        SiftUsageError, match=r"sagemaker_sift_script is None; .*launcher=\"train\""
    ):
        script_of(make_job(lr=1))
    with pytest.raises(SiftUsageError, match="no script is named: there is no job here"):
        script_of(JobTree(Path("nowhere")))


def test_a_script_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that does not exist is named, with where it was looked for."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SiftUsageError) as caught:
        existing_script(Path("train.py"))

    assert str(caught.value) == f"there is no file 'train.py', seen from {str(tmp_path)!r}"


def test_a_script_gets_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path stays right when the script changes its folder."""
    monkeypatch.chdir(tmp_path)
    Path("train.py").touch()

    assert existing_script(Path("train.py")) == tmp_path / "train.py"


@pytest.mark.usefixtures("kept_imports")
class TestImportPath:
    """Neighbours of the user's file are importable, those of our entry point are not."""

    def test_the_entry_points_folder_makes_way(self, tmp_path: Path) -> None:
        """What python put first for the entry point is replaced."""
        sys.argv = [str(tmp_path / "entry_points" / "run.py")]
        sys.path[0:0] = [str(tmp_path / "entry_points")]
        rest = sys.path[1:]

        import_beside(tmp_path / "src" / "train.py")

        assert sys.path == [str(tmp_path / "src"), *rest]

    def test_nothing_else_is_lost(self, tmp_path: Path) -> None:
        """Where python put nothing there (its option -P), all that is there stays."""
        sys.argv = [str(tmp_path / "entry_points" / "run.py")]
        before = [*sys.path]

        import_beside(tmp_path / "src" / "train.py")

        assert sys.path == [str(tmp_path / "src"), *before]

    def test_links_are_followed(self, tmp_path: Path) -> None:
        """As python does: the neighbours are those of the file itself, not of a link to it."""
        (tmp_path / "src").mkdir()
        (tmp_path / "src" / "train.py").touch()
        (tmp_path / "link.py").symlink_to(tmp_path / "src" / "train.py")

        import_beside(tmp_path / "link.py")

        assert sys.path[0] == str(tmp_path / "src")
