"""The fresh engine: every loaded batch gets an evaluative forward pass, as in AWS's smart sifting.

Each batch of the user's loader is one window: its samples get chances by the law, the quota of
the window is drawn, and what is chosen waits until it fills a batch of the loader's size.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import torch
from torch import Generator, Tensor

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftLossError
from sift_toolkit.sifting._batches import Batch, Pad, num_rows, take
from sift_toolkit.sifting._chances import chances, sample_values
from sift_toolkit.sifting._choice import Window, choose
from sift_toolkit.sifting._engine import Refined
from sift_toolkit.sifting._forecast import Carried, forecast_fresh
from sift_toolkit.sifting._history import LossHistory
from sift_toolkit.sifting._layout import Layout
from sift_toolkit.sifting._loss import SampleScores
from sift_toolkit.sifting._meter import Meter
from sift_toolkit.sifting._schedule import (
    EpochShape,
    Position,
    flushes,
    leftover_rule,
    window_keep,
)
from sift_toolkit.sifting._scoring import Scorer
from sift_toolkit.sifting._source import Source, shape_of
from sift_toolkit.sifting._waiting import WaitingRows

_HISTORY_KEY: Final = "history"
_WAITING_KEY: Final = "waiting"
_REMAINDER_KEY: Final = "remainder"
_WINDOWS_KEY: Final = "windows"
_BATCH_SIZE_KEY: Final = "batch_size"
_SOURCE_KEY: Final = "source"


class FreshEngine:
    """Turns batches of the user's loader into refined ones.

    Args:
        config: how to sift.
        loader: the user's, any iterable of batches.
        scorer: gives each sample its loss.
        run_rows: rows of all epochs together, if that is known.
        generator: randomness of the selection.
        position: moved along here.
        meter: counts and times are added here.
        pad: joins rows of batches whose tensors differ in their trailing sizes.
        layout: where the samples are in a batch.
    """

    name = "fresh"
    goes_on_after_errors = True

    def __init__(
        self,
        config: SiftConfig,
        loader: Iterable[Batch],
        *,
        scorer: Scorer,
        run_rows: int | None,
        generator: Generator,
        position: Position,
        meter: Meter,
        pad: Pad | None,
        layout: Layout,
    ) -> None:
        self._config = config
        self._scorer = scorer
        self._run_rows = run_rows
        self._generator = generator
        self._position = position
        self._meter = meter
        self._source = Source(loader)
        self._history = LossHistory(config.loss_history_length)
        self._layout = layout
        self._buffer = WaitingRows(layout, pad)
        shape = shape_of(loader)
        drop_last = bool(getattr(loader, "drop_last", False)) if shape is None else shape.drop_last
        self._rule = leftover_rule(config, drop_last=drop_last)
        self._batch_size = None if shape is None else shape.batch_size
        self._remainder = 0.0
        self._windows = 0

    def begin_epoch(self) -> None:
        """Begin an epoch of the user's loader."""
        with self._meter.timing("load"):
            self._source.begin()

    def next(self) -> Refined | None:
        """Return the next refined batch, None when the epoch is over."""
        while True:
            full = self._batch_size
            if full is not None and len(self._buffer) >= full and not self._buffer.needs_form:
                return self._refined(full)
            try:
                with self._meter.timing("load"):
                    given = self._source.next()
            except StopIteration:
                self._source.end()
                return self._leftover()
            batch = self._layout.rows_first(given)
            self._buffer.recognise(batch)
            rows = num_rows(batch)
            if rows == 0:
                continue
            self._batch_size = self._batch_size or rows
            keep = window_keep(self._config, self._position, self._run_rows)
            if keep == 1:
                return self._untouched(given, rows)
            with self._meter.timing("score"):
                self._sift(batch, rows, keep)

    def _untouched(self, batch: Batch, rows: int) -> Refined:
        self._count(rows)
        self._meter.counters.kept += rows
        return Refined(batch, rows)

    def _count(self, rows: int) -> None:
        self._position.see(rows)
        self._meter.counters.seen += rows
        self._meter.counters.loaded += rows

    def _refined(self, rows: int) -> Refined:
        with self._meter.timing("score"):
            self._meter.counters.kept += rows
            batch, weights = self._buffer.pop(rows)
            return Refined(self._layout.back(batch), rows, weights)

    def _leftover(self) -> Refined | None:
        waiting = len(self._buffer)
        due = waiting and flushes(self._rule, waiting, self._batch_size or waiting)
        if due and not self._buffer.needs_form:
            return self._refined(waiting)
        if self._rule == "drop":
            self._meter.counters.dropped += self._buffer.clear()
        return None

    def _sift(self, batch: Batch, rows: int, keep: float) -> None:
        scores = None if self._windows % self._config.score_every else self._score(batch, rows)
        window = self._window(scores, rows, keep)
        chosen, weights, self._remainder = choose(
            window,
            selection=self._config.selection,
            correction=self._config.correction,
            remainder=self._remainder,
            generator=self._generator,
            mix=True,
        )
        self._buffer.push(take(batch, chosen), weights)
        self._windows += 1
        self._count(rows)
        self._meter.counters.dropped += rows - chosen.numel()
        if scores is not None:
            self._meter.add_scores(scores.losses, _finite(scores), chosen)

    def _score(self, batch: Batch, rows: int) -> SampleScores:
        scores = self._scorer.score(batch)
        self._meter.counters.scored += rows
        bad = rows - int(_finite(scores).sum())
        self._meter.counters.nonfinite += bad
        if bad and self._config.nonfinite == "raise":
            msg = f'{bad} of {rows} losses are NaN or infinite, and nonfinite="raise" is set'
            raise SiftLossError(msg)
        return scores

    def _window(self, scores: SampleScores | None, rows: int, keep: float) -> Window:
        share = torch.full((rows,), keep, dtype=torch.float64)
        none = torch.zeros(rows, dtype=torch.bool)
        if scores is None:
            return Window(share, share, keep * rows, certain=none, barred=none)
        finite = _finite(scores)
        chance = torch.ones_like(share)
        if bool(finite.any()):
            losses = scores.losses[finite]
            values = None
            if self._config.law == "proportional":
                own = None if scores.own is None else scores.own[finite]
                values = sample_values(self._config, losses, own)
            intervals = self._history.join(losses)
            chance[finite] = chances(self._config, intervals, values, share[finite])
        keeps = self._config.nonfinite == "keep"
        return Window(
            chance, share, keep * rows, ~finite if keeps else none, none if keeps else ~finite
        )

    def learn(self, ids: Tensor, losses: Tensor, values: Tensor | None) -> None:
        """Fresh scores need no losses handed back."""

    def carried(self) -> Carried:
        """Return what the next epoch begins with, if it began now."""
        return Carried(self._remainder, len(self._buffer))

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
            _HISTORY_KEY: self._history.state_dict(),
            _WAITING_KEY: self._buffer.state_dict(),
            _REMAINDER_KEY: self._remainder,
            _WINDOWS_KEY: self._windows,
            _BATCH_SIZE_KEY: self._batch_size,
            _SOURCE_KEY: self._source.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any], *, mid_epoch: bool) -> None:
        """Go on from a saved state."""
        self._source.load_state_dict(state[_SOURCE_KEY], mid_epoch=mid_epoch)
        self._history.load_state_dict(state[_HISTORY_KEY])
        self._buffer.load_state_dict(state[_WAITING_KEY])
        self._remainder = state[_REMAINDER_KEY]
        self._windows = state[_WINDOWS_KEY]
        self._batch_size = state[_BATCH_SIZE_KEY]


def _finite(scores: SampleScores) -> Tensor:
    """Return which samples have a finite loss, and a finite value of the user's own if any."""
    finite = torch.isfinite(scores.losses)
    return finite if scores.own is None else finite & torch.isfinite(scores.own)
