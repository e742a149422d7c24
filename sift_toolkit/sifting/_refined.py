"""Chosen rows waiting until they fill a batch."""

from __future__ import annotations

import copy
from collections import deque
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
        self._parts: deque[Rows] = deque()
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
        """Take out the first *count* rows, at least one and at most as many as are waiting."""
        assert 0 < count <= self._waiting
        self._waiting -= count
        taken: list[Rows] = []
        while count:
            part = self._parts.popleft()
            rows = num_rows(part.batch)
            if rows > count:
                self._parts.appendleft(_rows(part, count, rows))
                part, rows = _rows(part, 0, count), count
            taken.append(part)
            count -= rows
        return _join(taken, self._pad)

    def clear(self) -> int:
        """Forget all rows; return how many there were."""
        waiting, self._waiting = self._waiting, 0
        self._parts.clear()
        return waiting

    def state_dict(self) -> dict[str, Any]:
        """Return copies of the waiting rows."""
        return {_PARTS_KEY: [copy.deepcopy(tuple(part)) for part in self._parts]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over copies of the waiting rows of a saved buffer."""
        self._parts = deque(Rows(*copy.deepcopy(part)) for part in state[_PARTS_KEY])
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
