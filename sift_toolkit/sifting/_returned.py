"""Batches handed out whose losses have not come back yet."""

from __future__ import annotations

from collections import deque
from typing import Any, Final, NamedTuple

from torch import Tensor

from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting._batches import Batch

_LONGEST_LOOK_AHEAD: Final = 256
"""Batches a trainer may have fetched before it returns the first one's losses."""


class HandedOut(NamedTuple):
    """What is remembered of a batch until its losses come back."""

    key: int
    """Identity of the batch object."""
    rows: int
    weights: Tensor | None
    ids: Tensor | None


class OutstandingBatches:
    """A bounded queue of batches handed out, in order.

    Trainers look ahead by one batch or several, so the losses that come back belong to the oldest
    outstanding batch of their length, not to the newest one.
    """

    def __init__(self) -> None:
        self._queue: deque[HandedOut] = deque(maxlen=_LONGEST_LOOK_AHEAD)

    def __len__(self) -> int:
        return len(self._queue)

    def hand_out(self, batch: Batch, rows: int, weights: Tensor | None, ids: Tensor | None) -> None:
        """Remember a batch."""
        self._queue.append(HandedOut(id(batch), rows, weights, ids))

    def take_back(self, rows: int, batch: Batch | None) -> HandedOut:
        """Return the batch that losses belong to, and forget it and all before it.

        Args:
            rows: how many losses came back.
            batch: the batch meant; None: the oldest of that length.

        Raises:
            SiftUsageError: no outstanding batch fits.
        """
        place = self._first_of(rows) if batch is None else self._last_that_is(batch)
        if place is None:
            msg = f"reduce() was given {rows} losses, but {self._why_not(batch)}"
            raise SiftUsageError(msg)
        handed = self._queue[place]
        if handed.rows != rows:
            msg = f"reduce() was given {rows} losses for a batch of {handed.rows} samples"
            raise SiftUsageError(msg)
        for _ in range(place + 1):
            self._queue.popleft()
        return handed

    def _first_of(self, rows: int) -> int | None:
        for place, handed in enumerate(self._queue):
            if handed.rows == rows:
                return place
        return None

    def _last_that_is(self, batch: Batch) -> int | None:
        # The last one: identities of batches that are gone are given to new ones.
        places = [place for place, handed in enumerate(self._queue) if handed.key == id(batch)]
        return places[-1] if places else None

    def _why_not(self, batch: Batch | None) -> str:
        lengths = sorted({handed.rows for handed in self._queue})
        if batch is not None:
            return (
                "the batch given is none of those outstanding: give the very object that the "
                "loader gave out, or leave it out"
            )
        return (
            f"no outstanding batch has that length; outstanding lengths: {lengths or 'none'}. "
            "Call it once for each batch, with one loss a sample"
        )

    def forget(self) -> None:
        """Forget all batches: their epoch is over."""
        self._queue.clear()

    def state_dict(self) -> dict[str, Any]:
        """Return the outstanding batches, the identities of their objects left out."""
        # Copies: what is a view would be saved with all that it is a view of.
        return {
            "queue": [
                (handed.rows, *(None if each is None else each.clone() for each in handed[2:]))
                for handed in self._queue
            ]
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the outstanding batches of a saved queue."""
        self._queue.clear()
        self._queue.extend(HandedOut(0, *entry) for entry in state["queue"])
