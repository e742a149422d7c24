"""Chooses from one epoch's order after the other by what the memory knows."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from sift_toolkit.sifting._choice import choose, forgiven
from sift_toolkit.sifting._epoch_plan import Chosen, EpochPlan, with_whole_ends
from sift_toolkit.sifting._epoch_sizes import epoch_sizes
from sift_toolkit.sifting._epoch_window import epoch_window
from sift_toolkit.sifting._forecast import SiftedSpan
from sift_toolkit.sifting._memory_store import SampleMemory
from sift_toolkit.sifting._rebuild import EpochOrder
from sift_toolkit.sifting._row_classes import RowClasses
from sift_toolkit.sifting._schedule import Leftover
from sift_toolkit.sifting._wiring import Wiring

_MOST_SCORES_SHOWN: Final = 100_000
"""Rows of an epoch whose scores are reported, evenly drawn from it."""


class EpochSifter:
    """Draws from each epoch the rows due, before any is loaded.

    Args:
        wiring: of the run; its meter and generator are moved along here.
        memory: last losses by id; what is passed over is counted there.
        rule: what becomes of rows that fill no batch.
    """

    def __init__(self, wiring: Wiring, memory: SampleMemory, rule: Leftover) -> None:
        self._config = wiring.config
        self._generator = wiring.generator
        self._meter = wiring.meter
        self._memory = memory
        self._rule = rule
        self._classes = RowClasses(wiring)
        self._id_type = torch.int32 if len(memory) < 1 << 31 else torch.int64
        self.remainder = 0.0
        """Fraction of a row owed to the next epoch."""

    def whole(self, order: EpochOrder) -> EpochPlan:
        """Return the plan of an epoch on all data."""
        self._classes.count_ids(order.ids)
        self._memory.visit_all(order.ids)
        return EpochPlan.whole(order.ids.to(self._id_type), order.sizes)

    def sifted(self, order: EpochOrder, span: SiftedSpan, waiting: Chosen) -> EpochPlan:
        """Return the plan of an epoch of which a part is sifted.

        Args:
            order: what the user's sampler gave.
            span: the part, of one row at least.
            waiting: rows chosen in the epoch before, which come first.
        """
        ids = order.ids[span.start : span.end]
        rows, weights, remainder = choose(
            epoch_window(
                self._config, self._memory, ids, span.target, self._classes.floors_of(ids)
            ),
            selection=self._config.selection,
            correction=self._config.correction,
            remainder=self.remainder,
            generator=self._generator,
            mix=False,
        )
        self.remainder = forgiven(remainder)
        self._show_scores(ids, rows)
        places, chosen = with_whole_ends(order.ids.to(self._id_type), span, rows, weights)
        self._classes.count_ids(order.ids, places)
        sizes = epoch_sizes(order, places, waiting.ids.numel(), self._rule)
        # What is left over and dropped was chosen for nothing: it goes on waiting.
        come = max(sum(sizes) - waiting.ids.numel(), 0) if self._rule == "drop" else None
        self._memory.visit(order.ids, places[:come])
        return EpochPlan.sifted(waiting, chosen, places, sizes, order.ids.numel())

    def _show_scores(self, ids: Tensor, rows: Tensor) -> None:
        """Report the scores of the window to the meter, a part of them if they are many."""
        every = 1 + ids.numel() // _MOST_SCORES_SHOWN
        kept = torch.zeros(ids.numel(), dtype=torch.bool)
        kept[rows] = True
        losses = self._memory.losses(ids[::every])
        self._meter.add_scores(losses, torch.where(kept[::every])[0])
