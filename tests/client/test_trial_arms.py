"""The arms of a trial: which there are, what they are called and what they will cost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit import SiftConfig
from sift_toolkit.client._trial_arms import (
    TrialArm,
    arm_problems,
    plain_arms,
    sifting_arms,
)
from sift_toolkit.errors import SiftConfigError
from sift_toolkit.testing import FakeJob
from tests.client.trials import arm_of


def test_the_default_arms() -> None:
    """Six sifted arms of three shares and two laws, and one of random samples."""
    arms = sifting_arms(None, None, 20)
    assert [arm.label for arm in arms] == [
        "keep=0.65 learnability",
        "keep=0.65 percentile",
        "keep=0.45 learnability",
        "keep=0.45 percentile",
        "keep=0.25 learnability",
        "keep=0.25 percentile",
        "keep=0.45 random",
    ]
    assert arms[2].config == SiftConfig(keep=0.45)
    assert arms[-1].config == SiftConfig(keep=0.45, law="random")
    assert [arm.kind for arm in arms] == ["sifted"] * 6 + ["random"]
    assert arm_problems([*plain_arms(20, arms), *arms]) == []


def test_shares_of_ones_own() -> None:
    """Constant and falling shares, with what else the arms have in common."""
    common = SiftConfig(beta_value=1, scores="fresh", log_every=5)
    arms = sifting_arms([0.5, (0.8, 0.4)], common, 10)
    assert [arm.label for arm in arms if arm.kind == "sifted"] == [
        "keep=0.5 learnability",
        "keep=0.5 percentile",
        "keep=0.8-0.4 learnability",
        "keep=0.8-0.4 percentile",
    ]
    common = SiftConfig(keep=0.5, scores="fresh", log_every=5)
    assert [arm.config for arm in arms[:2]] == [common, replace(common, law="percentile")]


def test_a_law_of_ones_own() -> None:
    """A law that is given takes the place of those that are tried."""
    arms = sifting_arms([0.5], SiftConfig(keep=1, law="proportional", value="gradient"), 10)
    assert [arm.label for arm in arms] == ["keep=0.5 gradient", "keep=0.5 random"]
    assert arms[0].config.value == "gradient"
    only_random = sifting_arms([0.5], SiftConfig(keep=1, law="random"), 10)
    assert [arm.kind for arm in only_random] == ["random"]


@pytest.mark.parametrize("share", [0, 1.5, (0.2, 0.7), "half", (0.1, 0.2, 0.3)])
def test_what_is_no_share(share: object) -> None:
    """It is refused in words."""
    with pytest.raises(SiftConfigError):
        sifting_arms([share], None, 10)  # type: ignore[list-item] # the test


CONFIGS = st.builds(
    lambda keep, end, anneal, scores: SiftConfig(
        keep=keep, keep_end=end * keep, anneal=anneal, scores=scores
    ),
    keep=st.floats(0.2, 1),
    end=st.floats(0.3, 1),
    anneal=st.sampled_from([0.0, 0.25]),
    scores=st.sampled_from(["auto", "fresh"]),
)


@given(config=CONFIGS, epochs=st.integers(1, 12))
def test_costs_are_foreseen(config: SiftConfig, epochs: int) -> None:
    """What a job will cost is told to a few percent before it is run."""
    arm = TrialArm(label="arm", config=config, epochs=epochs)
    report = FakeJob(config, epochs=epochs, rows=2000, batch_size=20).report()
    cost = report.last("counted_cost")
    assert cost is not None
    assert arm.expected_cost(epochs) == pytest.approx(cost, abs=0.05)


@given(costs=st.lists(st.floats(0.05, 1), min_size=1, max_size=9), epochs=st.integers(2, 200))
def test_shortened_plain_training(costs: list[float], epochs: int) -> None:
    """One to three budgets below the full one, and none of the arms is cheaper by an epoch."""
    arms = [arm_of(keep=cost, epochs=epochs) for cost in costs]
    full, *shortened = plain_arms(epochs, arms)
    assert (full.label, full.epochs, full.kind) == ("plain", epochs, "plain")
    numbers = [arm.epochs for arm in shortened]
    assert 1 <= len(numbers) <= 3
    assert numbers == sorted(set(numbers), reverse=True)
    assert numbers[-1] >= 1
    assert numbers[0] < epochs
    least = min(arm.expected_cost(epochs) for arm in arms)
    assert numbers[-1] <= max(1, least * epochs)


def test_arms_that_cannot_be_told_apart() -> None:
    """Labels name files and jobs, so they must differ there, and be neither empty nor long."""
    assert "2 arms are called 'a-b'" in arm_problems([arm_of("a b"), arm_of("a-b")])[0]
    assert "got '???'" in arm_problems([arm_of("???")])[0]
    assert "1 to 32 letters" in arm_problems([arm_of("x" * 33)])[0]
    assert arm_problems(plain_arms(5, [])) == ["a trial needs at least one arm that sifts"]
