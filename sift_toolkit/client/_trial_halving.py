"""Successive halving: which jobs come next, and which arms go no further.

The rule: an arm goes no further once it is worse than plain training of its own cost by more than
the noise allows. With d the mean over n seeds of its score minus plain's at the same cost, s the
deviation of plain scores between seeds, pooled over the plain arms with f degrees of freedom, and t
Student's quantile, that is

    d + t(f) * s * sqrt(2 / n) < 0

One seed has no spread of its own, so plain's stands for it; two runs differ by sqrt(2) of it, and
by less where seeds pair well. Plain arms never go: they are what is measured by.
"""

from __future__ import annotations

import math
import statistics

from sift_toolkit.client._trial_arms import TrialArm
from sift_toolkit.client._trial_plan import TrialJob, TrialPlan
from sift_toolkit.client._trial_results import Outcomes, TrialResults
from sift_toolkit.client._trial_statistics import t_quantile

__all__ = ["dropped_arms", "is_dominated", "next_jobs"]


def is_dominated(
    advantage: float, seeds: int, deviation: float, freedom: int, confidence: float
) -> bool:
    """Whether an arm is worse than plain training of its cost by more than the noise allows.

    Args:
        advantage: Mean over its seeds of its score minus plain's at the same cost.
        seeds: How many.
        deviation: Of plain scores between seeds.
        freedom: Degrees of freedom of that; without any nothing is dominated.
        confidence: Of the two-sided interval.
    """
    if freedom < 1 or seeds < 1:
        return False
    reach = t_quantile(confidence, freedom) * deviation * math.sqrt(2 / seeds)
    return advantage + reach < 0


def dropped_arms(plan: TrialPlan, outcomes: Outcomes) -> dict[str, int]:
    """Return the labels of arms that go no further, and how many seeds they have had.

    An arm of which a job failed goes no further either.
    """
    dropped: dict[str, int] = {}
    for rung in range(len(plan.rungs)):
        if not _is_complete(plan, outcomes, rung, dropped):
            break
        dropped |= _dropped_after(plan, outcomes, rung, dropped)
    failed = TrialResults(plan, outcomes).failed
    seeds_had = {arm.label: _seeds_of(arm, outcomes) for arm in plan.others}
    return {**{label: had for label, had in seeds_had.items() if label in failed}, **dropped}


def next_jobs(plan: TrialPlan, outcomes: Outcomes) -> list[TrialJob]:
    """Return the jobs of the rung under way that have not ended, in order; none: all is done."""
    dropped: dict[str, int] = {}
    for rung in range(len(plan.rungs)):
        if missing := _missing(plan, outcomes, rung, dropped):
            return missing
        dropped |= _dropped_after(plan, outcomes, rung, dropped)
    return []


def _missing(
    plan: TrialPlan, outcomes: Outcomes, rung: int, dropped: dict[str, int]
) -> list[TrialJob]:
    failed = TrialResults(plan, outcomes).failed
    return [
        job
        for job in plan.rung_jobs(rung, _going_on(plan, outcomes, rung, dropped))
        if (job.arm.label, job.seed) not in outcomes and job.arm.label not in failed
    ]


def _is_complete(plan: TrialPlan, outcomes: Outcomes, rung: int, dropped: dict[str, int]) -> bool:
    return not _missing(plan, outcomes, rung, dropped)


def _going_on(
    plan: TrialPlan, outcomes: Outcomes, rung: int, dropped: dict[str, int]
) -> list[TrialArm]:
    """Return the arms of a rung, the most promising first: a budget may not last for all."""
    arms = [arm for arm in plan.others if arm.label not in dropped]
    if rung == 0:
        return arms
    results = TrialResults(plan, outcomes, plan.rungs[rung - 1])

    def promise(arm: TrialArm) -> float:
        advantages = results.advantages(arm)
        return statistics.fmean(advantages) if advantages else -math.inf

    return sorted(arms, key=promise, reverse=True)


def _dropped_after(
    plan: TrialPlan, outcomes: Outcomes, rung: int, dropped: dict[str, int]
) -> dict[str, int]:
    seeds = plan.rungs[rung]
    results = TrialResults(plan, outcomes, seeds)
    # Of plain training there may be a seed more than of the others.
    noise = TrialResults(plan, outcomes, max(seeds, 2)).plain_noise()
    return {
        arm.label: len(advantages)
        for arm in plan.others
        if arm.label not in dropped
        and (advantages := results.advantages(arm))
        and is_dominated(
            statistics.fmean(advantages), len(advantages), *noise, confidence=plan.confidence
        )
    }


def _seeds_of(arm: TrialArm, outcomes: Outcomes) -> int:
    return sum(label == arm.label and outcome.counts for (label, _), outcome in outcomes.items())
