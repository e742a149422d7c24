"""What outcomes say: paired by seed, beside plain training of the same cost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.client._trial_results import TrialResults, interpolate
from tests.client.trials import arm_of, metric, plan_of, played

KNOWN = st.dictionaries(
    st.integers(1, 100).map(lambda percent: percent / 100), st.floats(0, 1), min_size=1, max_size=5
)


@given(known=KNOWN, cost=st.floats(0.001, 2))
def test_interpolation(known: dict[float, float], cost: float) -> None:
    """It goes through what was measured, never beyond it, and is flat outside."""
    points = list(known.items())
    for at, score in points:
        assert interpolate(at, points) == pytest.approx(score)
    found = interpolate(cost, points)
    assert min(known.values()) - 1e-9 <= found <= max(known.values()) + 1e-9
    if cost <= min(known):
        assert found == known[min(known)]
    if cost >= max(known):
        assert found == known[max(known)]


@given(cost=st.floats(0.4, 1))
def test_it_does_not_favour_sifting(cost: float) -> None:
    """Where accuracy rises, plain training is put no lower than on a straight line."""
    line = 0.9 + (cost - 0.4) / 0.6 * 0.05
    assert interpolate(cost, [(0.4, 0.9), (1.0, 0.95)]) >= line - 1e-12


def test_seeds_are_paired() -> None:
    """What a seed does to all jobs alike is in no difference and no advantage."""
    plan = plan_of(arms=[arm_of()], seeds=3)
    outcomes = played(plan, lambda job: 0.8 + job.seed / 50 + 0.01 * (job.arm.kind == "sifted"))
    results = TrialResults(plan, outcomes)
    arm = plan.others[0]
    assert results.differences(arm) == pytest.approx([0.01] * 3)
    assert results.advantages(arm) == pytest.approx([0.01] * 3)
    assert results.joint_advantages()["half"].low == pytest.approx(0.01)
    assert results.plain_noise() == (pytest.approx(0.02), 2 * len(plan.plain))
    (estimate,) = results.frontier([0.7])
    assert (estimate.mean, estimate.n) == (pytest.approx(0.82), 3)


def test_a_seed_without_all_plain_jobs_is_left_out() -> None:
    """It has no frontier to be held against."""
    plan = plan_of(arms=[arm_of()], seeds=3)
    outcomes = played(plan, lambda job: 0.9)
    del outcomes[plan.plain[-1].label, 1]
    assert TrialResults(plan, outcomes).seeds == (0, 2)


def test_lower_may_be_better() -> None:
    """Scores of such a metric change their sign, so that the higher is the better everywhere."""
    plan = plan_of(
        arms=[arm_of()], seeds=2, measured=metric("train_loss", better="lower", tolerance=0.01)
    )
    outcomes = played(plan, lambda job: 0.4 if job.arm.kind == "sifted" else 0.5)
    assert TrialResults(plan, outcomes).differences(plan.others[0]) == pytest.approx([0.1] * 2)


def test_more_arms_ask_for_more() -> None:
    """Intervals of many arms are wider than that of one, for they hold all at once."""

    def reach(number: int) -> float:
        arms = [arm_of(f"arm {n}") for n in range(number)]
        plan = plan_of(arms=arms, seeds=3)
        outcomes = played(plan, lambda job: 0.9 + 0.01 * (job.seed % 2) * (job.arm.kind != "plain"))
        return TrialResults(plan, outcomes).joint_advantages()["arm 0"].reach

    assert reach(8) > reach(4) > reach(2)
