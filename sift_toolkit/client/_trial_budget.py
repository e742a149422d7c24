"""What a trial has spent, and whether one more job is within its budget."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sift_toolkit.client._trial_arms import TrialArm
from sift_toolkit.client._trial_outcome import Outcome
from sift_toolkit.client._trial_plan import TrialJob, TrialPlan
from sift_toolkit.client._trial_results import Outcomes

__all__ = ["Spending", "affords", "spending"]

_HOUR: Final = 3600
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Spending:
    """What jobs have cost."""

    trainings: float
    """In full plain trainings, by passes; a job that did not tell counts what was expected."""
    hours: float
    """Hours of jobs, as far as they are known."""


def spending(plan: TrialPlan, outcomes: Outcomes) -> Spending:
    """Return what the jobs that have ended have cost."""
    arms = {arm.label: arm for arm in plan.arms}
    known = [(arms[label], outcome) for (label, _), outcome in outcomes.items() if label in arms]
    unit = _passes_in_full(plan, outcomes)
    trainings = sum(
        outcome.passes / unit
        if unit and outcome.passes is not None
        else arm.expected_cost(plan.epochs)
        for arm, outcome in known
    )
    return Spending(trainings, sum(outcome.job_seconds or 0.0 for _, outcome in known) / _HOUR)


def affords(
    plan: TrialPlan, outcomes: Outcomes, running: Iterable[TrialJob], job: TrialJob
) -> bool:
    """Whether *job* can be started without the trial costing more than it may.

    What it will cost is what its arm's other jobs have cost, or what was expected.

    Args:
        plan: The trial, with its budget.
        outcomes: Of the jobs that have ended.
        running: The jobs under way, which count as if they had ended.
        job: The one that would come next.
    """
    spent = spending(plan, outcomes)
    coming = [one.arm for one in (*running, job)]
    if plan.budget is not None:
        ahead = sum(_trainings(plan, outcomes, arm) for arm in coming)
        if spent.trainings + ahead > plan.budget * (1 + _ROUNDING):
            return False
    if plan.budget_hours is None:
        return True
    seconds = sum(_seconds(plan, outcomes, arm) for arm in coming)
    return spent.hours + seconds / _HOUR <= plan.budget_hours * (1 + _ROUNDING)


def _trainings(plan: TrialPlan, outcomes: Outcomes, arm: TrialArm) -> float:
    unit = _passes_in_full(plan, outcomes)
    known = [outcome.passes for outcome in _of(arm, outcomes) if outcome.passes is not None]
    return statistics.fmean(known) / unit if known and unit else arm.expected_cost(plan.epochs)


def _seconds(plan: TrialPlan, outcomes: Outcomes, arm: TrialArm) -> float:
    """Return the seconds of a job, by those of its arm, else by those of plain training in full.

    Of the very first nothing is known.
    """
    own = [one.job_seconds for one in _of(arm, outcomes) if one.job_seconds is not None]
    if own:
        return statistics.fmean(own)
    full = [one.job_seconds for one in _of(plan.full, outcomes) if one.job_seconds is not None]
    return statistics.fmean(full) * arm.expected_cost(plan.epochs) if full else 0.0


def _passes_in_full(plan: TrialPlan, outcomes: Outcomes) -> float | None:
    known = [one.passes for one in _of(plan.full, outcomes) if one.passes is not None]
    return statistics.fmean(known) if known else None


def _of(arm: TrialArm, outcomes: Outcomes) -> list[Outcome]:
    return [
        outcome for (label, _), outcome in outcomes.items() if label == arm.label and outcome.counts
    ]
