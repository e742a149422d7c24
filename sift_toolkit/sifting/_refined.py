"""Chosen rows waiting until they fill a batch."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

from sift_toolkit.sifting._batches import Batch, Pad, concat, num_rows, take

_PARTS_KEY: Final = "parts"


class Rows(NamedTuple):
    """Rows of the user's data, and what the training loop needs to know of them."""

    batch: Batch
    weights: Tensor | None
    """Shape (n,), float64, on the CPU; None: all 1."""


class RefinedBuffer:
    """Takes chosen rows in any number, gives them out in full batches, in order.

    Args:
        pad: joins rows of batches whose tensors differ in their trailing sizes.
    """

    def __init__(self, pad: Pad | None = None) -> None:
        self._pad = pad
        self._parts: list[Rows] = []
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def push(self, rows: Rows) -> None:
        """Add rows at the end."""
        count = num_rows(rows.batch)
        if count:
            self._parts.append(rows)
            self._waiting += count

    def pop(self, count: int) -> Rows:
        """Take out the first *count* rows, at most as many as are waiting."""
        joined = _join(self._parts, self._pad)
        rest = self._waiting - count
        if rest == 0:
            self.clear()
            return joined
        self._parts = [_rows(joined, count, self._waiting)]
        self._waiting = rest
        return _rows(joined, 0, count)

    def clear(self) -> int:
        """Forget all rows; return how many there were."""
        waiting, self._waiting, self._parts = self._waiting, 0, []
        return waiting

    def state_dict(self) -> dict[str, Any]:
        """Return the waiting rows themselves."""
        return {_PARTS_KEY: [tuple(part) for part in self._parts]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the waiting rows of a saved buffer."""
        self._parts = [Rows(*part) for part in state[_PARTS_KEY]]
        self._waiting = sum(num_rows(part.batch) for part in self._parts)


def _join(parts: list[Rows], pad: Pad | None) -> Rows:
    batch = concat([part.batch for part in parts], pad)
    if all(part.weights is None for part in parts):
        return Rows(batch, None)
    weights = [
        torch.ones(num_rows(part.batch), dtype=torch.float64)
        if part.weights is None
        else part.weights
        for part in parts
    ]
    return Rows(batch, torch.cat(weights))


def _rows(rows: Rows, start: int, end: int) -> Rows:
    places = torch.arange(start, end)
    weights = None if rows.weights is None else rows.weights[start:end].clone()
    return Rows(take(rows.batch, places), weights)
