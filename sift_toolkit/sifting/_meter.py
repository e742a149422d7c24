"""Counts and times of a run, and the metric values that follow from them."""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Final, Literal

import torch
from torch import Tensor

from sift_toolkit import metrics
from sift_toolkit.metrics import Metric
from sift_toolkit.report import LOSS_PERCENTILES, Observation
from sift_toolkit.sifting._class_counts import ClassCounts
from sift_toolkit.sifting._stopwatch import Stopwatch
from sift_toolkit.sifting._time_spent import TimeSpent
from sift_toolkit.sifting._timeline import Timeline, WallTime

_SCORED_COST: Final = 1 / 3
"""Cost of a forward pass in training passes, a backward pass counted as two forward ones."""

_CLASSES_KEY: Final = "classes"
_ENOUGH_FOR_PERCENTILES: Final = 100_000
_ADDED_UP_AT_ONCE: Final = 64
"""Batches whose losses are kept until they are added up."""
_MOST_WINDOWS: Final = 1000
"""Windows whose scores are remembered: as many as anybody asks about, should nobody ask."""

Listener = Callable[[Observation], None]
"""Is told what a run looks like, every `log_every` training steps and when an epoch ends."""


@dataclasses.dataclass(kw_only=True)
class Counters:
    """Totals since a run began."""

    seen: int = 0
    scored: int = 0
    kept: int = 0
    dropped: int = 0
    loaded: int = 0
    nonfinite: int = 0
    load_seconds: float = 0.0
    score_seconds: float = 0.0
    train_seconds: float = 0.0

    @property
    def waiting(self) -> int:
        """Samples chosen that fill no batch yet."""
        return self.seen - self.kept - self.dropped

    def values(self) -> dict[Metric, float]:
        """Return the metrics that follow from the totals."""
        chosen = self.seen - self.dropped
        return {
            metrics.SAMPLES_SEEN: self.seen,
            metrics.SAMPLES_SCORED: self.scored,
            metrics.SAMPLES_KEPT: self.kept,
            metrics.SAMPLES_DROPPED: self.dropped,
            metrics.SAMPLES_WAITING: self.waiting,
            metrics.KEPT_SHARE: chosen / self.seen if self.seen else 1.0,
            metrics.LOAD_SECONDS: self.load_seconds,
            metrics.SCORE_SECONDS: self.score_seconds,
            metrics.TRAIN_SECONDS: self.train_seconds,
            metrics.ESTIMATED_SAVING: self.estimated_saving(),
            metrics.COUNTED_COST: self.counted_cost(),
            metrics.NONFINITE_LOSSES: self.nonfinite,
        }

    def counted_cost(self) -> float:
        """Return passes made, in those of training on every sample seen."""
        return (self.kept + self.scored * _SCORED_COST) / self.seen if self.seen else 1.0

    def estimated_saving(self) -> float:
        """Return the share of time saved, against this run's own pace without sifting."""
        return TimeSpent(
            seen=self.seen,
            kept=self.kept,
            loaded=self.loaded,
            load_seconds=self.load_seconds,
            score_seconds=self.score_seconds,
            train_seconds=self.train_seconds,
        ).saving


