"""The sifting state beside a Trainer's own, in its checkpoint folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from sift_toolkit.container._checkpoint import load_safely


def state_file(checkpoint: Path, rank: int) -> Path:
    """Return where the state of a rank is kept.

    Args:
        checkpoint: a checkpoint folder of the Trainer's.
        rank: each has a state of its own, of its part of the data.
    """
    return checkpoint / f"sift_state_{rank}.pt"


def save_state(checkpoint: Path, rank: int, state: dict[str, Any]) -> None:
    """Write a state; a file half written never has its name."""
    target = state_file(checkpoint, rank)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(target)


def load_state(checkpoint: Path, rank: int) -> dict[str, Any] | None:
    """Return a saved state, None if there is none.

    Raises:
        SiftStateError: the file is not whole, or holds what would run code.
    """
    source = state_file(checkpoint, rank)
    if not source.exists():
        return None
    return load_safely(source)
