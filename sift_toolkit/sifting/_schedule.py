"""When to sift and how much: delay, falling keep, anneal, gate.

The loader and the forecast of its length ask the same functions, so a length is exact.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Literal, TypeVar

from torch import Tensor

from sift_toolkit.config import SiftConfig

Number = TypeVar("Number", float, Tensor)


@dataclasses.dataclass(kw_only=True)
class Position:
    """How far a run has come. All counts are since its start unless they say otherwise."""

    epochs: int = 0
    """Epochs begun."""
    rows: int = 0
    """Rows of the user's data that have come by, kept or not."""
    steps: int = 0
    """Batches handed to the training loop."""
    epoch_rows: int = 0
    """Rows that have come by in the epoch under way."""
    epoch_steps: int = 0
    """Batches handed out in the epoch under way."""
    sifts: bool = True
    """Whether it sifts where the config does; False once the gate has closed."""

    def begin_epoch(self, rows_given: int | None) -> None:
        """Count an epoch that begins, of *rows_given* rows if that is known.

        What a training loop left of its epoch before, when it broke out of it, counts as come by.
        """
        if rows_given is not None:
            self.rows = self.epochs * rows_given
        self.epochs += 1
        self.epoch_rows = 0
        self.epoch_steps = 0

    def see(self, rows: int) -> None:
        """Count rows that came by."""
        self.rows += rows
        self.epoch_rows += rows

    def step(self, batches: int = 1) -> None:
        """Count batches handed out."""
        self.steps += batches
        self.epoch_steps += batches


@dataclasses.dataclass(frozen=True, kw_only=True)
class EpochShape:
    """What one epoch of the user's loader looks like."""

    rows: int
    batch_size: int
    drop_last: bool

    def sizes(self) -> Iterator[int]:
        """Yield the number of rows of each batch."""
        whole, rest = divmod(self.rows, self.batch_size)
        for _ in range(whole):
            yield self.batch_size
        if rest and not self.drop_last:
            yield rest

    @property
    def rows_given(self) -> int:
        """Rows that really come by, the dropped last batch left out."""
        return self.rows - (self.rows % self.batch_size if self.drop_last else 0)

    @property
    def batches(self) -> int:
        """Batches of an epoch on all data."""
        return -(-self.rows_given // self.batch_size)


def falling_keep(config: SiftConfig, progress: Number) -> Number:
    """Return the share to keep, the annealing left out.

    Args:
        config: keep and keep_end.
        progress: share of the run's data that came by, from 0 to 1; a number or a tensor.
    """
    start = config.kept_share
    end = start if config.keep_end is None else config.keep_end
    return start + progress * (end - start)


def anneals_from(config: SiftConfig) -> float:
    """Return the progress from which on a run is on all data; infinite if it never is."""
    return 1 - config.anneal if config.anneal > 0 else math.inf


def window_keep(config: SiftConfig, position: Position, run_rows: int | None) -> float:
    """Return the share to keep of the batch that comes next; 1 leaves the batch untouched.

    Args:
        config: when to sift.
        position: how far the run has come.
        run_rows: rows of all epochs together, None if unknown.
    """
    steps = position.epoch_steps if config.repeat_delay_per_epoch else position.steps
    if not config.enabled or not position.sifts or steps < config.sift_delay:
        return 1.0
    progress = min(position.rows / run_rows, 1.0) if run_rows else 0.0
    return 1.0 if progress >= anneals_from(config) else falling_keep(config, progress)


Leftover = Literal["flush", "carry", "drop"]


def leftover_rule(config: SiftConfig, *, drop_last: bool) -> Leftover:
    """Return what happens to rows that fill no batch when an epoch ends."""
    if config.leftover == "auto":
        return "carry" if drop_last else "flush"
    return config.leftover


def flushes(rule: Leftover, waiting: int, batch_size: int) -> bool:
    """Whether waiting rows leave as a smaller batch.

    A single row of a larger batch size stays: batch normalisation fails on it.
    """
    return rule == "flush" and waiting >= min(2, batch_size)
