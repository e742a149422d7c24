"""What came of one job of a trial, and how it is written down."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sift_toolkit.client._job_facts import JobFacts
    from sift_toolkit.client._trial_metric import TrialMetric

__all__ = ["Outcome"]

_COMPLETED = "Completed"


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
            score=score if score is not None and math.isfinite(score) else None,
            passes=figures.passes,
            training_seconds=figures.training_seconds,
            job_seconds=figures.job_seconds,
            kept_share=figures.kept_share,
        )

    def to_json(self) -> dict[str, Any]:
        """Return what it holds, by name."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Outcome:
        """Read back what `to_json` returned.

        Raises:
            TypeError: there is something else in it.
        """
        return cls(**content)


def _failure(facts: JobFacts, score: float | None, metric: TrialMetric) -> str | None:
    if facts.status != _COMPLETED:
        how = "was stopped" if facts.status == "Stopped" else "failed"
        return f"it {how}: {facts.failure_reason or facts.stage or 'it gave no reason'}"
    if not facts.figures.passes:
        return (
            "it reported no samples seen: train from the loader that sift() returns, or from a "
            "module of hooks"
        )
    if score is None or not math.isfinite(score):
        hint = (
            " (a script reports it with loader.record(validation_accuracy=...))"
            if metric.title == "validation accuracy"
            else ""
        )
        return f"it reported no {metric.name}{hint}"
    return None
