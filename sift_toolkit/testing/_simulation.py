"""A training run in numbers: rows come by, a share is chosen, full batches are trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sift_toolkit import metrics
from sift_toolkit.metrics import Metric
from sift_toolkit.report import Observation

if TYPE_CHECKING:
    from sift_toolkit.testing._fake_job import FakeJob

_SCORED_COST: Final = 1 / 3
"""A forward pass in training passes, a backward pass counted as two forward ones."""
_LEAST_LEFTOVER: Final = 2
"""Rows that are left at the end of an epoch and leave as a smaller batch."""
_ROUNDING: Final = 1e-9
_FIRST_LOSS: Final = 2.0
_ACCURACY_LOST: Final = 0.2
"""What the first of many epochs lacks to the accuracy of the last."""


@dataclass
class Simulation:
    """Where a fake job stands; all counts are since its start unless they say otherwise."""

    job: FakeJob
    epoch: int = 0
    steps: int = 0
    epoch_steps: int = 0
    observed_at: int = 0
    seen: int = 0
    scored: int = 0
    kept: int = 0
    loaded: int = 0
    chosen: int = 0
    batches: int = 0
    share_of_a_row: float = 0.0
    """What is left of the shares of rows after whole rows were chosen."""
    losses: list[float] = field(default_factory=list)

    def run(self) -> Iterator[Observation]:
        """Yield what the job observes, until its end or until it is stopped."""
        job = self.job
        for epoch in range(1, job.epochs + 1):
            self.epoch, self.epoch_steps = epoch, 0
            for rows in self._windows():
                if self.progress >= job.until:
                    return
                whole_batch = self.chosen == self.kept and not self._is_row_by_row
                if self._see(rows) >= 1 and whole_batch:
                    # A batch that all is kept of passes through as it is, a short one too.
                    yield from self._step(rows)
                while self.chosen - self.kept >= job.batch_size:
                    yield from self._step(job.batch_size)
            yield from self._end_epoch()
            yield self._observe()
            if job.accuracy is not None:
                yield Observation(
                    values=_by_name({**self._place(), metrics.VALIDATION_ACCURACY: self._accuracy})
                )

    def _end_epoch(self) -> Iterator[Observation]:
        """Do with the rows that fill no batch what the config says."""
        rule = self.job.config.leftover
        waiting = self.chosen - self.kept
        if rule == "drop":
            self.chosen = self.kept
        elif rule != "carry" and waiting >= min(_LEAST_LEFTOVER, self.job.batch_size):
            yield from self._step(waiting)

    @property
    def progress(self) -> float:
        """Share of the job's data that has come by."""
        return self.seen / (self.job.rows * self.job.epochs)

    @property
    def _accuracy(self) -> float:
        left = 1 - self.epoch / self.job.epochs
        return (self.job.accuracy or 0.0) * (1 - _ACCURACY_LOST * left)

    @property
    def _is_row_by_row(self) -> bool:
        """Whether a memory has chosen before anything is loaded."""
        return self.job.remembers and not self._is_first

    @property
    def _is_first(self) -> bool:
        """Whether a memory knows nothing to choose by as yet."""
        return self.job.remembers and self.epoch == 1 and self.job.config.needs_scores

    def _windows(self) -> Iterator[int]:
        """Yield the rows that are chosen from together: a batch, or one by one by a memory."""
        if self._is_row_by_row:
            yield from [1] * self.job.rows
            return
        whole, rest = divmod(self.job.rows, self.job.batch_size)
        yield from [self.job.batch_size] * whole
        if rest:
            yield rest

    def _see(self, rows: int) -> float:
        """Choose from rows that come by, and return the share that is kept of them."""
        config = self.job.config
        keep = self._keep()
        if config.needs_scores and not self.job.remembers and keep < 1:
            self.scored += rows if self.batches % config.score_every == 0 else 0
            self.batches += 1
        exact = self.share_of_a_row + keep * rows
        chosen = int(exact + _ROUNDING)
        self.share_of_a_row = exact - chosen
        self.seen += rows
        self.chosen += chosen
        self.loaded += chosen if self.job.remembers else rows
        return keep

    def _keep(self) -> float:
        """Return the share to keep of what comes next."""
        config = self.job.config
        steps = self.epoch_steps if config.repeat_delay_per_epoch else self.steps
        if not config.sifts or self._is_first or steps < config.sift_delay:
            return 1.0
        if config.anneal and self.progress >= 1 - config.anneal:
            return 1.0
        end = config.kept_share if config.keep_end is None else config.keep_end
        return config.kept_share + self.progress * (end - config.kept_share)

    def _step(self, rows: int) -> Iterator[Observation]:
        self.kept += rows
        self.steps += 1
        self.epoch_steps += 1
        self.losses.append(_FIRST_LOSS / (1 + self.steps / 10))
        if self.steps - self.observed_at >= self.job.config.log_every:
            yield self._observe()

    def _observe(self) -> Observation:
        self.observed_at = self.steps
        values = {**self._place(), **self._counts(), **self._seconds()}
        if self.losses:
            values[metrics.TRAIN_LOSS] = sum(self.losses) / len(self.losses)
            self.losses.clear()
        return Observation(values=_by_name(values))

    def _place(self) -> dict[Metric, float]:
        return {
            metrics.PROGRESS: self.progress,
            metrics.EPOCH: self.epoch,
            metrics.TRAINING_STEPS: self.steps,
        }

    def _counts(self) -> dict[Metric, float]:
        return {
            metrics.SAMPLES_SEEN: self.seen,
            metrics.SAMPLES_SCORED: self.scored,
            metrics.SAMPLES_KEPT: self.kept,
            metrics.SAMPLES_DROPPED: self.seen - self.chosen,
            metrics.SAMPLES_WAITING: self.chosen - self.kept,
            metrics.KEPT_SHARE: self.chosen / self.seen,
            metrics.COUNTED_COST: (self.kept + self.scored * _SCORED_COST) / self.seen,
            metrics.NONFINITE_LOSSES: 0,
        }

    def _seconds(self) -> dict[Metric, float]:
        load, train = self.job.load_seconds_per_row, self.job.train_seconds_per_row
        seconds = {
            metrics.LOAD_SECONDS: self.loaded * load,
            metrics.SCORE_SECONDS: self.scored * train * _SCORED_COST,
            metrics.TRAIN_SECONDS: self.kept * train,
        }
        unsifted = self.seen * (load + train)
        saving = 1 - sum(seconds.values()) / unsifted if unsifted else 0.0
        return {**seconds, metrics.ESTIMATED_SAVING: saving}


def _by_name(values: dict[Metric, float]) -> dict[str, float]:
    return {metric.name: float(value) for metric, value in values.items()}
