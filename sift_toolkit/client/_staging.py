"""The folder a job's code is sent from: the user's files, with the toolkit beside them.

A job then needs nothing from a package index. Nothing of the user's is written to: each job gets
its own copy, in the layout of the wheel, whether the toolkit runs from a wheel or from a checkout.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path
from typing import Final

from sift_toolkit.client._source import ENTRY_POINTS, PACKAGE, SourceCode
from sift_toolkit.contract import JobTree
from sift_toolkit.errors import SiftRequestError

STAGED_PREFIX: Final = "sift-staged-"
"""Begins the names of the temporary folders, which are never staged themselves."""

JUNK: Final = (
    "__pycache__",
    "*.pyc",
    ".git",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    f"{STAGED_PREFIX}*",
)
"""Files and folders that no job needs; nor does it need a virtual environment, or another job."""

KEY_FILES: Final = (".aws", ".env", ".ssh", ".netrc", ".pypirc")
"""Files and folders that tools keep keys in, which must not travel."""

TRIAL_FILE: Final = "sift_trial.json"
"""The plan in the folder of a trial, which is no code of any job."""

_ENVIRONMENT_MARK: Final = "pyvenv.cfg"


def stage(code: SourceCode, folder: Path) -> None:
    """Lay out a job's code in *folder*, which is made.

    Raises:
        SiftRequestError: a file cannot be read or written, or this installation is incomplete.
    """
    try:
        _copy_source(code, folder)
        for dependency in code.dependencies:
            # As in the SDK's own archive: its base name, or the root itself after a last slash.
            name = os.path.basename(dependency)  # noqa: PTH119 - Path drops that slash
            _copy(Path(dependency), folder / name)
        _copy_toolkit(code, folder / PACKAGE.name)
    except OSError as error:
        problem = f"the job's code cannot be copied: {error}"
        raise SiftRequestError([problem]) from error


def pack(folder: Path, archive: Path) -> None:
    """Write a staged folder's files into a .tar.gz, without the names of whoever owns them here."""

    def nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname=".", filter=nobodys)


def _copy_source(code: SourceCode, folder: Path) -> None:
    if code.source_dir is None:
        folder.mkdir(parents=True)
        _copy(Path(code.entry_point), folder / code.script)
    else:
        _copy(Path(code.source_dir), folder)
        # The copy has the mode of its original, which may forbid to write beside it.
        folder.chmod(0o755)


def _copy_toolkit(code: SourceCode, target: Path) -> None:
    entry_points = _entry_points()
    if code.ship_toolkit:
        _copy(PACKAGE, target)
        _copy(entry_points, target / ENTRY_POINTS)
    else:
        # Without an __init__.py this folder does not hide an installed sift_toolkit.
        (target / ENTRY_POINTS).mkdir(parents=True, exist_ok=True)
        name = f"{code.starter}.py"
        _copy(entry_points / name, target / ENTRY_POINTS / name)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(
            source,
            target,
            ignore=_junk,
            ignore_dangling_symlinks=True,
            dirs_exist_ok=True,
        )
    else:
        shutil.copy2(source, target)


def _junk(folder: str, names: list[str]) -> set[str]:
    by_name = shutil.ignore_patterns(*JUNK, *KEY_FILES)(folder, names)
    return by_name | {name for name in names if _is_apart(Path(folder, name))}


def _is_apart(path: Path) -> bool:
    """Whether a folder is a virtual environment, or that of a job or a trial, with other files."""
    marks = (path / _ENVIRONMENT_MARK, path / TRIAL_FILE, JobTree(path).log_file)
    return any(mark.is_file() for mark in marks)


def _entry_points() -> Path:
    for folder in (PACKAGE / ENTRY_POINTS, PACKAGE.parent / ENTRY_POINTS):
        if (folder / "train.py").is_file():
            return folder
    problem = f"this installation of sift_toolkit lacks its {ENTRY_POINTS}: install it again"
    raise SiftRequestError([problem])
