"""The job's own copy of the user's code."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import Final

from sift_toolkit.contract._tree import LOG_NAME
from sift_toolkit.errors import SiftJobError

# `train` would pip install these, into the environment of whoever launched the job: on this
# machine the environment is the image, and stays as it is.
_INSTALLED: Final = ("requirements.txt", "setup.py")

_NEVER_CODE: Final = frozenset({".git", "__pycache__"})
_ENVIRONMENT_MARK: Final = "pyvenv.cfg"


def stage_code(source: Path, code_dir: Path) -> list[str]:
    """Fill *code_dir* from a folder or a .tar.gz; return the names of install files left out.

    A folder is copied without what is never code: virtual environments, .git, __pycache__ and the
    trees of jobs, this one's too, should it lie inside. Of an archive, members that point outside
    are left out, as sagemaker-training does.

    Raises:
        SiftJobError: *source* is a file, but no .tar.gz.
    """
    if source.is_dir():
        shutil.copytree(
            source,
            code_dir,
            ignore=_ignored,
            ignore_dangling_symlinks=True,
            dirs_exist_ok=True,
        )
    else:
        _unpack(source, code_dir)
    left_out = [name for name in _INSTALLED if (code_dir / name).is_file()]
    for name in left_out:
        (code_dir / name).unlink()
    return left_out


def _ignored(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in _NEVER_CODE or _is_apart(Path(folder, name))}


def _is_apart(path: Path) -> bool:
    return (path / _ENVIRONMENT_MARK).is_file() or (path / LOG_NAME).is_file()


def _unpack(archive: Path, code_dir: Path) -> None:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            members = [PurePosixPath(name) for name in tar.getnames()]
            trees = {member.parent for member in members if member.name == LOG_NAME}
            tar.extractall(  # noqa: S202 - every member goes through the data filter
                code_dir, filter=lambda member, path: _wanted(member, path, trees)
            )
    except tarfile.ReadError as error:
        msg = f"the job's code must be a folder or a .tar.gz, {str(archive)!r} is neither"
        raise SiftJobError(msg) from error


def _wanted(
    member: tarfile.TarInfo, path: str, trees: set[PurePosixPath]
) -> tarfile.TarInfo | None:
    if not trees.isdisjoint(PurePosixPath(member.name).parents):
        return None
    try:
        return tarfile.data_filter(member, path)
    except tarfile.FilterError:
        return None
