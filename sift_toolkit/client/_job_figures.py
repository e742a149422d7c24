"""What one finished job reported of its cost and its accuracy, read from its log lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sift_toolkit.metrics import (
    COUNTED_COST,
    KEPT_SHARE,
    LOAD_SECONDS,
    SAMPLES_SEEN,
    SCORE_SECONDS,
    TRAIN_LOSS,
    TRAIN_SECONDS,
    VALIDATION_ACCURACY,
    Metric,
    read_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["CurvePoint", "JobFigures"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CurvePoint:
    """One validation, and what the job had spent until then."""

    training_seconds: float | None
    """Seconds loading, scoring and training; None: not reported by then."""
    passes: float | None
    """Training passes over one sample, a scored sample counting a third; None: not reported."""
    accuracy: float
    """Validation accuracy, 0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFigures:
    """One finished job in numbers; a number that its log does not hold is None, never guessed."""

    name: str
    """What the job is called."""
    job_seconds: float | None = None
    """Wall-clock seconds of the whole job, as its launcher measured them: start-up included."""
    kept_share: float | None = None
    """Samples chosen, of those seen, 0 to 1."""
    load_seconds: float | None = None
    """Seconds waiting for data."""
    score_seconds: float | None = None
    """Seconds scoring and selecting."""
    train_seconds: float | None = None
    """Seconds in the training loop's own code."""
    passes: float | None = None
    """Training passes over one sample, a scored sample counting a third."""
    train_loss: float | None = None
    """The last training loss."""
    validation_accuracy: float | None = None
    """The last validation accuracy, 0 to 1."""
    curve: tuple[CurvePoint, ...] = ()
    """Every validation, in order."""

    @property
    def training_seconds(self) -> float | None:
        """Seconds loading, scoring and training: what training cost, evaluation left out."""
        return _total(self.load_seconds, self.score_seconds, self.train_seconds)

    @classmethod
    def from_lines(
        cls, lines: Iterable[str], *, name: str, seconds: float | None = None
    ) -> JobFigures:
        """Read a job's log.

        Counts and seconds in a log are totals since the job's start, so a validation has cost
        what the last lines before it say.

        Args:
            lines: The log, in order, under any prefix.
            name: What the job is called.
            seconds: Wall-clock seconds of the whole job, if they were measured.
        """
        latest: dict[Metric, float] = {}
        curve = []
        for metric, value in read_lines(lines):
            latest[metric] = value
            if metric is VALIDATION_ACCURACY:
                spent = _total(*(latest.get(part) for part in _COST_PARTS))
                point = CurvePoint(training_seconds=spent, passes=_passes(latest), accuracy=value)
                curve.append(point)
        return cls(
            name=name,
            job_seconds=seconds,
            kept_share=latest.get(KEPT_SHARE),
            load_seconds=latest.get(LOAD_SECONDS),
            score_seconds=latest.get(SCORE_SECONDS),
            train_seconds=latest.get(TRAIN_SECONDS),
            passes=_passes(latest),
            train_loss=latest.get(TRAIN_LOSS),
            validation_accuracy=latest.get(VALIDATION_ACCURACY),
            curve=tuple(curve),
        )


_COST_PARTS = (LOAD_SECONDS, SCORE_SECONDS, TRAIN_SECONDS)


def _total(*parts: float | None) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _passes(latest: Mapping[Metric, float]) -> float | None:
    # The metric is relative to the data seen so far; twins are compared in absolute numbers, as
    # one of them may have stopped early.
    if COUNTED_COST not in latest or SAMPLES_SEEN not in latest:
        return None
    return latest[COUNTED_COST] * latest[SAMPLES_SEEN]
