"""Checkpoints at the end of an epoch: whole or not there, loaded without running code."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any, Final

import torch

from sift_toolkit.errors import SiftStateError

CHECKPOINT_FILE: Final = "sift_checkpoint.pt"
_VERSION: Final = 1


def save_checkpoint(folder: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint; a process killed meanwhile leaves the one before in place.

    Raises:
        SiftStateError: it holds objects that would be refused when it is loaded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{CHECKPOINT_FILE}.partial"
    with partial.open("wb") as file:
        torch.save({"version": _VERSION, **content}, file)
        file.flush()
        os.fsync(file.fileno())
    if refused := torch.serialization.get_unsafe_globals_in_checkpoint(partial):
        msg = (
            f"the state of model or optimizer holds objects that loading would refuse, "
            f"{', '.join(refused)}: keep tensors and plain values in it, or declare them with "
            "torch.serialization.add_safe_globals"
        )
        raise SiftStateError(msg)
    os.replace(partial, folder / CHECKPOINT_FILE)  # noqa: PTH105 - the atomic one


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """Read the checkpoint of *folder* into the CPU's memory, None if there is none.

    Raises:
        SiftStateError: the file is no checkpoint, or one of another version.
    """
    path = folder / CHECKPOINT_FILE
    if not path.is_file():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (EOFError, RuntimeError, pickle.UnpicklingError) as error:
        # What torch says here recommends to load it unsafely.
        msg = (
            f"{str(path)!r} is no checkpoint, or was cut off: remove it to start from the beginning"
        )
        raise SiftStateError(msg) from error
    if not isinstance(content, dict) or content.get("version") != _VERSION:
        version = content.get("version") if isinstance(content, dict) else None
        msg = (
            f"{str(path)!r} is a checkpoint of version {version!r}, this package reads {_VERSION}; "
            "remove it to start from the beginning"
        )
        raise SiftStateError(msg)
    return content
