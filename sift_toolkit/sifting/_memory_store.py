"""The last known loss of every sample, in six bytes each; eight with the user's own values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import torch
from torch import Tensor

from sift_toolkit.errors import SiftStateError
from sift_toolkit.sifting._ties import TiedLosses, tied_losses

MOST_VISITS: Final = 255
"""Where a sample's counters, of one byte each, stop."""


class SampleMemory:
    """Losses by sample id, and what became of each sample lately.

    Args:
        samples: how many there are.
        with_values: whether the user's own values are remembered too, as bfloat16.
    """

    def __init__(self, samples: int, *, with_values: bool = False) -> None:
        self._losses = torch.full((samples,), torch.nan, dtype=torch.float32)
        self._values = torch.zeros(samples, dtype=torch.bfloat16) if with_values else None
        self._passed_over = torch.zeros(samples, dtype=torch.uint8)
        self._times_at_top = torch.zeros(samples, dtype=torch.uint8)
        self._top = torch.inf

    def __len__(self) -> int:
        return self._losses.numel()

    def learn(self, ids: Tensor, losses: Tensor, values: Tensor | None = None) -> int:
        """Remember losses; of an id that occurs twice, the later one.

        Args:
            ids: shape (n,), int64.
            losses: shape (n,); those that are not finite mark their sample, nothing else.
            values: the user's own, shape (n,); one that is not finite counts as such a loss.

        Returns:
            How many losses were not finite.
        """
        losses = losses.to(torch.float32)
        finite = torch.isfinite(losses)
        if values is not None:
            finite &= torch.isfinite(values)
        # Infinity marks a sample whose last loss was not finite; it never enters a percentile.
        losses = torch.where(finite, losses, torch.inf)
        for places in _each_once(ids):
            some, is_finite = ids[places], finite[places]
            self._losses[some] = losses[places]
            self._count_top(some, is_finite & (losses[places] >= self._top))
            if self._values is not None and values is not None:
                self._values[some[is_finite]] = values[places][is_finite].to(torch.bfloat16)
        return finite.numel() - int(finite.sum())

    def _count_top(self, ids: Tensor, at_top: Tensor) -> None:
        times = self._times_at_top[ids]
        times += times < MOST_VISITS
        self._times_at_top[ids] = torch.where(at_top, times, 0)

    def losses(self, ids: Tensor) -> Tensor:
        """Return last losses: NaN if unknown, infinite if the last one was not finite."""
        return self._losses[ids]

    def count_barred(self, visits: int) -> int:
        """Return how many samples' last loss was not finite, and who are not due again yet."""
        return int((torch.isinf(self._losses) & ~self.is_due(visits)).sum())

    @property
    def all_losses(self) -> Tensor:
        """The last losses of all samples, as `losses` returns them; to be read only."""
        return self._losses

    @property
    def all_values(self) -> Tensor:
        """The user's own values of all samples, float32; they must be remembered."""
        assert self._values is not None
        return self._values.to(torch.float32)

    def is_due(self, visits: int) -> Tensor:
        """Return which of all samples were passed over in *visits* visits or more in a row.

        More than 255 visits are not counted: then none is.
        """
        if visits > MOST_VISITS:
            return torch.zeros(len(self), dtype=torch.bool)
        return self._passed_over >= visits

    def visits_passed_over(self, ids: Tensor, most: int) -> Tensor:
        """Return at how many visits in a row samples were passed over, int32, at most *most*."""
        return self._passed_over.index_select(0, ids).clamp_(max=most).to(torch.int32)

    def visit(self, ids: Tensor, chosen: Tensor) -> None:
        """Count a visit of each of *ids*, however often it stands there.

        Args:
            ids: shape (n,), int64.
            chosen: the places among them that were chosen.
        """
        visited = torch.zeros(len(self), dtype=torch.bool).index_fill_(0, ids, value=True)
        self._passed_over += visited & (self._passed_over < MOST_VISITS)
        self.visit_all(ids.index_select(0, chosen))

    def visit_all(self, ids: Tensor) -> None:
        """Count a visit of each of *ids* at which all of them were chosen."""
        self._passed_over.index_fill_(0, ids, 0)

    def ties(self, share_at_top: float) -> TiedLosses:
        """Return where each known loss stands among all of them, and remember where the top begins.

        Args:
            share_at_top: percentile above which a loss counts as stuck at the top, if the next
                losses of its sample are there as well.
        """
        ties = tied_losses(self._losses)
        at_top = ties.losses[ties.low >= share_at_top]
        self._top = float(at_top[0]) if at_top.numel() else torch.inf
        return ties

    def stuck_ids(self, times: int, limit: int) -> list[int]:
        """Return the samples whose last *times* losses were at the top, the longest there first."""
        stuck = torch.where(self._times_at_top >= min(times, MOST_VISITS))[0]
        order = self._times_at_top[stuck].argsort(descending=True, stable=True)
        ids: list[int] = stuck[order[:limit]].tolist()
        return ids

    @property
    def knows_any(self) -> bool:
        """Whether any sample's loss is known."""
        return not bool(self._losses.isnan().all())

    def pack(self, ids: Tensor) -> Tensor:
        """Return all that is remembered of some samples, shape (bytes,), uint8.

        Args:
            ids: shape (n,), int64, each once.
        """
        parts = [ids.to(self._id_type), *(column[ids] for column in self._columns())]
        return torch.cat([part.view(torch.uint8) for part in parts])

    def take_over(self, packed: Tensor) -> None:
        """Remember what `pack` of another memory returned, in place of what was known here."""
        columns = self._columns()
        sizes = [self._id_type.itemsize, *(column.element_size() for column in columns)]
        count = packed.numel() // sum(sizes)
        first, *rest = torch.split(packed, [size * count for size in sizes])
        # Copies, as bytes in the middle of a message stand anywhere.
        ids = first.clone().view(self._id_type).to(torch.int64)
        for column, part in zip(columns, rest, strict=True):
            column[ids] = part.clone().view(column.dtype)

    def _columns(self) -> list[Tensor]:
        columns = [self._losses, self._passed_over, self._times_at_top]
        return columns if self._values is None else [*columns, self._values]

    @property
    def _id_type(self) -> torch.dtype:
        return torch.int32 if len(self) < 1 << 31 else torch.int64

    def state_dict(self) -> dict[str, Any]:
        """Return all that is remembered."""
        return {
            "losses": self._losses.clone(),
            "passed_over": self._passed_over.clone(),
            "times_at_top": self._times_at_top.clone(),
            "top": self._top,
            "values": None if self._values is None else self._values.clone(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what a saved memory remembered.

        Raises:
            SiftStateError: it remembered another number of samples.
        """
        saved, ours = state["losses"].numel(), len(self)
        if saved != ours:
            msg = f"the saved memory is of {saved} samples, this dataset has {ours}"
            raise SiftStateError(msg)
        self._losses = state["losses"].clone()
        self._passed_over = state["passed_over"].clone()
        self._times_at_top = state["times_at_top"].clone()
        self._top = state["top"]
        self._values = None if state["values"] is None else state["values"].clone()


def _each_once(ids: Tensor) -> Iterator[Tensor]:
    """Yield places of *ids*, none of which stands twice in a part; the earlier ones come first."""
    order = ids.argsort(stable=True)
    while True:
        ordered = ids[order]
        repeats = torch.zeros_like(ordered, dtype=torch.bool)
        repeats[1:] = ordered[1:] == ordered[:-1]
        yield order[~repeats]
        order = order[repeats]
        if not order.numel():
            return
