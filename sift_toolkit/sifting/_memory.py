"""The memory engine: last known losses by sample id; what is sifted out is never even loaded.

At the start of each epoch the whole epoch is one window: the user's sampler gives the order, the
chances follow from the losses that the training loop handed back in earlier epochs, and the rows
chosen are loaded in that order. As long as nothing is known, an epoch is on all data.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any, NoReturn, cast

from torch import Tensor
from torch.utils.data import DataLoader

from sift_toolkit.errors import SiftBatchError
from sift_toolkit.sifting._batches import Batch, num_rows
from sift_toolkit.sifting._draws import EpochDraws
from sift_toolkit.sifting._engine import Refined
from sift_toolkit.sifting._epoch_plan import NOTHING, Chosen, EpochPlan
from sift_toolkit.sifting._epoch_sifter import EpochSifter
from sift_toolkit.sifting._forecast import Carried, forecast_memory, sifted_span
from sift_toolkit.sifting._lessons import Lessons
from sift_toolkit.sifting._memory_store import SampleMemory
from sift_toolkit.sifting._pace import Pace
from sift_toolkit.sifting._rebuild import (
    ChosenBatches,
    epoch_order,
    first_rows,
    rebuild,
)
from sift_toolkit.sifting._schedule import EpochShape, Position, leftover_rule
from sift_toolkit.sifting._spread import Spread
from sift_toolkit.sifting._wiring import Wiring


class MemoryEngine:
    """Chooses samples by their last known losses, before they are loaded.

    Args:
        wiring: of the run; its position, meter and generator are moved along here. Its loader is
            a DataLoader that `why_no_memory` has nothing against.
    """

    name = "memory"
    goes_on_after_errors = False

    def __init__(self, wiring: Wiring) -> None:
        self._config = config = wiring.config
        self._loader = loader = cast("DataLoader[Any]", wiring.loader)
        self._extent = wiring.extent
        self._position = wiring.position
        self._meter = wiring.meter
        self._layout = wiring.layout
        samples = len(loader.dataset)  # type: ignore[arg-type] # `why_no_memory` made sure
        self._memory = SampleMemory(samples, with_values=config.needs_own_values)
        self._spread = Spread(wiring, self._memory)
        self._lessons = Lessons(
            self._memory,
            wiring.meter,
            learnt=self._spread.remember_learnt,
            raises=config.nonfinite == "raise",
        )
        self._rule = leftover_rule(
            config, drop_last=bool(getattr(loader.batch_sampler, "drop_last", False))
        )
        # Not held by its own method: when the engine goes, its workers end at once.
        self._batches = ChosenBatches(weakref.WeakMethod(self._decide))
        self._rebuilt = rebuild(loader, self._batches)
        self._iterator: Iterator[Batch] | None = None
        self._plan: EpochPlan | None = None
        self._waiting = NOTHING
        self._sifter = EpochSifter(wiring, self._memory, self._rule)
        self._draws = EpochDraws(loader)
        self._pace = Pace(wiring)
        self._resumes = False

    @property
    def shared_samples(self) -> int | None:
        """Samples of the dataset that ranks share, None if they share none."""
        return len(self._memory) if self._spread.is_on else None

    def begin_epoch(self) -> None:
        """Begin the next epoch, or go on with the one a loaded state was in."""
        self._lessons.take()
        self._pace.begin_epoch()
        self._iterator = None
        with self._meter.timing("load"):
            if self._resumes:
                self._resumes = False
                self._batches.begin_epoch(self._plan)
                with self._draws.again():
                    self._iterator = iter(self._rebuilt)
                return
            self._leave_epoch()
            self._draws.begin()
            self._batches.begin_epoch()
            with self._meter.timing("score"):
                self._spread.exchange()
            self._iterator = iter(self._rebuilt)

    def next(self) -> Refined | None:
        """Return the next batch, None when the epoch is over.

        Raises:
            SiftBatchError: the collate function changed the number of rows.
        """
        assert self._iterator is not None
        try:
            batch = next(self._iterator)
            assert self._plan is not None
            rows = num_rows(self._layout.rows_first(batch))
            if rows != self._plan.next_size:
                _refuse_rows(rows, self._plan.next_size)
        except StopIteration:
            self._end_epoch()
            return None
        except BaseException:
            # Nobody knows which batch would come next, and so whose its losses would be.
            self._iterator = None
            self._leave_epoch()
            raise
        ids, weights, seen, dropped = self._plan.advance()
        self._count(seen, dropped)
        self._meter.counters.kept += rows
        self._meter.counters.loaded += rows
        return Refined(batch, rows, weights, ids)

    def _count(self, seen: int, dropped: int) -> None:
        self._position.see(seen)
        self._meter.counters.seen += seen
        self._meter.counters.dropped += dropped

    def _end_epoch(self) -> None:
        self._iterator = None
        assert self._plan is not None
        rest, waiting = self._plan.finish(drop_leftover=self._rule == "drop")
        self._waiting += waiting
        self._count(rest.seen, rest.dropped)
        self._plan = None

    def _leave_epoch(self) -> None:
        """Forget the epoch under way, if there is one, but for what still waits from before it."""
        if self._plan is not None:
            self._waiting += self._plan.abandon()
        self._plan = None

    def _decide(self) -> EpochPlan:
        """Draw the epoch's order from the user's sampler and choose from it."""
        order = first_rows(epoch_order(self._loader), self._extent)
        self._spread.remember(order.ids)
        self._spread.remember(self._waiting.ids)
        with self._meter.timing("score"):
            rows = order.ids.numel()
            batch_size = order.batch_size or max(order.sizes)
            span = sifted_span(
                self._config,
                rows,
                batch_size,
                self._position,
                self._extent.run_rows,
                knows=self._lessons.any_taken or self._memory.knows_any,
            )
            if span.rows == 0:
                self._plan = self._sifter.whole(order)
            else:
                waiting, self._waiting = self._waiting, NOTHING
                self._plan = self._sifter.sifted(order, span, waiting)
            self._plan.keep_first(
                self._pace.batches_of_all(self._plan.length),
                rest_waits=order.batch_size is not None,
            )
        return self._plan

    def learn(self, ids: Tensor, losses: Tensor, values: Tensor | None) -> None:
        """Take the losses of a training step as scores, a few batches at a time.

        Args:
            ids: shape (rows,), whose they are.
            losses: shape (rows,), detached, and never written to again, like the values.
            values: the user's own, shape (rows,).
        """
        self._lessons.add(ids, losses, values)

    def carried(self) -> Carried:
        """Return what the next epoch begins with, if it began now."""
        waiting = self._waiting.ids.numel() + (0 if self._plan is None else self._plan.waiting)
        barred = 0
        if self._config.nonfinite == "drop" and self._config.needs_scores:
            self._lessons.take()
            barred = self._memory.count_barred(self._config.rescore_every)
            if self._spread.is_on and self._extent.own_shape is not None:
                # Of those of all ranks: this one's share of the samples.
                barred = barred * self._extent.own_shape.rows // len(self._memory)
        return Carried(self._sifter.remainder, waiting, self._lessons.any_given, barred)

    def forecast(
        self, shape: EpochShape, position: Position, run_rows: int | None, carried: Carried
    ) -> Carried:
        """Go through one epoch without data, moving *position* along."""
        return forecast_memory(self._config, shape, position, run_rows, carried)

    def stuck_ids(self, times: int, limit: int) -> list[int]:
        """Return the samples whose loss was at the top *times* times in a row or more."""
        self._lessons.take()
        return self._memory.stuck_ids(times, limit)

    def close(self) -> None:
        """Let go of workers and data; no epoch follows."""
        self._iterator = None
        del self._rebuilt, self._batches

    def state_dict(self) -> dict[str, Any]:
        """Return memory, plan, waiting rows and random states."""
        self._lessons.take()
        return {
            "memory": self._memory.state_dict(),
            "knows": self._lessons.any_taken,
            "plan": None if self._plan is None else self._plan.state_dict(),
            "waiting": tuple(self._waiting),
            "remainder": self._sifter.remainder,
            "draws": self._draws.state_dict(),
            "spread": self._spread.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any], *, mid_epoch: bool) -> None:
        """Go on from a saved state.

        Raises:
            SiftStateError: it is of another dataset, or of a loader with other generators.
        """
        self._draws.load_state_dict(state["draws"])
        self._spread.load_state_dict(state["spread"])
        self._memory.load_state_dict(state["memory"])
        self._lessons.forget(any_taken=state["knows"])
        self._plan = None if state["plan"] is None else EpochPlan.from_state(state["plan"])
        self._waiting = Chosen(*state["waiting"])
        self._sifter.remainder = state["remainder"]
        self._iterator = None
        self._resumes = mid_epoch


def _refuse_rows(rows: int, due: int) -> NoReturn:
    msg = (
        "sifting with a memory needs a collate function that keeps every sample: it was given "
        f'{due} and returned {rows}; use scores="fresh"'
    )
    raise SiftBatchError(msg)
