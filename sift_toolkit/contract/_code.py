"""The job's own copy of the user's code."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from sift_toolkit.contract._archive import UNREADABLE, SafeMembers
from sift_toolkit.contract._tree import LOG_NAME
from sift_toolkit.errors import SiftJobError

# `train` would pip install these, into the environment of whoever launched the job: on this
# machine the environment is the image, and stays as it is.
_INSTALLED: Final = ("requirements.txt", "setup.py")

_NEVER_CODE: Final = frozenset({".git", "__pycache__"})
_ENVIRONMENT_MARK: Final = "pyvenv.cfg"

_MOST_BYTES: Final = 4 << 30
_MOST_MEMBERS: Final = 200_000


def stage_code(source: Path, code_dir: Path) -> list[str]:
    """Fill *code_dir* from a folder or a .tar.gz; return the names of install files left out.

    A folder is copied without what is never code: virtual environments, .git, __pycache__ and the
    trees of jobs, this one's too, should it lie inside. Of an archive, members that point outside
    are left out, as sagemaker-training does, and so are devices and pipes.

    Raises:
        SiftJobError: *source* is a file, but no .tar.gz; or far too large a one to be code.
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
    if not hasattr(tarfile, "data_filter"):
        msg = (
            "this Python unpacks no archive safely: take 3.10.12, 3.11.4, 3.12 or newer, or give "
            "the job's code as a folder"
        )
        raise SiftJobError(msg)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            members = [PurePosixPath(name) for name in _names(tar, archive)]
            trees = {member.parent for member in members if member.name == LOG_NAME}
            safe = SafeMembers()

            def wanted(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
                in_tree = not trees.isdisjoint(PurePosixPath(member.name).parents)
                return None if in_tree else safe.keep(member, folder)

            tar.extractall(code_dir, filter=wanted)  # noqa: S202 - every member is asked for
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        msg = f"{str(archive)!r} holds a file and a folder of one name: {error.filename!r}"
        raise SiftJobError(msg) from error
    except UNREADABLE as error:
        msg = f"the job's code must be a folder or a .tar.gz, {str(archive)!r} is neither"
        raise SiftJobError(msg) from error


def _names(tar: tarfile.TarFile, archive: Path) -> Iterator[str]:
    """Yield the names of all members, as long as the whole may be somebody's code."""
    size = 0
    for count, member in enumerate(tar, start=1):
        size += member.size
        if size > _MOST_BYTES or count > _MOST_MEMBERS:
            msg = (
                f"{str(archive)!r} unpacks to more than {_MOST_BYTES >> 30} GiB or "
                f"{_MOST_MEMBERS:,} files, which is no code: put data into a channel"
            )
            raise SiftJobError(msg)
        yield member.name
