"""One epoch of chosen ids: which rows come, in which batches, and how far it has come."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

from sift_toolkit.sifting._forecast import SiftedSpan

_AT_ONCE: Final = 64
"""Batches: few enough to take no memory, enough to make the cost of one operation vanish."""


class Chosen(NamedTuple):
    """Chosen rows, in the order in which they are loaded."""

    ids: Tensor
    """Shape (n,), int32 or int64, the samples' ids."""
    weights: Tensor | None
    """Shape (n,), float32; None: all 1."""

    def part(self, start: int, end: int) -> Chosen:
        """Return a copy of rows *start* to *end*."""
        ids, weights = self.view(start, end)
        return Chosen(ids.clone(), None if weights is None else weights.clone())

    def view(self, start: int, end: int) -> Chosen:
        """Return rows *start* to *end*, in the memory of these."""
        weights = None if self.weights is None else self.weights[start:end]
        return Chosen(self.ids[start:end], weights)

    def __add__(self, other: tuple[Any, ...]) -> Chosen:
        """Return the rows of both, these first."""
        assert isinstance(other, Chosen)
        weights = None
        if self.weights is not None or other.weights is not None:
            weights = torch.cat([self._all_weights(), other._all_weights()])
        return Chosen(torch.cat([self.ids, other.ids]), weights)

    def _all_weights(self) -> Tensor:
        return torch.ones(self.ids.numel()) if self.weights is None else self.weights


NOTHING: Final = Chosen(torch.empty(0, dtype=torch.int32), None)


class Advance(NamedTuple):
    """One batch of a plan."""

    ids: Tensor
    """Shape (rows,), a view of the epoch's."""
    weights: Tensor | None
    seen: int
    """Rows of the epoch's order that came by since the batch before."""
    dropped: int
    """Rows among them that were not chosen."""


