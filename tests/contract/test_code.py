"""The job's own copy of the user's code."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from sift_toolkit.contract._code import stage_code
from sift_toolkit.errors import SiftJobError


@pytest.fixture
def code_dir(tmp_path: Path) -> Path:
    """The empty folder a job's code goes to."""
    folder = tmp_path / "code"
    folder.mkdir()
    return folder


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")


def pack(folder: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        for path in folder.iterdir():
            tar.add(path, arcname=path.name)
    return archive


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_folder_is_copied_without_what_is_no_code(source: Path, code_dir: Path) -> None:
    """Virtual environments, .git, caches and the trees of jobs are left where they are."""
    write(source, "train.py", "lib/a.py", ".git/config", "lib/__pycache__/a.pyc")
    write(source, "venv/pyvenv.cfg", "venv/lib/big.so", "jobs/old/sift_job.log", "jobs/old/model/m")
    (source / "dangling").symlink_to(source / "nowhere")

    assert stage_code(source, code_dir) == []
    assert names_in(code_dir) == ["lib/a.py", "train.py"]


def test_a_tree_inside_its_own_source_is_no_trap(source: Path) -> None:
    """A job laid out inside the folder it copies does not copy itself without end."""
    write(source, "train.py", "jobs/now/sift_job.log")

    stage_code(source, source / "jobs" / "now" / "code")

    assert names_in(source / "jobs" / "now" / "code") == ["train.py"]


def test_an_archive_is_unpacked(tmp_path: Path, source: Path, code_dir: Path) -> None:
    """An archive as the SDK makes it is unpacked, without the trees of earlier jobs."""
    write(source, "train.py", "lib/a.py", "jobs/old/sift_job.log", "jobs/old/code/train.py")

    assert stage_code(pack(source, tmp_path / "sourcedir.tar.gz"), code_dir) == []
    assert names_in(code_dir) == ["lib/a.py", "train.py"]


def test_nothing_is_unpacked_outside(tmp_path: Path, code_dir: Path) -> None:
    """A member that points outside the code folder is left out, as sagemaker-training does."""
    write(tmp_path, "outside", "inside")
    archive = tmp_path / "bad.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "outside", arcname="../escaped")
        tar.add(tmp_path / "inside", arcname="inside")

    stage_code(archive, code_dir)

    assert names_in(code_dir) == ["inside"]
    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize("packed", [False, True])
def test_what_would_be_installed_is_left_out(
    tmp_path: Path, source: Path, code_dir: Path, *, packed: bool
) -> None:
    """requirements.txt and setup.py at the top are left out, and named; deeper ones stay."""
    write(source, "train.py", "requirements.txt", "setup.py", "lib/setup.py")
    code = pack(source, tmp_path / "sourcedir.tar.gz") if packed else source

    assert stage_code(code, code_dir) == ["requirements.txt", "setup.py"]
    assert names_in(code_dir) == ["lib/setup.py", "train.py"]
    assert (source / "requirements.txt").exists()


def test_another_file_is_refused(source: Path, code_dir: Path) -> None:
    """A file that is no archive is refused by name."""
    write(source, "train.py")

    with pytest.raises(SiftJobError, match=r"a folder or a \.tar\.gz, '.*train\.py' is neither"):
        stage_code(source / "train.py", code_dir)
