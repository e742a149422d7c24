"""Checkpoints at the end of an epoch: whole or not there, loaded without running code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import torch

from sift_toolkit.errors import SiftStateError

_FILE: Final = "sift_checkpoint.pt"
_VERSION: Final = 1


def save_checkpoint(folder: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint; a process killed meanwhile leaves the one before in place."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{_FILE}.partial"
    with partial.open("wb") as file:
        torch.save({"version": _VERSION, **content}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, folder / _FILE)  # noqa: PTH105 - the atomic one


def load_checkpoint(folder: Path, *, device: torch.device) -> dict[str, Any] | None:
    """Read the checkpoint of *folder*, None if there is none.

    Raises:
        SiftStateError: it was written by another version.
    """
    path = folder / _FILE
    if not path.is_file():
        return None
    content: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    if content.get("version") != _VERSION:
        msg = f"{path.name} has version {content.get('version')!r}, this package reads {_VERSION}"
        raise SiftStateError(msg)
    return content
