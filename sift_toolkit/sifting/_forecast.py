"""How many batches an epoch will give, without touching data: what `len()` and schedules ask."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting._choice import forgiven, rows_due
from sift_toolkit.sifting._schedule import (
    EpochShape,
    Position,
    anneals_from,
    falling_keep,
    flushes,
    leftover_rule,
    window_keep,
)


@dataclasses.dataclass(frozen=True)
class Carried:
    """What one epoch leaves to the next."""

    remainder: float = 0.0
    """Fraction of a row owed."""
    waiting: int = 0
    """Rows chosen that fill no batch yet."""
    knows: bool = False
    """Whether a memory knows any loss."""
    barred: int = 0
    """Samples that a memory never chooses."""


def forecast_fresh(
    config: SiftConfig,
    shape: EpochShape,
    position: Position,
    run_rows: int | None,
    carried: Carried,
) -> Carried:
    """Go through one epoch of the fresh engine under quota, moving *position* along."""
    position.begin_epoch(shape.rows_given)
    if not position.sifts:
        position.see(shape.rows_given)
        position.step(shape.batches)
        return _end(config, shape, position, carried)
    sizes = shape.sizes()
    for rows in sizes:
        keep = window_keep(config, position, run_rows)
        position.see(rows)
        if keep == 1:
            position.step()
            continue
        due = rows_due(keep * rows, carried.remainder, rows)
        batches, waiting = divmod(carried.waiting + due.rows, shape.batch_size)
        position.step(batches)
        carried = Carried(due.remainder, waiting)
        if config.keep_end is None and config.anneal == 0:
            # From here on nothing depends on the position: all that comes by is sifted alike.
            carried = _sift_the_rest(keep, sizes, shape.batch_size, position, carried)
    return _end(config, shape, position, carried)


def _sift_the_rest(
    keep: float, sizes: Iterator[int], batch_size: int, position: Position, carried: Carried
) -> Carried:
    remainder, waiting, seen = carried.remainder, carried.waiting, 0
    for rows in sizes:
        chosen, remainder = rows_due(keep * rows, remainder, rows)
        waiting += chosen
        seen += rows
    batches, waiting = divmod(waiting, batch_size)
    position.see(seen)
    position.step(batches)
    return Carried(remainder, waiting)


def forecast_memory(
    config: SiftConfig,
    shape: EpochShape,
    position: Position,
    run_rows: int | None,
    carried: Carried,
) -> Carried:
    """Go through one epoch of the memory engine under quota, moving *position* along."""
    position.begin_epoch(shape.rows_given)
    span = sifted_span(
        config, shape.rows_given, shape.batch_size, position, run_rows, knows=carried.knows
    )
    position.see(shape.rows_given)
    if span.rows == 0:
        position.step(shape.batches)
        return dataclasses.replace(carried, knows=True)
    # Where only a part of the epoch is sifted, it has its share of them.
    barred = carried.barred * span.rows // shape.rows_given
    eligible = max(span.rows - barred, 0)
    quota, remainder = rows_due(span.target, carried.remainder, eligible)
    remainder = forgiven(remainder)
    chosen = shape.rows_given - span.rows + quota
    batches, waiting = divmod(carried.waiting + chosen, shape.batch_size)
    position.step(batches)
    return _end(
        config, shape, position, Carried(remainder, waiting, knows=True, barred=carried.barred)
    )


def _end(config: SiftConfig, shape: EpochShape, position: Position, carried: Carried) -> Carried:
    rule = leftover_rule(config, drop_last=shape.drop_last)
    if flushes(rule, carried.waiting, shape.batch_size):
        position.step()
        return dataclasses.replace(carried, waiting=0)
    return dataclasses.replace(carried, waiting=0) if rule == "drop" else carried


@dataclasses.dataclass(frozen=True)
class SiftedSpan:
    """The part of an epoch's order that is sifted; what stands before and after is kept whole."""

    start: int
    end: int
    target: float
    """Rows to keep of the part, not whole in general."""

    @property
    def rows(self) -> int:
        """Rows of the part."""
        return self.end - self.start


def sifted_span(
    config: SiftConfig,
    rows: int,
    batch_size: int,
    position: Position,
    run_rows: int | None,
    *,
    knows: bool,
) -> SiftedSpan:
    """Return the part of an epoch that the memory engine sifts.

    Args:
        config: delay, keep, keep_end and anneal.
        rows: rows of the epoch.
        batch_size: rows of a batch.
        position: where the run is when the epoch begins.
        run_rows: rows of all epochs together, None if unknown.
        knows: whether any loss is known: if none is, and chances follow from losses, the whole
            epoch is kept.
    """
    before = position.rows
    steps = 0 if config.repeat_delay_per_epoch else position.steps
    start = min(max(config.sift_delay - steps, 0) * batch_size, rows)
    end = rows
    if run_rows and config.anneal > 0:
        # The first row whose progress reaches the annealing.
        end = min(max(_ceil(anneals_from(config) * run_rows) - before, 0), rows)
    knows = knows or not config.needs_scores
    if not (config.sifts and position.sifts and knows) or end <= start:
        return SiftedSpan(0, 0, 0.0)
    middle = (before + (start + end - 1) / 2) / run_rows if run_rows else 0.0
    # The share falls linearly, so its sum is its value in the middle times the rows.
    return SiftedSpan(start, end, (end - start) * falling_keep(config, min(middle, 1.0)))


def _ceil(value: float) -> int:
    whole = int(value)
    return whole + (value > whole)
