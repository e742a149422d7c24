"""Successive halving: an arm goes no further only where it is worse beyond the noise."""

from __future__ import annotations

import itertools
import random
import statistics

from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.client._trial_halving import dropped_arms, is_dominated, next_jobs
from sift_toolkit.client._trial_outcome import Outcome
from sift_toolkit.client._trial_plan import TrialJob, rung_sizes
from sift_toolkit.client._trial_results import TrialResults
from tests.client.trials import arm_of, outcome_of, plan_of, played

ARMS = [arm_of("good", 0.4), arm_of("same", 0.5), arm_of("bad", 0.6)]


@given(seeds=st.integers(1, 100))
def test_rungs(seeds: int) -> None:
    """Seeds double from one to all."""
    sizes = rung_sizes(seeds)
    assert sizes[0] == 1
    assert sizes[-1] == seeds
    assert all(before < after <= 2 * before for before, after in itertools.pairwise(sizes))


@given(
    advantage=st.floats(-0.2, 0.2),
    deviation=st.floats(0, 0.1),
    seeds=st.integers(1, 9),
    freedom=st.integers(0, 20),
)
def test_the_rule(advantage: float, deviation: float, seeds: int, freedom: int) -> None:
    """Nothing that is as good as plain goes; who goes would also go with less noise, more seeds."""
    goes = is_dominated(advantage, seeds, deviation, freedom, 0.9)
    if advantage >= 0 or freedom == 0:
        assert not goes
    if goes:
        assert is_dominated(advantage, seeds, deviation / 2, freedom, 0.9)
        assert is_dominated(advantage, seeds + 1, deviation, freedom, 0.9)
        assert is_dominated(advantage - 0.01, seeds, deviation, freedom, 0.9)


def score(job: TrialJob) -> float:
    """Return an accuracy with a little noise: good by a point, bad by a point."""
    noise = random.Random(f"{job.arm.label}{job.seed}").gauss(0, 0.0005)
    gain = {"good": 0.01, "bad": -0.01}.get(job.arm.label, 0.0)
    return 0.9 + gain + noise


def test_a_bad_arm_stops_early() -> None:
    """It has one seed, by the noise of plain training; the others have all."""
    plan = plan_of(arms=ARMS, seeds=4)
    outcomes = played(plan, score)
    assert dropped_arms(plan, outcomes) == {"bad": 1}
    seeds = {arm.label: sum(label == arm.label for label, _ in outcomes) for arm in plan.arms}
    assert seeds.pop("bad") == 1
    assert set(seeds.values()) == {4}


def test_the_order() -> None:
    """Each seed's plain jobs come first, and the arm that promises most before the others."""
    plan = plan_of(arms=ARMS, seeds=3)
    first = next_jobs(plan, {})
    others = ["good", "same", "bad"]
    plain = [arm.label for arm in plan.plain]
    assert [(job.arm.label, job.seed) for job in first] == [
        *((label, 0) for label in [*plain, *others]),
        *((label, 1) for label in plain),
    ]
    reverse = plan_of(arms=ARMS[::-1], seeds=3)
    outcomes = played(reverse, score, most=len(first))
    assert [job.title for job in next_jobs(reverse, outcomes)] == ["good, seed 1", "same, seed 1"]


def test_an_arm_that_fails_goes_no_further() -> None:
    """The others go on."""
    plan = plan_of(arms=ARMS, seeds=3)
    outcomes = {
        (job.arm.label, job.seed): outcome_of(plan, job, score(job)) for job in next_jobs(plan, {})
    }
    outcomes["good", 0] = Outcome(name="good-s0", failure="it failed: boom")
    assert dropped_arms(plan, outcomes) == {"good": 0, "bad": 1}
    assert {job.arm.label for job in next_jobs(plan, outcomes)} == {"same"}


@given(seed=st.integers(0, 2**32), gain=st.floats(-0.02, 0.02), arms=st.integers(1, 4))
def test_only_who_is_worse_goes(seed: int, gain: float, arms: int) -> None:
    """Whoever went no further was measured below plain training of its cost."""
    plan = plan_of(arms=[arm_of(f"arm {n}", 0.3 + n / 10) for n in range(arms)], seeds=3)
    noise = random.Random(seed)
    outcomes = played(
        plan, lambda job: 0.9 + noise.gauss(0, 0.003) + (gain if job.arm.kind != "plain" else 0)
    )
    results = TrialResults(plan, outcomes)
    for arm in plan.others:
        had = dropped_arms(plan, outcomes).get(arm.label)
        if had is not None:
            assert statistics.fmean(results.advantages(arm)[:had]) < 0
        else:
            assert len(results.advantages(arm)) == 3
    assert next_jobs(plan, outcomes) == []


@given(most=st.integers(0, 30))
def test_it_goes_on_from_anywhere(most: int) -> None:
    """What comes next follows from what has ended, so an interrupted trial ends the same."""
    plan = plan_of(arms=ARMS, seeds=3)
    whole = played(plan, score)
    begun = played(plan, score, most=most)
    while jobs := next_jobs(plan, begun):
        begun[jobs[0].arm.label, jobs[0].seed] = outcome_of(plan, jobs[0], score(jobs[0]))
    assert begun == whole
