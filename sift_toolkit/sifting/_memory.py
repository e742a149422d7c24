"""The memory engine: last known losses by sample id; what is sifted out is never even loaded.

At the start of each epoch the whole epoch is one window: the user's sampler gives the order, the
chances follow from the losses that the training loop handed back in earlier epochs, and the rows
chosen are loaded in that order. The first epoch is on all data, for nothing is known yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import torch
from torch import Generator, Tensor
from torch.utils.data import DataLoader

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftBatchError, SiftLossError
from sift_toolkit.sifting._batches import Batch, num_rows
from sift_toolkit.sifting._choice import choose
from sift_toolkit.sifting._engine import Refined
from sift_toolkit.sifting._epoch_plan import NOTHING, Chosen, EpochPlan, split_sizes
from sift_toolkit.sifting._epoch_window import epoch_window
from sift_toolkit.sifting._forecast import Carried, SiftedSpan, forecast_memory, sifted_span
from sift_toolkit.sifting._memory_store import SampleMemory
from sift_toolkit.sifting._meter import Meter
from sift_toolkit.sifting._rebuild import ChosenBatches, epoch_order, rebuild
from sift_toolkit.sifting._rng import (
    generator_states,
    global_state,
    kept_global_state,
    set_generator_states,
    set_global_state,
)
from sift_toolkit.sifting._schedule import EpochShape, Position, flushes, leftover_rule

_LEARN_AT_ONCE: Final = 32
"""Batches whose losses are collected before the memory takes them: one wait for the device."""

Lesson = tuple[Tensor, Tensor, "Tensor | None"]


class MemoryEngine:
    """Chooses samples by their last known losses, before they are loaded.

    Args:
        config: how to sift.
        loader: the user's DataLoader, one that `why_no_memory` has nothing against.
        run_rows: rows of all epochs together, if that is known.
        generator: randomness of the selection.
        position: moved along here.
        meter: counts and times are added here.
    """

    name = "memory"

    def __init__(
        self,
        config: SiftConfig,
        loader: DataLoader[Any],
        *,
        run_rows: int | None,
        generator: Generator,
        position: Position,
        meter: Meter,
    ) -> None:
        self._config = config
        self._loader = loader
        self._run_rows = run_rows
        self._generator = generator
        self._position = position
        self._meter = meter
        samples = len(loader.dataset)  # type: ignore[arg-type] # `why_no_memory` made sure
        self._memory = SampleMemory(samples, with_values=config.needs_own_values)
        self._batches = ChosenBatches(self._decide)
        self._rebuilt = rebuild(loader, self._batches)
        self._iterator: Iterator[Batch] | None = None
        self._plan: EpochPlan | None = None
        self._waiting = NOTHING
        self._remainder = 0.0
        self._at_start: dict[str, Any] | None = None
        self._resumes = False
        self._lessons: list[Lesson] = []
        self.has_learned = False

    def begin_epoch(self) -> None:
        """Begin the next epoch, or go on with the one a loaded state was in."""
        self._take_lessons()
        with self._meter.timing("load"):
            if self._resumes:
                self._go_on()
                return
            self._plan = None
            self._at_start = {**global_state(), "generators": generator_states(self._loader)}
            self._batches.begin_epoch()
            self._iterator = iter(self._rebuilt)

    def _go_on(self) -> None:
        """Load the rest of a saved epoch, drawing again what the DataLoader drew at its start."""
        self._resumes = False
        assert self._at_start is not None
        self._batches.begin_epoch(self._plan)
        now = generator_states(self._loader)
        with kept_global_state():
            set_global_state(self._at_start)
            set_generator_states(self._loader, self._at_start["generators"])
            self._iterator = iter(self._rebuilt)
        set_generator_states(self._loader, now)

    def next(self) -> Refined | None:
        """Return the next batch, None when the epoch is over."""
        assert self._iterator is not None
        try:
            with self._meter.timing("load"):
                batch = next(self._iterator)
        except StopIteration:
            self._end_epoch()
            return None
        assert self._plan is not None
        ids, weights, seen, dropped = self._plan.advance()
        rows = num_rows(batch)
        if rows != ids.numel():
            msg = (
                'scores="memory" needs a collate function that keeps every sample: it was given '
                f'{ids.numel()} and returned {rows}; use scores="fresh"'
            )
            raise SiftBatchError(msg)
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
        if self._plan is not None:
            rule = leftover_rule(self._config, drop_last=self._drop_last)
            rest, waiting = self._plan.finish(drop_leftover=rule == "drop")
            self._waiting = _join(self._waiting, waiting)
            self._count(rest.seen, rest.dropped)
        self._plan = None

    @property
    def _drop_last(self) -> bool:
        return bool(getattr(self._loader.batch_sampler, "drop_last", False))

    def _decide(self) -> EpochPlan:
        """Draw the epoch's order from the user's sampler and choose from it."""
        order, sizes = epoch_order(self._loader)
        with self._meter.timing("score"):
            self._take_lessons()
            batch_size = getattr(self._loader.batch_sampler, "batch_size", None) or max(sizes)
            span = sifted_span(
                self._config, order.numel(), batch_size, self._position, self._run_rows
            )
            if span.rows == 0:
                places = torch.arange(order.numel())
                self._plan = EpochPlan(Chosen(order, places, None), sizes, order.numel())
            else:
                self._plan = self._sift(order, span, batch_size)
        return self._plan

    def _sift(self, order: Tensor, span: SiftedSpan, batch_size: int) -> EpochPlan:
        ids = order[span.start : span.end]
        losses = self._memory.losses(ids)
        window = epoch_window(
            self._config, self._memory, ids, span, self._position.rows, self._run_rows
        )
        rows, weights, self._remainder = choose(
            window,
            selection=self._config.selection,
            correction=self._config.correction,
            remainder=self._remainder,
            generator=self._generator,
            mix=False,
        )
        self._memory.visit(ids, rows)
        self._meter.add_scores(losses, torch.isfinite(losses), rows)
        chosen = _with_whole_ends(self._waiting, order, span, rows, weights)
        self._waiting = NOTHING
        rule = leftover_rule(self._config, drop_last=self._drop_last)
        count = chosen.ids.numel()
        flush = flushes(rule, count % batch_size, batch_size)
        return EpochPlan(chosen, split_sizes(count, batch_size, flush=flush), order.numel())

    def learn(self, ids: Tensor, losses: Tensor, values: Tensor | None) -> None:
        """Take the losses of a training step as scores, a few batches at a time."""
        self.has_learned = True
        self._lessons.append((ids, losses.detach(), values))
        if len(self._lessons) >= _LEARN_AT_ONCE or self._config.nonfinite == "raise":
            self._take_lessons()

    def _take_lessons(self) -> None:
        if not self._lessons:
            return
        with self._meter.timing("score"):
            ids, losses, values = zip(*self._lessons, strict=True)
            self._lessons = []
            given = [each for each in values if each is not None]
            bad = self._memory.learn(
                torch.cat(ids), torch.cat(losses).cpu(), torch.cat(given).cpu() if given else None
            )
        self._meter.counters.nonfinite += bad
        if bad and self._config.nonfinite == "raise":
            msg = f'{bad} training losses were NaN or infinite, and nonfinite="raise" is set'
            raise SiftLossError(msg)

    def carried(self) -> Carried:
        """Return what the next epoch begins with, if it began now."""
        return Carried(self._remainder, self._waiting.ids.numel())

    def forecast(
        self, shape: EpochShape, position: Position, run_rows: int | None, carried: Carried
    ) -> Carried:
        """Go through one epoch without data, moving *position* along."""
        return forecast_memory(self._config, shape, position, run_rows, carried)

    def state_dict(self) -> dict[str, Any]:
        """Return memory, plan, waiting rows and random states."""
        self._take_lessons()
        return {
            "memory": self._memory.state_dict(),
            "plan": None if self._plan is None else self._plan.state_dict(),
            "waiting": tuple(self._waiting),
            "remainder": self._remainder,
            "at_start": self._at_start,
            "generators": generator_states(self._loader),
            "has_learned": self.has_learned,
        }

    def load_state_dict(self, state: dict[str, Any], *, mid_epoch: bool) -> None:
        """Go on from a saved state.

        Raises:
            SiftStateError: it is of another dataset.
        """
        self._memory.load_state_dict(state["memory"])
        self._plan = None if state["plan"] is None else EpochPlan.from_state(state["plan"])
        self._waiting = Chosen(*state["waiting"])
        self._remainder = state["remainder"]
        self._at_start = state["at_start"]
        set_generator_states(self._loader, state["generators"])
        self.has_learned = state["has_learned"]
        self._lessons = []
        self._iterator = None
        self._resumes = mid_epoch


def _with_whole_ends(
    waiting: Chosen, order: Tensor, span: SiftedSpan, rows: Tensor, weights: Tensor | None
) -> Chosen:
    """Put the rows that waited before, and what is kept whole around, the rows chosen."""
    places = torch.cat(
        [torch.arange(span.start), rows + span.start, torch.arange(span.end, order.numel())]
    )
    if weights is not None:
        whole = torch.ones(order.numel() - span.rows, dtype=torch.float64)
        weights = torch.cat([whole[: span.start], weights, whole[span.start :]])
    return _join(waiting, Chosen(order[places], places, weights))


def _join(first: Chosen, second: Chosen) -> Chosen:
    weights = None
    if first.weights is not None or second.weights is not None:
        weights = torch.cat(
            [
                torch.ones(part.ids.numel(), dtype=torch.float64)
                if part.weights is None
                else part.weights
                for part in (first, second)
            ]
        )
    return Chosen(
        torch.cat([first.ids, second.ids]), torch.cat([first.places, second.places]), weights
    )
