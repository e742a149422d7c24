"""What a trial has measured so far: scores and costs by arm and seed, and plain's frontier.

Everything is paired by seed. Costs are of plain training in full of the same seed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from sift_toolkit.client._trial_arms import TrialArm
from sift_toolkit.client._trial_outcome import Outcome
from sift_toolkit.client._trial_plan import TrialPlan
from sift_toolkit.client._trial_statistics import Estimate, pooled_deviation

__all__ = ["Outcomes", "Point", "TrialResults", "interpolate"]

Outcomes: TypeAlias = Mapping[tuple[str, int], Outcome]
"""By label and seed."""


@dataclass(frozen=True, slots=True)
class Point:
    """One job beside plain training in full of the same seed."""

    score: float
    """The metric's value, its sign changed where lower is better."""
    cost: float
    """Passes, of those of plain training in full."""
    seconds: float | None
    """Seconds loading, scoring and training, of those of plain training in full."""


class TrialResults:
    """What the outcomes of a trial say.

    Args:
        plan: The trial.
        outcomes: Of the jobs that have ended.
        most_seeds: Seeds to look at, of the plan's. Default: all.
    """

    def __init__(self, plan: TrialPlan, outcomes: Outcomes, most_seeds: int | None = None) -> None:
        self._plan = plan
        self._seeds = plan.seeds[:most_seeds]
        self._outcomes = outcomes
        self.failed = frozenset(
            label
            for (label, seed), outcome in outcomes.items()
            if seed in self._seeds and not outcome.counts
        )
        """Labels of arms of which a job failed."""

    @cached_property
    def points(self) -> Mapping[tuple[str, int], Point]:
        """Every job that counts, by label and seed, where plain in full of that seed counts."""
        found = {}
        for seed in self._seeds:
            full = self._counted(self._plan.full.label, seed)
            for arm in self._plan.arms if full is not None else ():
                outcome = self._counted(arm.label, seed)
                if full is not None and outcome is not None:
                    found[arm.label, seed] = _point(outcome, full, self._plan.metric.sign)
        return found

    @cached_property
    def ruler(self) -> tuple[TrialArm, ...]:
        """The plain arms that scores are held against: those of which no job failed."""
        return tuple(arm for arm in self._plan.plain if arm.label not in self.failed)

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of which all of the ruler has been measured."""
        return tuple(
            seed
            for seed in self._seeds
            if self.ruler and all((arm.label, seed) in self.points for arm in self.ruler)
        )

    def plain_at(self, cost: float, seed: int) -> float:
        """Return the score of plain training of a cost, of one seed of `seeds`.

        Between two that were measured it is interpolated; a cost outside of them is that of the
        nearest.
        """
        known = [self.points[arm.label, seed] for arm in self.ruler]
        return interpolate(cost, [(point.cost, point.score) for point in known])

    def of(self, arm: TrialArm) -> dict[int, Point]:
        """Return what was measured of an arm, by seed of `seeds`."""
        return {
            seed: self.points[arm.label, seed]
            for seed in self.seeds
            if (arm.label, seed) in self.points
        }

    def advantages(self, arm: TrialArm) -> list[float]:
        """Return by how much an arm beat plain training of its own cost, seed by seed."""
        points = self.of(arm).items()
        return [point.score - self.plain_at(point.cost, seed) for seed, point in points]

    def differences(self, arm: TrialArm) -> list[float]:
        """Return by how much an arm beat plain training in full, seed by seed."""
        full = self._plan.full.label
        return [point.score - self.points[full, seed].score for seed, point in self.of(arm).items()]

    def joint_advantages(self) -> dict[str, Estimate]:
        """Return the mean advantage of each sifting arm, with intervals that hold for all at once.

        The more arms there are the likelier is one of them good by chance, so each interval has its
        part of the doubt (Bonferroni). Their spread, which three seeds alone tell badly, is pooled
        over the arms; as they share plain training's part of it, it is taken as known from two.
        """
        found = {arm.label: self.advantages(arm) for arm in self._plan.others}
        known = {label: values for label, values in found.items() if values}
        deviation, freedom = pooled_deviation(known.values())
        freedom = min(freedom, 2 * (len(self.seeds) - 1))
        doubt = (1 - self._plan.confidence) / max(len(known), 1)
        return {
            label: Estimate.with_noise(values, deviation, freedom, 1 - doubt)
            for label, values in known.items()
        }

    def plain_noise(self) -> tuple[float, int]:
        """Return the deviation of plain scores between seeds, and its degrees of freedom."""
        return pooled_deviation(
            [point.score for point in self.of(arm).values()] for arm in self.ruler
        )

    def estimate(self, arm: TrialArm, figure: Callable[[Point], float | None]) -> Estimate | None:
        """Return the mean of a figure over an arm's seeds; None: not of every one is it known."""
        values = [figure(point) for point in self.of(arm).values()]
        known = [value for value in values if value is not None]
        return Estimate.of(known, self._plan.confidence) if len(known) == len(values) else None

    def frontier(self, costs: Sequence[float]) -> list[Estimate]:
        """Return plain training's score at each of *costs*; empty without any whole seed."""
        found = (
            Estimate.of([self.plain_at(cost, seed) for seed in self.seeds], self._plan.confidence)
            for cost in costs
        )
        return [estimate for estimate in found if estimate is not None]

    def _counted(self, label: str, seed: int) -> Outcome | None:
        outcome = self._outcomes.get((label, seed))
        return outcome if outcome is not None and outcome.counts else None


def interpolate(cost: float, known: Sequence[tuple[float, float]]) -> float:
    """Return the score at a cost, between the two costs next to it, linear in log(cost).

    Accuracy grows ever more slowly with compute, so that a straight line between two budgets would
    lie below plain training, in favour of what it is compared to; in the logarithm it lies higher.
    A cost outside of those known has the score of the nearest.

    Args:
        cost: Above 0.
        known: Costs above 0 and their scores, at least one.
    """
    ordered = sorted(known)
    if cost <= ordered[0][0]:
        return ordered[0][1]
    for (below, low), (above, high) in itertools.pairwise(ordered):
        if cost <= above:
            share = math.log(cost / below) / math.log(above / below) if above > below else 1.0
            return (1 - share) * low + share * high  # exactly what was measured at both ends
    return ordered[-1][1]


def _point(outcome: Outcome, full: Outcome, sign: int) -> Point:
    assert outcome.score is not None
    assert outcome.passes is not None
    assert full.passes is not None
    seconds, of_full = outcome.training_seconds, full.training_seconds
    return Point(
        score=sign * outcome.score,
        cost=outcome.passes / full.passes,
        seconds=seconds / of_full if seconds is not None and of_full else None,
    )
