"""One row an arm: what it cost, how good it got, and how that compares to plain training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sift_toolkit.client._trial_arms import TrialArm
from sift_toolkit.client._trial_halving import dropped_arms
from sift_toolkit.client._trial_plan import TrialPlan
from sift_toolkit.client._trial_results import Outcomes, TrialResults
from sift_toolkit.client._trial_statistics import Estimate

__all__ = ["ArmRow", "arm_rows"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmRow:
    """One arm, over its seeds; None: nothing of it was measured, or it was not reported.

    Scores are better where they are higher, whatever the metric: their sign is changed if not.
    """

    arm: TrialArm
    seeds: tuple[int, ...] = ()
    """Those it was measured with, plain training of the same seed beside it."""
    score: Estimate | None = None
    cost: Estimate | None = None
    """Passes, of those of plain training in full: what was spent by count."""
    seconds: Estimate | None = None
    """Seconds loading, scoring and training, of those of plain training in full."""
    kept_share: float | None = None
    """Samples chosen, of those seen: the mean."""
    difference: Estimate | None = None
    """Score minus that of plain training in full, paired by seed."""
    advantage: Estimate | None = None
    """Score minus that of plain training of the same cost, paired by seed; of all arms the
    intervals hold at once, with a spread pooled over them."""
    dropped: bool = False
    """Whether it went no further, for it was worse than plain training of its cost."""
    failure: str | None = None
    """Why one of its jobs counts for nothing."""

    @property
    def is_candidate(self) -> bool:
        """Whether it may be recommended at all."""
        return self.difference is not None and not self.dropped and self.failure is None

    def to_json(self) -> dict[str, Any]:
        """Return what it holds, fit for JSON."""
        estimates = {
            "score": self.score,
            "cost": self.cost,
            "seconds": self.seconds,
            "difference": self.difference,
            "advantage": self.advantage,
        }
        return {
            "arm": self.arm.label,
            "kind": self.arm.kind,
            "epochs": self.arm.epochs,
            "config": self.arm.config.to_hyperparameters(),
            "seeds": list(self.seeds),
            **{name: one and one.to_json() for name, one in estimates.items()},
            "kept_share": self.kept_share,
            "dropped": self.dropped,
            "failure": self.failure,
        }


def arm_rows(plan: TrialPlan, outcomes: Outcomes) -> tuple[ArmRow, ...]:
    """Return a row for each arm, in the plan's order."""
    results = TrialResults(plan, outcomes)
    dropped = dropped_arms(plan, outcomes)
    advantages = results.joint_advantages()
    return tuple(_row(arm, plan, outcomes, results, dropped, advantages) for arm in plan.arms)


def _row(
    arm: TrialArm,
    plan: TrialPlan,
    outcomes: Outcomes,
    results: TrialResults,
    dropped: dict[str, int],
    advantages: dict[str, Estimate],
) -> ArmRow:
    points = results.of(arm)
    is_full = arm is plan.full
    failure = next(
        (
            outcome.failure
            for (label, _), outcome in outcomes.items()
            if label == arm.label and outcome.failure is not None
        ),
        None,
    )
    return ArmRow(
        arm=arm,
        seeds=tuple(points),
        score=results.estimate(arm, lambda point: point.score),
        cost=results.estimate(arm, lambda point: point.cost),
        seconds=results.estimate(arm, lambda point: point.seconds),
        kept_share=_mean_kept([outcomes[arm.label, seed].kept_share for seed in points]),
        difference=None if is_full else Estimate.of(results.differences(arm), plan.confidence),
        advantage=advantages.get(arm.label),
        dropped=arm.label in dropped and failure is None,
        failure=failure,
    )


def _mean_kept(shares: Sequence[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known and len(known) == len(shares) else None