class Meter:
    """Remembers counts, times, training losses and scores between two observations.

    Its `counters` lack the seconds since they were last asked for: `totals` has them.

    Args:
        timeline: what time is read from until another one is given; default: the clock on the
            wall.
        note: is told decisions in words; default: nobody is.
    """

    def __init__(
        self, timeline: Timeline | None = None, *, note: Callable[[str], None] = lambda _: None
    ) -> None:
        self.counters = Counters()
        self.classes = ClassCounts(note)
        self._stopwatch = Stopwatch(timeline or WallTime())
        self._losses: list[Tensor] = []
        self._loss_sum: Tensor | float = 0.0
        self._loss_count = 0
        self._windows: deque[tuple[Tensor, Tensor]] = deque(maxlen=_MOST_WINDOWS)

    def read_from(self, timeline: Timeline) -> None:
        """Read time from another timeline from now on, between two epochs."""
        self._stopwatch.read_from(timeline)

    def timing(self, what: Literal["load", "score"]) -> AbstractContextManager[None]:
        """Add the time spent in here, timings inside it left out, to loading or to scoring."""
        return self._stopwatch.during(what)

    def fetch(self) -> None:
        """The training loop waits for a batch: the time is loading's, but for timings inside it."""
        self._stopwatch.begin("load")

    def hand_out(self) -> None:
        """From now on the time is the training loop's, but for timings inside it."""
        self._stopwatch.begin("train")

    def take_over(self) -> None:
        """The training loop's time ends, if it is under way."""
        self._stopwatch.end_training()

    def pause(self) -> None:
        """No batch comes: from now on the time is nobody's."""
        self._stopwatch.begin(None)

    def totals(self) -> Counters:
        """Return the counters with all times that are over; waits for the device."""
        for segment, seconds in self._stopwatch.take().items():
            name = f"{segment}_seconds"
            setattr(self.counters, name, getattr(self.counters, name) + seconds)
        return self.counters

    def add_training_losses(self, losses: Tensor) -> None:
        """Remember losses that came back; without a wait for the device.

        Args:
            losses: shape (batch,), detached, and never written to again.
        """
        self._losses.append(losses)
        if len(self._losses) >= _ADDED_UP_AT_ONCE:
            self._add_up_losses()

    def _add_up_losses(self) -> None:
        if not self._losses:
            return
        losses = torch.cat(self._losses)
        self._loss_sum = self._loss_sum + losses.sum(dtype=torch.float32)
        self._loss_count += losses.numel()
        self._losses.clear()

    def add_scores(self, losses: Tensor, chosen: Tensor) -> None:
        """Remember the losses of a window, by whether they were chosen.

        Args:
            losses: shape (n,); those that are not finite are left out.
            chosen: rows, int64.
        """
        self._windows.append((losses, chosen))

    def observe(self, place: dict[Metric, float]) -> Observation:
        """Return all there is to say now, and begin a new interval.

        Args:
            place: metrics that say how far the run has come.
        """
        values = {**place, **self.totals().values()}
        # A loss that is not finite could not be charted.
        self._add_up_losses()
        if self._loss_count and math.isfinite(loss := float(self._loss_sum) / self._loss_count):
            values[metrics.TRAIN_LOSS] = loss
        kept, dropped = _by_choice(self._windows)
        observation = Observation(
            values={metric.name: float(value) for metric, value in values.items()},
            kept_losses=_percentiles(kept),
            dropped_losses=_percentiles(dropped),
        )
        self._forget()
        return observation

    def _forget(self) -> None:
        self._losses.clear()
        self._loss_sum, self._loss_count = 0.0, 0
        self._windows.clear()

    def state_dict(self) -> dict[str, Any]:
        """Return the totals."""
        return {**dataclasses.asdict(self.totals()), _CLASSES_KEY: self.classes.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from saved totals."""
        counts = dict(state)
        self.classes.load_state_dict(counts.pop(_CLASSES_KEY))
        self.counters = Counters(**counts)
        self._stopwatch.forget()
        self._forget()


def _by_choice(windows: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Return the finite losses of what was chosen, and of what was not."""
    kept, dropped = [torch.empty(0)], [torch.empty(0)]
    for losses, chosen in windows:
        is_kept = torch.zeros(losses.shape, dtype=torch.bool)
        is_kept[chosen] = True
        finite = torch.isfinite(losses)
        kept.append(losses[is_kept & finite])
        dropped.append(losses[~is_kept & finite])
    return torch.cat(kept), torch.cat(dropped)


def _percentiles(losses: Tensor) -> tuple[float, ...] | None:
    if not losses.numel():
        return None
    losses = losses[:: 1 + losses.numel() // _ENOUGH_FOR_PERCENTILES]
    shares = torch.tensor(LOSS_PERCENTILES, dtype=torch.float64) / 100
    return tuple(losses.to(torch.float64).quantile(shares).tolist())
