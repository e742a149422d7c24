"""What a trial runs, told before anything is run: arms, seeds, rungs and the cost of all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sift_toolkit.client._trial_arms import TrialArm
from sift_toolkit.client._trial_metric import TrialMetric
from sift_toolkit.config import SiftConfig

__all__ = ["TrialJob", "TrialPlan", "rung_sizes"]

_LEAST_PLAIN: Final = 2
"""Seeds of plain training in the first rung already: their spread is the noise of the others."""


@dataclass(frozen=True, slots=True)
class TrialJob:
    """One job of a trial."""

    arm: TrialArm
    seed: int

    @property
    def key(self) -> str:
        """What its files are called."""
        return f"{self.arm.word}-s{self.seed}"

    @property
    def title(self) -> str:
        """What people read."""
        return f"{self.arm.label}, seed {self.seed}"

    @property
    def config(self) -> SiftConfig:
        """How it sifts, its seed too."""
        return dataclasses.replace(self.arm.config, seed=self.seed)

    def to_json(self) -> dict[str, Any]:
        """Return all that its result depends on, beside what all jobs share."""
        return {
            "arm": self.arm.label,
            "seed": self.seed,
            "epochs": self.arm.epochs,
            "config": self.config.to_hyperparameters(),
        }


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    """All that a trial may run, and how it is judged."""

    epochs: int
    """Of plain training in full."""
    seeds: tuple[int, ...]
    arms: tuple[TrialArm, ...]
    """Plain training in full first, then shortened, then the others."""
    metric: TrialMetric
    confidence: float = 0.9
    budget: float | None = None
    """Most that may be spent, in full plain trainings."""
    budget_hours: float | None = None
    """Most that may be spent, in hours of jobs."""

    @property
    def full(self) -> TrialArm:
        """Plain training in full."""
        return self.arms[0]

    @cached_property
    def plain(self) -> tuple[TrialArm, ...]:
        """Plain training, in full and shortened: the ruler, of which nothing is dropped."""
        return tuple(arm for arm in self.arms if arm.kind == "plain")

    @cached_property
    def others(self) -> tuple[TrialArm, ...]:
        """The arms that sift, at random or by losses."""
        return tuple(arm for arm in self.arms if arm.kind != "plain")

    @cached_property
    def rungs(self) -> tuple[int, ...]:
        """Seeds that arms have had at the end of each rung."""
        return rung_sizes(len(self.seeds))

    def rung_jobs(self, rung: int, arms: Sequence[TrialArm]) -> Iterator[TrialJob]:
        """Yield the jobs of a rung in order: by seed, and of each seed the plain ones first.

        Args:
            rung: Its place, from 0.
            arms: Those of the other arms that go on.
        """
        before = self.rungs[rung - 1] if rung else 0
        reached = self.rungs[rung]
        for place, seed in enumerate(self.seeds[: max(reached, _LEAST_PLAIN)]):
            for arm in self.plain:
                if rung == 0 or place >= max(before, _LEAST_PLAIN):
                    yield TrialJob(arm, seed)
            if before <= place < reached:
                for arm in arms:
                    yield TrialJob(arm, seed)

    def expected(self) -> list[tuple[int, float]]:
        """Return the number of jobs of each rung, and their cost in full plain trainings."""
        rungs = []
        for rung in range(len(self.rungs)):
            jobs = list(self.rung_jobs(rung, self.others))
            rungs.append((len(jobs), sum(job.arm.expected_cost(self.epochs) for job in jobs)))
        return rungs

    def to_json(self) -> dict[str, Any]:
        """Return what it holds, fit for JSON."""
        return {
            "epochs": self.epochs,
            "seeds": list(self.seeds),
            "metric": dataclasses.asdict(self.metric),
            "confidence": self.confidence,
            "budget": self.budget,
            "budget_hours": self.budget_hours,
            "arms": [_arm_json(arm, self.epochs) for arm in self.arms],
        }

    def __str__(self) -> str:
        rungs = self.expected()
        jobs, cost = sum(number for number, _ in rungs), sum(spent for _, spent in rungs)
        first, first_cost = rungs[0]
        size = f"{len(self.arms)} arms, {len(self.seeds)} seeds, {self.epochs} epochs in full"
        rung = f"The first rung is {first} jobs ({first_cost:.1f} trainings)"
        lines = [
            f"{size}: at most {jobs} jobs, which cost about {cost:.1f} full plain trainings.",
            f"{rung}; arms that are worse than plain training of their cost go no further.",
        ]
        if self.budget is not None:
            lines.append(f"No job is started beyond {self.budget:g} full plain trainings.")
            if self.budget < first_cost:
                lines.append("That does not pay for the first rung: expect no verdict.")
        if self.budget_hours is not None:
            lines.append(f"No job is started beyond {self.budget_hours:g} hours of jobs.")
        width = max(len(arm.label) for arm in self.arms)
        lines += [
            f"  {arm.label:<{width}}  {arm.epochs} epoch{'s' if arm.epochs > 1 else ''}, about "
            f"{100 * arm.expected_cost(self.epochs):.0f} % of the passes"
            for arm in self.arms
        ]
        return "\n".join(lines)


def rung_sizes(seeds: int) -> tuple[int, ...]:
    """Return how many seeds arms have had at the end of each rung: 1, 2, 4, ..., all."""
    sizes = []
    size = 1
    while size < seeds:
        sizes.append(size)
        size *= 2
    return (*sizes, seeds)


def _arm_json(arm: TrialArm, epochs: int) -> Mapping[str, Any]:
    return {
        "arm": arm.label,
        "kind": arm.kind,
        "epochs": arm.epochs,
        "config": arm.config.to_hyperparameters(),
        "expected_cost": arm.expected_cost(epochs),
    }
