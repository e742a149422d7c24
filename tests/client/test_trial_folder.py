"""What a trial has on disk: whole files, one process, one subject."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from sift_toolkit.client._trial_folder import TrialFolder
from sift_toolkit.client._trial_outcome import Outcome
from sift_toolkit.client._trial_plan import TrialJob
from sift_toolkit.errors import SiftStateError, SiftUsageError
from tests.client.trials import arm_of, outcome_of, plan_of

PLAN = plan_of(arms=[arm_of()], seeds=2)
JOB = TrialJob(PLAN.others[0], 1)


@pytest.fixture
def folder(tmp_path: Path) -> TrialFolder:
    """A folder that is not there yet."""
    return TrialFolder(tmp_path / "a" / "trial")


def test_outcomes_come_back(folder: TrialFolder) -> None:
    """A job that was launched is known by its name until it has ended, then by its outcome."""
    assert folder.outcomes(PLAN) == {}
    folder.note_launch(JOB, "a-name")
    assert folder.launched(PLAN) == {JOB.key: "a-name"}
    outcome = outcome_of(PLAN, JOB, 0.1 + 0.2)
    folder.note_end(JOB, outcome)
    assert folder.launched(PLAN) == {}
    assert folder.outcomes(PLAN) == {("half", 1): outcome}
    assert folder.outcomes(plan_of(arms=[arm_of()], seeds=5)) == {("half", 1): outcome}
    assert folder.outcomes(plan_of(arms=[arm_of("other")])) == {}
    assert not list(folder.path.rglob("*.partial"))


def test_a_failure_is_run_again(folder: TrialFolder) -> None:
    """It is written down, and not taken for a result."""
    folder.note_end(JOB, Outcome(name="x", failure="it failed"))
    assert folder.outcomes(PLAN) == {}


def test_another_arm_of_that_name(folder: TrialFolder) -> None:
    """What was measured with another config or other epochs is not mixed in."""
    folder.note_end(JOB, outcome_of(PLAN, JOB, 0.9))
    for other in (arm_of(keep=0.4), arm_of(epochs=10)):
        with pytest.raises(SiftUsageError, match="Give the arm another label"):
            folder.outcomes(plan_of(arms=[other]))


def test_another_subject(folder: TrialFolder) -> None:
    """More arms, seeds and budget go on; another script, metric or length of training does not."""
    with folder.claimed():
        folder.begin(PLAN, {"script": "a.py", "channels": {"x": "y"}})
        more = plan_of(arms=[arm_of(), arm_of("more")], seeds=4, budget=9)
        folder.begin(more, {"script": "a.py", "channels": {"x": "y"}})
        with pytest.raises(SiftUsageError, match=r"script was 'a\.py' and is 'b\.py'"):
            folder.begin(PLAN, {"script": "b.py", "channels": {"x": "y"}})
        with pytest.raises(SiftUsageError, match="epochs was 20 and is 10"):
            folder.begin(
                dataclasses.replace(PLAN, epochs=10), {"script": "a.py", "channels": {"x": "y"}}
            )


def test_one_process_at_a_time(folder: TrialFolder) -> None:
    """A second trial in the same folder is refused, and may begin when the first has ended."""
    with (
        folder.claimed(),
        pytest.raises(SiftUsageError, match="another trial is running in"),
        TrialFolder(folder.path).claimed(),
    ):
        pass
    with TrialFolder(folder.path).claimed():
        pass


def test_what_cannot_be_read(folder: TrialFolder) -> None:
    """A file that is none of ours is named."""
    folder.note_end(JOB, outcome_of(PLAN, JOB, 0.9))
    (file,) = (folder.path / "outcomes").iterdir()
    for text in ("no json", "[]"):
        file.write_text(text)
        with pytest.raises(SiftStateError, match="is no file of a trial"):
            folder.outcomes(PLAN)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file in its place is said in words."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(SiftUsageError, match="cannot be written to"),
        TrialFolder(tmp_path / "file" / "trial").claimed(),
    ):
        pass
