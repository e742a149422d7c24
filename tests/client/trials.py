"""Trials that run nothing: plans, outcomes made up, and a whole trial played through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sift_toolkit import SiftConfig
from sift_toolkit.client._trial_arms import TrialArm, plain_arms, sifting_arms
from sift_toolkit.client._trial_halving import next_jobs
from sift_toolkit.client._trial_metric import TrialMetric, read_trial_metric
from sift_toolkit.client._trial_outcome import Outcome
from sift_toolkit.client._trial_plan import TrialJob, TrialPlan

PASSES = 10_000.0
"""Of plain training in full."""


def metric(name: str = "validation_accuracy", **changes: object) -> TrialMetric:
    """Return the metric that arms are compared by."""
    found, problems = read_trial_metric(name, changes.get("better"), changes.get("tolerance"))
    assert found is not None, problems
    return found


def plan_of(
    *,
    seeds: int = 3,
    epochs: int = 20,
    arms: Sequence[TrialArm] | None = None,
    budget: float | None = None,
    budget_hours: float | None = None,
    measured: TrialMetric | None = None,
) -> TrialPlan:
    """Return a plan, of the default arms if none are given."""
    others = sifting_arms(None, None, epochs) if arms is None else arms
    return TrialPlan(
        epochs=epochs,
        seeds=tuple(range(seeds)),
        arms=(*plain_arms(epochs, others), *others),
        metric=measured or metric(),
        budget=budget,
        budget_hours=budget_hours,
    )


def arm_of(label: str = "half", keep: float = 0.5, epochs: int = 20) -> TrialArm:
    """Return a sifting arm."""
    return TrialArm(label=label, config=SiftConfig(keep=keep), epochs=epochs)


def outcome_of(plan: TrialPlan, job: TrialJob, score: float) -> Outcome:
    """Return what comes of a job that costs what was expected."""
    cost = job.arm.expected_cost(plan.epochs)
    return Outcome(
        name=job.key,
        score=score,
        passes=PASSES * cost,
        training_seconds=100 * cost,
        job_seconds=110 * cost,
        kept_share=cost,
    )


def played(
    plan: TrialPlan, score: Callable[[TrialJob], float], *, most: int | None = None
) -> dict[tuple[str, int], Outcome]:
    """Run a trial to its end, or until so many jobs have ended."""
    outcomes: dict[tuple[str, int], Outcome] = {}
    while jobs := next_jobs(plan, outcomes):
        for job in jobs:
            if most is not None and len(outcomes) == most:
                return outcomes
            outcomes[job.arm.label, job.seed] = outcome_of(plan, job, score(job))
    return outcomes


class PlayedRunner:
    """Runs nothing: says at once what would have come of a job.

    Args:
        plan: The trial.
        failing: Keys of jobs that fail.
        parallel: Jobs that may be under way at a time.
    """

    def __init__(self, plan: TrialPlan, failing: Iterable[str] = (), parallel: int = 1) -> None:
        self._plan = plan
        self._failing = set(failing)
        self._under_way: list[TrialJob] = []
        self.parallel = parallel
        self.started: list[str] = []
        """Keys of the jobs it was asked to start."""

    def subject(self) -> Mapping[str, object]:
        """Return what all jobs have in common."""
        return {"place": "nowhere"}

    def problems(self, jobs: Sequence[TrialJob]) -> list[str]:
        """Name nothing: all jobs can be played."""
        return []

    def name_for(self, job: TrialJob, known: str | None) -> str:
        """Return the job's key."""
        return job.key

    def start(self, job: TrialJob, name: str, *, again: bool) -> None:
        """Note that a job was started."""
        self.started.append(job.key)
        self._under_way.append(job)

    def collect(self) -> list[tuple[TrialJob, Outcome]]:
        """Return what came of the job that was started first."""
        job = self._under_way.pop(0)
        if job.key in self._failing:
            return [(job, Outcome(name=job.key, failure="it failed: it is not to be"))]
        better = 0.02 if job.config.sifts or job.arm is self._plan.full else 0.0
        return [(job, outcome_of(self._plan, job, 0.9 + better + 0.001 * job.seed))]

    def tidy(self, job: TrialJob) -> None:
        """Leave nothing behind, for there is nothing."""
