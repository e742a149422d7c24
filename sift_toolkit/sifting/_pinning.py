"""Pinned memory: batches that a device can fetch while the CPU goes on."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from sift_toolkit.sifting._batches import Batch
from sift_toolkit.sifting._containers import leaves, map_leaves


def is_pinned(batch: Batch) -> bool:
    """Whether a tensor of the batch is in pinned memory, as DataLoader's `pin_memory` puts it."""
    return any(isinstance(leaf, Tensor) and leaf.is_pinned() for leaf in leaves(batch))


def pinned(batch: Batch) -> Batch:
    """Return the batch with its tensors of the CPU in pinned memory; those that are stay."""
    return map_leaves(lambda values, _: _pinned(values[0]), [batch])


def _pinned(leaf: Any) -> Any:
    is_on_cpu = isinstance(leaf, Tensor) and leaf.device.type == "cpu"
    return leaf.pin_memory() if is_on_cpu else leaf
