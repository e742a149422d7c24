"""One epoch of chosen ids: which rows come, in which batches, and how far it has come."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

_CARRIED_PLACE: Final = -1
"""Place of a row that was chosen in the epoch before, and counted as seen there."""


class Chosen(NamedTuple):
    """Chosen rows, in the order in which they are loaded."""

    ids: Tensor
    """Shape (n,), int64, the samples' ids."""
    places: Tensor
    """Shape (n,), int64, where the rows stood in the epoch's order; ascending."""
    weights: Tensor | None
    """Shape (n,), float64; None: all 1."""

    def part(self, start: int, end: int) -> Chosen:
        """Return rows *start* to *end*."""
        weights = None if self.weights is None else self.weights[start:end].clone()
        return Chosen(self.ids[start:end].clone(), self.places[start:end].clone(), weights)

    def as_carried(self) -> Chosen:
        """Return the same rows for the next epoch."""
        return self._replace(places=torch.full_like(self.places, _CARRIED_PLACE))


NOTHING: Final = Chosen(torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.int64), None)


class Advance(NamedTuple):
    """One batch of a plan."""

    ids: Tensor
    weights: Tensor | None
    seen: int
    """Rows of the epoch's order that came by since the batch before."""
    dropped: int
    """Rows among them that were not chosen."""


class EpochPlan:
    """Follows an epoch of chosen rows batch by batch.

    Args:
        chosen: rows of the epoch, those carried over from the epoch before first.
        sizes: rows of each batch; what they leave over waits for the next epoch.
        rows: rows of the epoch's whole order, chosen or not.
    """

    def __init__(
        self, chosen: Chosen = NOTHING, sizes: list[int] | None = None, rows: int = 0
    ) -> None:
        self._chosen = chosen
        self._sizes = sizes or []
        self._rows = rows
        self._batches_given = 0
        self._rows_given = 0
        self._seen = 0

    def batches(self) -> Iterator[list[int]]:
        """Return an iterator of the ids of each batch that is still to come now."""
        sizes = self._sizes[self._batches_given :]
        ends = itertools.accumulate(sizes, initial=self._rows_given)
        ids = self._chosen.ids
        return (ids[start:end].tolist() for start, end in itertools.pairwise(ends))

    def advance(self) -> Advance:
        """Count the next batch as handed out."""
        start = self._rows_given
        end = start + self._sizes[self._batches_given]
        batch = self._chosen.part(start, end)
        seen, dropped = self._pass(int(batch.places[-1]) + 1, batch.places)
        self._batches_given += 1
        self._rows_given = end
        return Advance(batch.ids, batch.weights, seen, dropped)

    def finish(self, *, drop_leftover: bool) -> tuple[Advance, Chosen]:
        """End the epoch.

        Returns:
            (what came by after the last batch; the rows that wait for the next epoch).
        """
        waiting = self._chosen.part(self._rows_given, self._chosen.ids.numel())
        seen, dropped = self._pass(self._rows, waiting.places)
        if drop_leftover:
            dropped += waiting.ids.numel()
            waiting = NOTHING
        self._rows_given = self._chosen.ids.numel()
        return Advance(NOTHING.ids, None, seen, dropped), waiting.as_carried()

    def _pass(self, place: int, chosen_places: Tensor) -> tuple[int, int]:
        """Count all rows before *place* as seen; those not in *chosen_places* were dropped."""
        seen = max(place - self._seen, 0)
        self._seen += seen
        return seen, seen - int((chosen_places != _CARRIED_PLACE).sum())

    def state_dict(self) -> dict[str, Any]:
        """Return what is still to come."""
        rest = self._chosen.part(self._rows_given, self._chosen.ids.numel())
        return {
            "chosen": tuple(rest),
            "sizes": self._sizes[self._batches_given :],
            "rows": self._rows,
            "seen": self._seen,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> EpochPlan:
        """Return a plan that goes on where a saved one was."""
        plan = cls(Chosen(*state["chosen"]), state["sizes"], state["rows"])
        plan._seen = state["seen"]
        return plan


def split_sizes(rows: int, batch_size: int, *, flush: bool) -> list[int]:
    """Return the sizes of the full batches of *rows* rows, and of a smaller last one if asked."""
    whole, rest = divmod(rows, batch_size)
    return [batch_size] * whole + ([rest] if flush and rest else [])
