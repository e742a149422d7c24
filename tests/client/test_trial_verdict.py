"""The verdict: sift, train shorter, leave it, or not enough seeds to tell; and honest about it."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.client._trial_outcome import Outcome
from sift_toolkit.client._trial_plan import TrialJob, TrialPlan
from sift_toolkit.client._trial_result import TrialResult
from tests.client.trials import arm_of, plan_of, played

ARMS = [arm_of("cheap", 0.3), arm_of("dear", 0.6)]


def result_of(
    plan: TrialPlan, mean: Callable[[TrialJob, float], float], noise: float = 0.0002
) -> TrialResult:
    """Return the result of a trial whose jobs have these mean scores, by job and its cost."""

    def score(job: TrialJob) -> float:
        chance = random.Random(f"{job.arm.label}{job.seed}").gauss(0, noise)
        return mean(job, job.arm.expected_cost(plan.epochs)) + chance

    return TrialResult.of(plan, played(plan, score))


def steep(cost: float) -> float:
    """Plain training that pays: three points and more for twice the compute."""
    return 0.95 + 0.05 * math.log(cost)


def test_sifting_is_worth_it() -> None:
    """The cheapest arm that is as good as plain training is recommended, with its config."""
    plan = plan_of(arms=ARMS)
    result = result_of(plan, lambda job, cost: steep(cost) if job.arm.kind == "plain" else 0.95)
    verdict = result.verdict
    assert verdict.kind == "sift"
    assert verdict.config == ARMS[0].config
    assert verdict.saving is not None
    assert verdict.saving.mean == pytest.approx(1 - ARMS[0].expected_cost(20))
    assert verdict.seconds_saving is not None
    text = str(result)
    assert text.startswith("Sift: cheap.\nAs a config: SiftConfig(keep=0.3).")
    assert "(3 seeds, 90 % intervals)" in text


def test_the_cheaper_one_is_not_good_enough() -> None:
    """An arm that loses accuracy is not recommended, however cheap; a dearer one is."""
    plan = plan_of(arms=ARMS)
    losses = {"cheap": 0.01, "dear": 0.0}
    result = result_of(
        plan,
        lambda job, cost: steep(cost) if job.arm.kind == "plain" else 0.95 - losses[job.arm.label],
    )
    assert result.verdict.kind == "sift"
    assert result.verdict.config == ARMS[1].config


def test_training_shorter_is_as_good() -> None:
    """Where plain training gains nothing from its last epochs, it is to end sooner."""
    plan = plan_of(arms=ARMS)
    result = result_of(
        plan, lambda job, cost: 0.95 if job.arm.kind == "plain" else 0.94 - 0.001 * job.arm.epochs
    )
    verdict = result.verdict
    assert verdict.kind == "shorter"
    assert verdict.row is not None
    assert verdict.row.arm.epochs == min(arm.epochs for arm in plan.plain)
    percent = round(100 * (1 - verdict.row.arm.epochs / 20))
    assert result.title.startswith(f"Do not sift: train {percent} % shorter instead, ")
    assert verdict.config is None


def test_nothing_is_as_good() -> None:
    """Then training stays as it is; the arm that came nearest is told, with its figures."""
    plan = plan_of(arms=ARMS)
    result = result_of(
        plan, lambda job, cost: steep(cost) + (0.01 if job.arm.kind == "sifted" else 0)
    )
    assert result.verdict.kind == "full"
    assert "No arm that costs less is as good as plain training." in result.sentences
    assert "The nearest that sifts is dear." in result.sentences


def test_not_enough_seeds() -> None:
    """An arm that looks better by less than the noise is no recommendation, nor is it denied."""
    plan = plan_of(arms=[arm_of("cheap", 0.5)], seeds=2)
    result = result_of(
        plan,
        lambda job, cost: steep(cost) if job.arm.kind == "plain" else 0.93 + 0.05 * job.seed,
    )
    verdict = result.verdict
    assert verdict.kind == "unknown"
    assert verdict.fallback is not None
    assert result.title == "Not enough seeds to tell: cheap may be worth it."
    assert any(sentence.startswith("Until then: Do not sift") for sentence in result.sentences)


@pytest.mark.parametrize("most", [0, 1, 3])
def test_hardly_anything_was_run(most: int) -> None:
    """Without two seeds of plain training there is no verdict."""
    plan = plan_of(arms=ARMS)
    result = TrialResult.of(plan, played(plan, lambda job: 0.9, most=most), over_budget=True)
    assert result.verdict.kind == "unknown"
    assert result.title == "Not enough seeds to tell."
    assert "The budget is used up" in str(result).replace("\n  ", " ")


def test_an_arm_that_failed_is_not_recommended() -> None:
    """However good its other seeds were; the reason is told."""
    plan = plan_of(arms=ARMS)
    outcomes = played(plan, lambda job: 0.9 if job.arm.kind == "plain" else 0.95)
    outcomes["cheap", 2] = Outcome(name="x", failure="it failed: boom")
    result = TrialResult.of(plan, outcomes)
    assert result.verdict.kind != "sift" or result.verdict.config == ARMS[1].config
    assert "cheap: it failed: boom." in result.notes


@given(scores=st.lists(st.floats(0, 1), min_size=12, max_size=12), tolerance=st.floats(0, 0.1))
def test_what_is_recommended_holds(scores: list[float], tolerance: float) -> None:
    """Whatever was measured: what is recommended costs less, and is as good by its mean."""
    plan = plan_of(arms=[arm_of("cheap", 0.3)], seeds=3)
    drawn = iter(scores * 4)
    result = TrialResult.of(plan, played(plan, lambda job: next(drawn)))
    verdict = result.verdict
    if verdict.kind in {"sift", "shorter"}:
        row = verdict.row
        assert row is not None
        assert row.cost is not None
        assert row.cost.mean < 1
        assert row.difference is not None
        assert row.difference.mean >= -plan.metric.tolerance
        assert not row.dropped
    if verdict.kind == "sift":
        assert verdict.row is not None
        assert verdict.row.advantage is not None
        assert verdict.row.advantage.low > 0
        assert verdict.row.advantage.n > 1
    assert result.to_json()


def test_chance_is_seldom_recommended() -> None:
    """Of trials whose seven arms are as good as plain training of their cost, hardly one sifts."""
    plan = plan_of(seeds=3)
    kinds: Counter[str] = Counter()
    for number in range(40):
        chance = random.Random(number)
        outcomes = played(
            plan,
            lambda job: 0.97 + 0.002 * math.log(job.arm.expected_cost(20)) + chance.gauss(0, 0.001),  # noqa: B023 - called within its round
        )
        kinds[TrialResult.of(plan, outcomes).verdict.kind] += 1
    assert kinds["sift"] <= 2
    assert kinds["unknown"] + kinds["shorter"] + kinds["full"] >= 38
