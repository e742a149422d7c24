"""What a trial has spent, and what it may start yet."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.client._trial_budget import affords, spending
from sift_toolkit.client._trial_halving import next_jobs
from sift_toolkit.client._trial_outcome import Outcome
from tests.client.trials import arm_of, outcome_of, plan_of, played


def test_spending() -> None:
    """Passes count in full plain trainings; a job that told nothing counts what was expected."""
    plan = plan_of(arms=[arm_of(keep=0.5)])
    outcomes = played(plan, lambda job: 0.9, most=3)
    cost = sum(job.arm.expected_cost(20) for job in next_jobs(plan, {})[:3])
    assert spending(plan, outcomes).trainings == pytest.approx(cost)
    assert spending(plan, outcomes).hours == pytest.approx(110 * cost / 3600)
    outcomes["half", 0] = Outcome(name="x", failure="it failed")
    assert spending(plan, outcomes).trainings == pytest.approx(cost)


@given(budget=st.floats(1, 30))
def test_a_budget_is_never_exceeded(budget: float) -> None:
    """Jobs are started in order until the next one would cost too much."""
    plan = plan_of(budget=budget)
    outcomes: dict[tuple[str, int], Outcome] = {}
    while (jobs := next_jobs(plan, outcomes)) and affords(plan, outcomes, (), jobs[0]):
        outcomes[jobs[0].arm.label, jobs[0].seed] = outcome_of(plan, jobs[0], 0.9)
    spent = spending(plan, outcomes).trainings
    assert spent <= budget + 1e-6
    if jobs:
        assert spent + jobs[0].arm.expected_cost(20) > budget


def test_jobs_under_way_count() -> None:
    """What runs will cost what it costs."""
    plan = plan_of(arms=[arm_of()], budget=1.5)
    first, second, third = next_jobs(plan, {})[:3]
    assert affords(plan, {}, (), first)
    assert affords(plan, {}, (first,), second) == (second.arm.expected_cost(20) <= 0.5)
    assert not affords(plan, {}, (first, second), third)


def test_hours() -> None:
    """The first job says how long the others will take."""
    plan = plan_of(arms=[arm_of()], budget_hours=0.04)
    first, second = next_jobs(plan, {})[:2]
    assert affords(plan, {}, (), first)
    outcomes = {(first.arm.label, first.seed): outcome_of(plan, first, 0.9)}
    assert not affords(plan, outcomes, (), second)
    assert affords(dataclasses.replace(plan, budget_hours=0.06), outcomes, (), second)