class EpochPlan:
    """Follows an epoch of chosen rows batch by batch.

    Args:
        chosen: rows of the epoch.
        sizes: rows of each batch; what they leave over waits for the next epoch.
        ends: how many rows of the epoch's whole order have come by when a batch is given out.
        rows: rows of the epoch's whole order, chosen or not.
        carried: how many of the rows, the first ones, were chosen in the epoch before and have
            been counted as seen there.
    """

    def __init__(
        self, chosen: Chosen, sizes: list[int], ends: list[int], rows: int, carried: int = 0
    ) -> None:
        self._chosen = chosen
        self._sizes = sizes
        self._ends = ends
        self._rows = rows
        self._carried = carried
        self._batches_given = 0
        self._rows_given = 0
        self._seen = 0
        self._views: Iterator[tuple[Tensor, Tensor | None]] | None = None

    @classmethod
    def whole(cls, ids: Tensor, sizes: list[int]) -> EpochPlan:
        """Return the plan of an epoch that is not sifted."""
        return cls(Chosen(ids, None), sizes, list(itertools.accumulate(sizes)), ids.numel())

    @classmethod
    def sifted(
        cls, waiting: Chosen, chosen: Chosen, places: Tensor, sizes: list[int], rows: int
    ) -> EpochPlan:
        """Return the plan of an epoch of which rows were chosen.

        Args:
            waiting: rows chosen in the epoch before.
            chosen: rows chosen in this epoch.
            places: shape (chosen,), where these stood in the epoch's order; ascending.
            sizes: rows of each batch, the waiting ones first.
            rows: rows of the epoch's whole order.
        """
        carried = waiting.ids.numel()
        last = torch.tensor(sizes, dtype=torch.int64).cumsum(0) - 1 - carried
        ends = torch.zeros_like(last)
        own = last >= 0
        ends[own] = places[last[own]] + 1
        return cls(waiting + chosen, sizes, ends.tolist(), rows, carried)

    def batches(self) -> Iterator[list[int]]:
        """Return an iterator of the ids of each batch that is still to come now."""
        return _listed(self._chosen.ids, self._sizes[self._batches_given :], self._rows_given)

    @property
    def length(self) -> int:
        """Batches of the epoch."""
        return len(self._sizes)

    def keep_first(self, batches: int, *, rest_waits: bool) -> None:
        """Give out no more than *batches*: another rank has no more.

        Args:
            batches: of the epoch.
            rest_waits: whether the other rows wait for the next epoch; else they count as dropped.
        """
        if batches >= len(self._sizes):
            return
        del self._sizes[batches:], self._ends[batches:]
        if not rest_waits:
            self._chosen = self._chosen.part(0, sum(self._sizes))

    @property
    def next_size(self) -> int:
        """Rows of the next batch."""
        return self._sizes[self._batches_given]

    def advance(self) -> Advance:
        """Count the next batch as handed out."""
        if self._views is None:
            self._views = _split(self._chosen, self._sizes[self._batches_given :], self._rows_given)
        ids, weights = next(self._views)
        size, end = self._sizes[self._batches_given], self._ends[self._batches_given]
        seen, waiting = end - self._seen, self._carried - self._rows_given
        dropped = seen - size
        if waiting > 0:
            dropped += min(waiting, size)
        self._seen = end
        self._batches_given += 1
        self._rows_given += size
        return Advance(ids, weights, seen, dropped)

    def finish(self, *, drop_leftover: bool) -> tuple[Advance, Chosen]:
        """End the epoch.

        Returns:
            (what came by after the last batch; the rows that wait for the next epoch).
        """
        waiting = self._chosen.part(self._rows_given, self._chosen.ids.numel())
        count = waiting.ids.numel()
        seen = self._rows - self._seen
        dropped = seen - (count - max(self._carried - self._rows_given, 0))
        if drop_leftover:
            dropped += count
            waiting = NOTHING
        return Advance(NOTHING.ids, None, seen, dropped), waiting

    def abandon(self) -> Chosen:
        """Return the rows that still wait when the epoch is left before its end.

        They are those of the epoch before: of its own rows, all that came by were given out.
        """
        return self._chosen.part(self._rows_given, max(self._carried, self._rows_given))

    @property
    def waiting(self) -> int:
        """Rows of the epoch before that have not been given out."""
        return max(self._carried - self._rows_given, 0)

    def state_dict(self) -> dict[str, Any]:
        """Return what is still to come."""
        return {
            "chosen": tuple(self._chosen.part(self._rows_given, self._chosen.ids.numel())),
            "sizes": self._sizes[self._batches_given :],
            "ends": self._ends[self._batches_given :],
            "rows": self._rows,
            "carried": self.waiting,
            "seen": self._seen,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> EpochPlan:
        """Return a plan that goes on where a saved one was."""
        chosen = Chosen(*state["chosen"])
        plan = cls(chosen, state["sizes"], state["ends"], state["rows"], state["carried"])
        plan._seen = state["seen"]
        return plan


def _listed(ids: Tensor, sizes: list[int], start: int) -> Iterator[list[int]]:
    """Yield the ids of each batch from row *start* on; several batches are made lists at once."""
    for first in range(0, len(sizes), _AT_ONCE):
        bounds = list(itertools.accumulate(sizes[first : first + _AT_ONCE], initial=0))
        rows = ids[start : start + bounds[-1]].tolist()
        yield from (rows[begin:end] for begin, end in itertools.pairwise(bounds))
        start += bounds[-1]


def _split(chosen: Chosen, sizes: list[int], start: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Yield ids and weights of each batch from row *start* on, as views that are made at once."""
    for first in range(0, len(sizes), _AT_ONCE):
        some = sizes[first : first + _AT_ONCE]
        rows = chosen.view(start, start + sum(some))
        weights = [None] * len(some) if rows.weights is None else torch.split(rows.weights, some)
        yield from zip(torch.split(rows.ids, some), weights, strict=True)
        start += sum(some)


def with_whole_ends(
    ids: Tensor, span: SiftedSpan, rows: Tensor, weights: Tensor | None
) -> tuple[Tensor, Chosen]:
    """Put what is kept whole of an epoch around the rows chosen of its sifted part.

    Args:
        ids: shape (n,), the epoch's whole order.
        span: the sifted part.
        rows: shape (chosen,), int64, ascending, of that part.
        weights: shape (chosen,).

    Returns:
        (where the rows stand in the epoch's order, shape (kept,); the rows).
    """
    weights = None if weights is None else weights.float()
    if span.rows == ids.numel():
        return rows, Chosen(ids.index_select(0, rows), weights)
    before, after = torch.arange(span.start), torch.arange(span.end, ids.numel())
    places = torch.cat([before, rows + span.start, after])
    if weights is not None:
        weights = torch.cat([torch.ones(before.numel()), weights, torch.ones(after.numel())])
    return places, Chosen(ids.index_select(0, places), weights)
