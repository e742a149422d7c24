"""What came of one job of a trial, and how it is written down."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeGuard

if TYPE_CHECKING:
    from sift_toolkit.client._job_facts import JobFacts
    from sift_toolkit.client._trial_metric import TrialMetric

__all__ = ["Outcome"]

_COMPLETED: Final = "Completed"
_MOST: Final = 1e100
"""Of any figure: what is beyond has no square, and no mean with others."""
_LEAST_PASSES: Final = 0.1
"""Less than one scored sample."""
_TEXTS: Final = frozenset({"name", "failure"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One job that has ended."""

    name: str
    """What the job is called."""
    failure: str | None = None
    """Why it counts for nothing; None: it has come to its end and reported what is needed."""
    score: float | None = None
    """The last value of the metric that arms are compared by."""
    passes: float | None = None
    """Training passes over one sample, a scored sample counting a third."""
    training_seconds: float | None = None
    """Seconds loading, scoring and training; None: not reported."""
    job_seconds: float | None = None
    """Seconds of the whole job, start-up included; None: not known."""
    kept_share: float | None = None
    """Samples chosen, of those seen, 0 to 1; None: not reported."""

    @property
    def counts(self) -> bool:
        """Whether it can be compared."""
        return self.failure is None

    @classmethod
    def of(cls, facts: JobFacts, score: float | None, metric: TrialMetric) -> Outcome:
        """Return what came of a job that has ended.

        Args:
            facts: All that is known of it.
            score: The last value of *metric*, None where it reported none.
            metric: What arms are compared by.
        """
        figures = facts.figures
        return cls(
            name=facts.name,
            failure=_failure(facts, score, metric),
            score=score if _is_figure(score) else None,
            passes=figures.passes,
            training_seconds=figures.training_seconds,
            job_seconds=figures.job_seconds,
            kept_share=figures.kept_share,
        )

    def to_json(self) -> dict[str, Any]:
        """Return what it holds, by name."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Outcome:
        """Read back what `to_json` returned.

        Raises:
            TypeError: there is something else in it, or no number to reckon with.
        """
        outcome = cls(**content)
        if not all(_fits(name, value) for name, value in outcome.to_json().items()):
            msg = "its figures are none"
            raise TypeError(msg)
        if outcome.counts and (outcome.score is None or not _has_passes(outcome.passes)):
            msg = "it counts, and has no score or no passes"
            raise TypeError(msg)
        return outcome


def _failure(facts: JobFacts, score: float | None, metric: TrialMetric) -> str | None:
    if facts.status != _COMPLETED:
        how = "was stopped" if facts.status == "Stopped" else "failed"
        return f"it {how}: {facts.failure_reason or facts.stage or 'it gave no reason'}"
    if not _has_passes(facts.figures.passes):
        return (
            "it reported no samples seen: train from the loader that sift() returns, or from a "
            "module of hooks"
        )
    if not _is_figure(score):
        hint = (
            " (a script reports it with loader.record(validation_accuracy=...))"
            if metric.title == "validation accuracy"
            else ""
        )
        return f"it reported no {metric.name}{hint}"
    return None


def _fits(name: str, value: object) -> bool:
    """Whether a value may stand under that name."""
    if value is None:
        return name != "name"
    if name in _TEXTS:
        return isinstance(value, str)
    # Only what arms are compared by may be below 0.
    return _is_figure(value) and (name == "score" or value >= 0)


def _is_figure(value: object) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_MOST <= value <= _MOST


def _has_passes(value: float | None) -> bool:
    return value is not None and value >= _LEAST_PASSES
