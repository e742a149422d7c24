"""How a trial goes from job to job, with jobs that are played; real ones: test_trial_host."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit.client._trial_folder import TrialFolder
from sift_toolkit.client._trial_outcome import Outcome
from sift_toolkit.client._trial_result import TrialResult
from sift_toolkit.client._trial_run import TrialRun
from sift_toolkit.errors import SiftJobError
from tests.client.trials import PlayedRunner, arm_of, plan_of, played

HALF = arm_of("half", epochs=4)
LESS = arm_of("less", keep=0.4, epochs=4)
JOBS = 6  # plain, plain with half of the epochs, and half; two seeds each


class Trial:
    """A trial in one folder, played again and again.

    Args:
        path: Its folder.
    """

    def __init__(self, path: Path) -> None:
        self._folder = TrialFolder(path)
        self.said: list[str] = []
        """Lines of the last call."""
        self.started: list[str] = []
        """Keys of the jobs that the last call started."""

    def __call__(
        self, *, failing: tuple[str, ...] = (), parallel: int = 1, **changes: Any
    ) -> TrialResult:
        """Run it to its end, or for as long as the budget lasts."""
        plan = plan_of(**{"epochs": 4, "seeds": 2, "arms": [HALF], **changes})
        runner = PlayedRunner(plan, failing, parallel)
        self.said, self.started = [], runner.started
        run = TrialRun(plan=plan, folder=self._folder, runner=runner, say=self.said.append)
        run.go()
        return TrialResult.of(plan, run.outcomes, over_budget=run.over_budget)


@pytest.fixture
def play(tmp_path: Path) -> Trial:
    """A trial that has not begun."""
    return Trial(tmp_path / "trial")


def test_each_job_is_run_once(play: Trial) -> None:
    """Again nothing is run again; with more seeds and arms only what is new."""
    first = play()
    assert len(play.started) == len(set(play.started)) == JOBS
    again = play()
    assert (str(again), again.outcomes) == (str(first), first.outcomes)
    assert play.started == []
    assert f"{JOBS} jobs have ended before, and are not run again" in play.said
    play(seeds=3, arms=[HALF, LESS])
    assert sorted(play.started) == [
        *("half-s2", "less-s0", "less-s1", "less-s2"),
        *("plain-2-epochs-s2", "plain-s2"),
    ]


@pytest.mark.parametrize("parallel", [2, 9])
def test_the_order_of_endings_changes_nothing(play: Trial, tmp_path: Path, parallel: int) -> None:
    """However many jobs run at a time, the verdict is the same."""
    alone, together = play(arms=[HALF, LESS]), Trial(tmp_path / "other")
    assert together(arms=[HALF, LESS], parallel=parallel).sentences == alone.sentences


def test_a_script_that_does_not_follow_its_epochs(
    play: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is to be shorter and is not ends the trial: nothing can be measured by it."""
    monkeypatch.setattr(
        "tests.client.trials.outcome_of",
        lambda plan, job, score: Outcome(name=job.key, score=score, passes=1000.0),
    )
    words = r"plain, 2 epochs, seed 0, made 100 % of the passes .* 50 % were asked for"
    with pytest.raises(SiftJobError, match=words):
        play()
    started = list(play.started)
    for _ in range(3):
        with pytest.raises(SiftJobError, match=words):
            play()
    assert started
    assert play.started == []


def test_a_script_that_does_not_follow_its_seed() -> None:
    """Scores that are the same to the last digit say nothing of chance: there is no verdict."""
    plan = plan_of(epochs=4, seeds=2, arms=[HALF])
    ignored = played(plan, lambda job: 0.9 if job.arm is HALF else 0.8 + 0.01 * job.arm.epochs)
    result = TrialResult.of(plan, ignored)
    assert result.verdict.kind == "unknown"
    assert "does not follow its argument for the seed" in result.verdict.reason
    key = (plan.full.label, 1)
    by_chance = {**ignored, key: dataclasses.replace(ignored[key], score=0.85)}
    at_its_end = played(plan, lambda _: 1.0)
    for other in (by_chance, at_its_end):
        assert TrialResult.of(plan, other).verdict.kind != "unknown"


def test_what_fails_is_run_again(play: Trial) -> None:
    """Its arm goes no further, the others do; started again it is run, and its arm goes on."""
    result = play(failing=("half-s0",))
    (row,) = (row for row in result.rows if row.failure)
    assert row.arm.label == "half"
    assert "half-s1" not in play.started
    assert len(play.started) == JOBS - 1
    mended = play()
    assert play.started == ["half-s0", "half-s1"]
    assert all(row.failure is None for row in mended.rows)


def test_plain_training_that_fails_ends_it(play: Trial) -> None:
    """There is nothing to compare to: no more jobs are started, and the reason is told."""
    with pytest.raises(SiftJobError, match="to which everything is compared, counts for nothing"):
        play(failing=("plain-s0",))
    assert play.started == ["plain-s0"]


def test_a_budget_is_extended(play: Trial) -> None:
    """What it does not pay for is not run; with a larger one the trial goes on from there."""
    result = play(budget=2.2)
    assert result.spent.trainings <= 2.2
    assert result.verdict.kind == "unknown"
    assert any("The budget does not pay for plain, seed 1" in line for line in play.said)
    before = list(play.started)
    play(budget=20)
    assert len(before) + len(play.started) == JOBS
    assert not set(before) & set(play.started)
