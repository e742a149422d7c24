"""Sifting in Lightning's checkpoints: the states of all ranks, written by the first one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch.distributed as dist

from sift_toolkit.errors import SiftStateError

CHECKPOINT_KEY: Final = "sift_toolkit"
"""Where it stands in a checkpoint."""


def of_all_ranks(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the states of all ranks, by rank; all of them must call it."""
    if not (dist.is_available() and dist.is_initialized()):
        return [state]
    states: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(states, state)
    return states


def of_this_rank(states: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return this rank's part of what `of_all_ranks` returned.

    Raises:
        SiftStateError: it was saved by another number of ranks.
    """
    is_distributed = dist.is_available() and dist.is_initialized()
    rank, size = (dist.get_rank(), dist.get_world_size()) if is_distributed else (0, 1)
    if len(states) != size:
        msg = (
            f"the checkpoint was saved by {len(states)} processes and is loaded by {size}: each "
            "has its own part of the data, so resume with as many, or start a new run from the "
            "weights alone"
        )
        raise SiftStateError(msg)
    return states[rank]
