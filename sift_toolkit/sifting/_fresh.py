"""The fresh engine: every loaded batch gets an evaluative forward pass, as in AWS's smart sifting.

Each is a window whose quota is drawn; what is chosen waits until it fills a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

import torch
from torch import Tensor

from sift_toolkit.errors import SiftBatchError
from sift_toolkit.sifting._batch_sifter import BatchSifter
from sift_toolkit.sifting._batches import Batch, num_rows, take
from sift_toolkit.sifting._engine import Refined
from sift_toolkit.sifting._forecast import Carried, forecast_fresh
from sift_toolkit.sifting._labels import NumberedLabels
from sift_toolkit.sifting._pace import Pace, Readiness
from sift_toolkit.sifting._row_classes import RowClasses
from sift_toolkit.sifting._schedule import (
    EpochShape,
    Position,
    flushes,
    leftover_rule,
    window_keep,
)
from sift_toolkit.sifting._source import Source, told_batch_size
from sift_toolkit.sifting._waiting import WaitingRows
from sift_toolkit.sifting._wiring import Wiring

_WAITING_KEY: Final = "waiting"
_SIFTER_KEY: Final = "sifter"
_BATCH_SIZE_KEY: Final = "batch_size"
_SOURCE_KEY: Final = "source"
_PACE_KEY: Final = "pace"

_Result = TypeVar("_Result")


class _Loaded(NamedTuple):
    """One batch of the user's loader."""

    given: Batch
    """As the loader gave it."""
    batch: Batch
    """With its samples in dimension 0."""
    rows: int
    labels: NumberedLabels | None
    """Of its rows, where they are asked for."""


