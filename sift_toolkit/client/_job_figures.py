"""What a job reported of its cost and its accuracy: by its log, its report or its charts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sift_toolkit.metrics import (
    COUNTED_COST,
    ESTIMATED_SAVING,
    KEPT_SHARE,
    LOAD_SECONDS,
    METRICS,
    PROGRESS,
    SAMPLES_SEEN,
    SCORE_SECONDS,
    TRAIN_LOSS,
    TRAIN_SECONDS,
    VALIDATION_ACCURACY,
    Metric,
    read_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sift_toolkit.report import SiftReport

__all__ = ["FIGURE_METRICS", "CurvePoint", "JobFigures"]

_COST_PARTS: Final = (LOAD_SECONDS, SCORE_SECONDS, TRAIN_SECONDS)

FIGURE_METRICS: Final = (
    PROGRESS,
    KEPT_SHARE,
    *_COST_PARTS,
    SAMPLES_SEEN,
    ESTIMATED_SAVING,
    COUNTED_COST,
    TRAIN_LOSS,
    VALIDATION_ACCURACY,
)
"""The metrics that figures are made of."""


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
    """One job in numbers; a number that it has not reported is None, never guessed."""

    name: str
    """What the job is called."""
    job_seconds: float | None = None
    """Wall-clock seconds of the whole job, as its launcher measured them: start-up included."""
    progress: float | None = None
    """Training data seen, of all epochs together, 0 to 1."""
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
    estimated_saving: float | None = None
    """Share of the time saved against training on every sample, by the job's own estimate."""
    counted_cost: float | None = None
    """Passes made, of those that plain training on the same data makes, 0 to 1 and above."""
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

    @property
    def values(self) -> dict[Metric, float]:
        """What was reported last, by its metric."""
        told = {
            PROGRESS: self.progress,
            KEPT_SHARE: self.kept_share,
            LOAD_SECONDS: self.load_seconds,
            SCORE_SECONDS: self.score_seconds,
            TRAIN_SECONDS: self.train_seconds,
            ESTIMATED_SAVING: self.estimated_saving,
            COUNTED_COST: self.counted_cost,
            TRAIN_LOSS: self.train_loss,
            VALIDATION_ACCURACY: self.validation_accuracy,
        }
        return {metric: value for metric, value in told.items() if value is not None}

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
        return cls.from_points(read_lines(lines), name=name, seconds=seconds)

    @classmethod
    def from_points(
        cls,
        points: Iterable[tuple[Metric, float]],
        *,
        name: str,
        seconds: float | None = None,
        final: Mapping[Metric, float] | None = None,
    ) -> JobFigures:
        """Take in metric values wherever they were read; those that cannot be are left out.

        Args:
            points: Metrics and their values, in order.
            name: What the job is called.
            seconds: Wall-clock seconds of the whole job, if they were measured.
            final: Last values from a better source than the points; the curve is of the points.
        """
        latest: dict[Metric, float] = {}
        curve = []
        for metric, value in points:
            if not metric.may_be(value):
                continue
            latest[metric] = value
            if metric is VALIDATION_ACCURACY:
                spent = _total(*(latest.get(part) for part in _COST_PARTS))
                point = CurvePoint(training_seconds=spent, passes=_passes(latest), accuracy=value)
                curve.append(point)
        latest.update(
            (metric, value) for metric, value in (final or {}).items() if metric.may_be(value)
        )
        return cls(
            name=name,
            job_seconds=seconds,
            progress=latest.get(PROGRESS),
            kept_share=latest.get(KEPT_SHARE),
            load_seconds=latest.get(LOAD_SECONDS),
            score_seconds=latest.get(SCORE_SECONDS),
            train_seconds=latest.get(TRAIN_SECONDS),
            passes=_passes(latest),
            estimated_saving=latest.get(ESTIMATED_SAVING),
            counted_cost=latest.get(COUNTED_COST),
            train_loss=latest.get(TRAIN_LOSS),
            validation_accuracy=latest.get(VALIDATION_ACCURACY),
            curve=tuple(curve),
        )

    @classmethod
    def from_report(
        cls, report: SiftReport, *, name: str, seconds: float | None = None
    ) -> JobFigures:
        """Read a job's sift_report.json; arguments as for `from_lines`."""
        return cls.from_points(_reported(report), name=name, seconds=seconds)


def _reported(report: SiftReport) -> Iterator[tuple[Metric, float]]:
    """Yield the values of a report in the order in which a log has them."""
    for observation in report.observations:
        for metric in METRICS:
            if metric.name in observation.values:
                yield metric, observation.values[metric.name]


def _total(*parts: float | None) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _passes(latest: Mapping[Metric, float]) -> float | None:
    # The metric is relative to the data seen so far; twins are compared in absolute numbers, as
    # one of them may have stopped early.
    if COUNTED_COST not in latest or SAMPLES_SEEN not in latest:
        return None
    return latest[COUNTED_COST] * latest[SAMPLES_SEEN]
