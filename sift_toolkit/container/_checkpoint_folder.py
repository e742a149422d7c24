"""A folder of numbered checkpoints: the newest whole one counts, the oldest go."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sift_toolkit.container._checkpoint import (
    PARTIAL_SUFFIX,
    is_whole,
    read_checkpoint,
    write_checkpoint,
)
from sift_toolkit.contract import JobTree
from sift_toolkit.errors import SiftJobError, SiftStateError

_STEM: Final = "sift_checkpoint"
_NAME: Final = re.compile(rf"{_STEM}_(\d+)\.pt")
_PROBE: Final = f"{_STEM}_probe{PARTIAL_SUFFIX}"
_KEPT: Final = 2
"""Should the newest turn out to be torn, there is the one before."""


_TUNED_KEY: Final = "_tuning_objective_metric"
_JOB_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,63}")
_JOB_NAME_VARIABLE: Final = "TRAINING_JOB_NAME"


def own_folder(tree: JobTree, environment: Mapping[str, str] = os.environ) -> Path:
    """Return where a job keeps its checkpoints.

    All jobs of a tuner are given one address in S3: so each has a folder of its own name there, or
    it would find another's.
    """
    name = environment.get(_JOB_NAME_VARIABLE, "")
    if _JOB_NAME.fullmatch(name) and _TUNED_KEY in tree.read_hyperparameters():
        return tree.checkpoints_dir / name
    return tree.checkpoints_dir


class CheckpointFolder:
    """The checkpoints of one process.

    Args:
        folder: made if absent; files of other names in it are left alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __str__(self) -> str:
        return str(self._folder)

    def check(self) -> None:
        """Make sure that checkpoints can be written at all; a disk that is full may be so later.

        Raises:
            SiftJobError: they cannot.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            probe = self._folder / _PROBE
            probe.unlink(missing_ok=True)
            # Not through a link that somebody put there.
            probe.touch(exist_ok=False)
            probe.unlink()
        except OSError as error:
            msg = (
                f"checkpoints cannot be kept in {str(self._folder)!r}: {error.strerror}; make it a "
                "folder that this job may write to"
            )
            raise SiftJobError(msg) from error

    def write(self, step: int, content: dict[str, Any]) -> None:
        """Write the checkpoint of a step, then remove those that are too old.

        Raises:
            OSError: it cannot be written; those before it are as they were.
            SiftStateError: it holds objects that would be refused when it is loaded.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._remove_partial()
        write_checkpoint(self._folder / f"{_STEM}_{step:012d}.pt", content)
        for path in self._newest_first()[_KEPT:]:
            _remove(path)

    def read(self, note: Callable[[str], None]) -> dict[str, Any] | None:
        """Return the newest checkpoint that is whole, None if there never was one.

        Torn ones, newer than it, are removed: *note* is told.

        Raises:
            OSError: one cannot be read.
            SiftStateError: none of those there is whole, or the newest whole one is of a newer
                format or would run code.
        """
        self._remove_partial()
        paths = self._newest_first()
        whole = next((path for path in paths if is_whole(path)), None)
        torn = paths if whole is None else paths[: paths.index(whole)]
        if whole is None:
            if not torn:
                return None
            msg = (
                f"no checkpoint in {str(self._folder)!r} is whole, each was cut off or changed: "
                f"{', '.join(path.name for path in torn)}; remove them to start from the beginning"
            )
            raise SiftStateError(msg)
        content = read_checkpoint(whole)
        for path in torn:
            note(f"checkpoint {path.name} was cut off or changed: {whole.name} is used instead")
            _remove(path)
        return content

    def _newest_first(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        found = [(name, path) for path in self._folder.iterdir() if (name := _number(path)) >= 0]
        return [path for _, path in sorted(found, reverse=True)]

    def _remove_partial(self) -> None:
        """Remove what processes that were killed had begun to write."""
        for path in self._folder.glob(f"{_STEM}_*{PARTIAL_SUFFIX}"):
            _remove(path)


def _number(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match and path.is_file() else -1


def _remove(path: Path) -> None:
    # What cannot be removed costs room, no more.
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