class FreshEngine:
    """Turns batches of the user's loader into refined ones.

    Args:
        wiring: of the run; its position, meter and generator are moved along here.
    """

    name = "fresh"
    goes_on_after_errors = True
    shared_samples = None

    def __init__(self, wiring: Wiring) -> None:
        self._config = config = wiring.config
        self._extent = wiring.extent
        self._position = wiring.position
        self._meter = wiring.meter
        self._source = Source(wiring.loader)
        self._layout = wiring.layout
        self._buffer = WaitingRows(wiring.layout, wiring.pad)
        shape = wiring.extent.shape
        drops = getattr(wiring.loader if shape is None else shape, "drop_last", False)
        self._rule = leftover_rule(config, drop_last=bool(drops))
        self._batch_size = told_batch_size(wiring.loader) if shape is None else shape.batch_size
        self._pace = Pace(wiring)
        self._rows_of_all: int | None = None
        self._classes = RowClasses(wiring)
        self._sifter = BatchSifter(wiring, self._classes)

    def begin_epoch(self) -> None:
        """Begin an epoch of the user's loader."""
        self._pace.begin_epoch()
        shape, own = self._extent.shape, self._extent.own_shape
        self._rows_of_all = None if shape is None or shape == own else shape.rows_given
        with self._meter.timing("load"):
            gone_past = self._source.begin(wants_batch=self._buffer.needs_form)
        if gone_past is not None:  # no other may come to know saved rows by
            self._buffer.recognise(self._layout.rows_first(gone_past))

    def next(self) -> Refined | None:
        """Return the next refined batch, None when the epoch is over.

        Raises:
            SiftBatchError: several ranks cannot keep step with batches like these.
            SiftRankError: another rank has failed.
        """
        while True:
            if self._pace.take(self._full_batches()):
                return self._refined(self._batch_size or 0)
            loaded, error = self._try(self._load)
            goes_on = self._pace.all_go_on(loaded is not None, error)
            if goes_on and loaded is not None:
                keep = window_keep(self._config, self._position, self._extent.run_rows)
                if keep == 1:
                    return self._untouched(loaded)
                _, error = self._try(lambda: self._sift(loaded, keep))  # noqa: B023 - called at once
            else:
                self._drop(loaded)
                self._source.end()
            if goes_on and not self._pace.in_lockstep:
                continue
            agreed = self._pace.agree(self._readiness(), error)
            if not goes_on and not agreed.full_batches:
                return self._leftover(flush=agreed.flushes)

    def _try(self, work: Callable[[], _Result]) -> tuple[_Result | None, Exception | None]:
        """Return what *work* returns, or its error: it is raised once all ranks know of it."""
        if not self._pace.in_lockstep:
            return work(), None
        try:
            return work(), None
        except Exception as error:  # noqa: BLE001 - see above
            return None, error

    def _load(self) -> _Loaded | None:
        """Return the next batch with rows in it, None when the epoch is over."""
        while (room := self._room()) != 0:
            try:
                given = self._source.next()
            except StopIteration:
                return None
            batch = self._layout.rows_first(given)
            self._buffer.recognise(batch)
            rows = num_rows(batch)
            self._check_rows(rows)
            if room is not None and rows > room:
                rows, batch = room, take(batch, torch.arange(room))
                given = self._layout.back(batch)
            if rows:
                # The largest so far: the first may be a short one, and where a sample is a block
                # of rows, a batch has more of them than the loader tells.
                self._batch_size = max(self._batch_size or 0, rows)
                return _Loaded(given, batch, rows, self._classes.of_batch(batch, rows))
        return None

    def _check_rows(self, rows: int) -> None:
        """Refuse batches that are not what the sampler gave, where ranks count on it.

        Raises:
            SiftBatchError: the collate function changed the number of rows.
        """
        shape = self._extent.own_shape
        if not self._pace.counts_on_rows or shape is None:
            return
        due = min(shape.batch_size, shape.rows_given - self._position.epoch_rows)
        if rows != due:
            msg = (
                f"the sampler gave {due} samples, the batch has {rows}: several ranks keep step "
                "by the numbers of their samplers; keep every sample in the collate function, or "
                'use selection="bernoulli"'
            )
            raise SiftBatchError(msg)

    def _room(self) -> int | None:
        """Return the rows that may still come, where another rank has less data than this one."""
        return None if self._rows_of_all is None else self._rows_of_all - self._position.epoch_rows

    def _full_batches(self) -> int:
        """Return how many full batches wait."""
        if self._batch_size is None or self._buffer.needs_form:
            return 0
        return len(self._buffer) // self._batch_size

    def _readiness(self) -> Readiness:
        waiting = len(self._buffer)
        flush = waiting > 0 and not self._buffer.needs_form
        flush = flush and flushes(self._rule, waiting, self._batch_size or waiting)
        return Readiness(self._full_batches(), flush)

    def _drop(self, loaded: _Loaded | None) -> None:
        """Count rows that were loaded after another rank's data had come to its end."""
        if loaded is not None:
            self._count(loaded.rows)
            self._classes.count(loaded.labels, torch.empty(0, dtype=torch.int64))
            self._meter.counters.dropped += loaded.rows

    def _untouched(self, loaded: _Loaded) -> Refined:
        self._count(loaded.rows)
        self._classes.count(loaded.labels)
        self._meter.counters.kept += loaded.rows
        return Refined(loaded.given, loaded.rows)

    def _count(self, rows: int) -> None:
        self._position.see(rows)
        self._meter.counters.seen += rows
        self._meter.counters.loaded += rows

    def _refined(self, rows: int) -> Refined:
        with self._meter.timing("score"):
            self._meter.counters.kept += rows
            batch, weights = self._buffer.pop(rows)
            return Refined(self._layout.back(batch), rows, weights)

    def _leftover(self, *, flush: bool) -> Refined | None:
        if flush:
            # Never more than a batch: what other ranks have no batch for waits.
            waiting = len(self._buffer)
            return self._refined(min(waiting, self._batch_size or waiting))
        if self._rule == "drop":
            self._meter.counters.dropped += self._buffer.clear()
        return None

    def _sift(self, loaded: _Loaded, keep: float) -> None:
        rows = loaded.rows
        with self._meter.timing("score"):
            chosen = self._sifter.sift(loaded.batch, rows, keep, loaded.labels)
            self._buffer.push(chosen.batch, chosen.weights)
            self._count(rows)
            self._meter.counters.dropped += rows - chosen.rows

    def learn(self, ids: Tensor, losses: Tensor, values: Tensor | None) -> None:
        """Fresh scores need no losses handed back."""

    def carried(self) -> Carried:
        """Return what the next epoch begins with, if it began now."""
        return Carried(self._sifter.remainder, len(self._buffer))

    def forecast(
        self, shape: EpochShape, position: Position, run_rows: int | None, carried: Carried
    ) -> Carried:
        """Go through one epoch without data, moving *position* along."""
        return forecast_fresh(self._config, shape, position, run_rows, carried)

    def stuck_ids(self, times: int, limit: int) -> list[int]:  # noqa: ARG002 - as engines have it
        """Nothing is known of ids here."""
        return []

    def close(self) -> None:
        """Let go of workers and data; no epoch follows."""
        self._source.end()

    def state_dict(self) -> dict[str, Any]:
        """Return history, waiting rows and the fraction of a row owed."""
        return {
            _WAITING_KEY: self._buffer.state_dict(),
            _SIFTER_KEY: self._sifter.state_dict(),
            _BATCH_SIZE_KEY: self._batch_size,
            _SOURCE_KEY: self._source.state_dict(),
            _PACE_KEY: self._pace.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any], *, mid_epoch: bool) -> None:
        """Go on from a saved state."""
        self._source.load_state_dict(state[_SOURCE_KEY], mid_epoch=mid_epoch)
        self._buffer.load_state_dict(state[_WAITING_KEY])
        self._sifter.load_state_dict(state[_SIFTER_KEY])
        self._batch_size = state[_BATCH_SIZE_KEY]
        self._pace.load_state_dict(state[_PACE_KEY])
