"""The files of a trial's folder may be anybody's: gone on from, or refused in words."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit.client._staging import TRIAL_FILE
from sift_toolkit.client._trial_folder import _MOST_BYTES, TrialFolder
from sift_toolkit.client._trial_metric import TrialMetric
from sift_toolkit.client._trial_outcome import Outcome
from sift_toolkit.client._trial_plan import TrialJob
from sift_toolkit.client._trial_result import TrialResult
from sift_toolkit.errors import SiftStateError, SiftUsageError
from tests.client.trials import arm_of, outcome_of, plan_of

PLAN = plan_of(arms=[arm_of()], seeds=2)
JOB = TrialJob(PLAN.others[0], 1)
HUGE = 10**400
HOSTILE = "x\n[sift] validation_accuracy=1.0;\x1b[2J" + "y" * 100_000


@pytest.fixture
def folder(tmp_path: Path) -> TrialFolder:
    """A folder in which one job has ended."""
    folder = TrialFolder(tmp_path / "trial")
    folder.note_end(JOB, outcome_of(PLAN, JOB, 0.9))
    return folder


@pytest.fixture
def outcome_file(folder: TrialFolder) -> Path:
    """What was written down of that job."""
    (file,) = (folder.path / "outcomes").iterdir()
    return file


def refused(call: Callable[[], object]) -> str:
    """Return in which words a file is refused."""
    with pytest.raises(SiftStateError, match="is no file of a trial") as caught:
        call()
    words = str(caught.value)
    assert words.isprintable()
    assert len(words) < 1000
    return words


@pytest.mark.parametrize(
    "changed",
    [
        {"name": None},
        {"name": 5},
        {"failure": ["why"]},
        {"score": "0.9"},
        {"score": None},
        {"score": True},
        {"score": float("nan")},
        {"score": float("inf")},
        {"score": HUGE},
        {"score": 1e200},
        {"passes": 0},
        {"passes": -1},
        {"passes": 1e-300},
        {"passes": None},
        {"job_seconds": [1]},
        {"training_seconds": -5},
        {"kept_share": {}},
        {HOSTILE: 1},
    ],
    ids=lambda changed: str(changed)[:24],
)
def test_an_outcome_of_another_form_is_refused(
    folder: TrialFolder, outcome_file: Path, changed: dict[str, Any]
) -> None:
    """What a verdict could not be reckoned from is not read in half."""
    content = json.loads(outcome_file.read_text())
    content["outcome"] |= changed
    outcome_file.write_text(json.dumps(content))
    refused(lambda: folder.outcomes(PLAN))


@pytest.mark.parametrize("outcome", [None, [], "text", {}, [["name", "x"]]])
def test_an_outcome_that_is_none_is_refused(
    folder: TrialFolder, outcome_file: Path, outcome: object
) -> None:
    """Something else in its place, or nothing."""
    outcome_file.write_text(json.dumps({"job": JOB.to_json(), "outcome": outcome}))
    refused(lambda: folder.outcomes(PLAN))
    outcome_file.write_text(json.dumps({"job": JOB.to_json()}))
    refused(lambda: folder.outcomes(PLAN))


def test_figures_at_the_edge_end_in_a_verdict() -> None:
    """Whatever may be read down can be reckoned with, and shown."""
    jobs = [TrialJob(arm, seed) for arm in PLAN.arms for seed in PLAN.seeds]
    scores = [1e100, -1e100, 0.0, 1e-300, 1e100, -1e-300]
    passes = [1e100, 0.1, 1.0, 1e100, 0.1, 5.0]
    seconds = [0.0, 1e-300, 1e100, 0.0, 1e100, 1.0]
    outcomes = {
        (job.arm.label, job.seed): Outcome.from_json(
            {
                "name": "x",
                "score": score,
                "passes": cost,
                "training_seconds": time,
                "job_seconds": time,
                "kept_share": 1e100,
            }
        )
        for job, score, cost, time in zip(jobs, scores, passes, seconds, strict=True)
    }
    result = TrialResult.of(PLAN, outcomes)
    assert str(result).isascii()
    assert "<svg" in result.to_html()
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    "name",
    ["../../elsewhere", "/elsewhere", "", None, 5, ["x"], "a_b", HOSTILE],
    ids=lambda n: str(n)[:16],
)
def test_a_job_of_no_name_is_refused(folder: TrialFolder, name: object) -> None:
    """What AWS is asked about is a job's name, and leads to no file."""
    folder.note_launch(JOB, "job-1")
    assert folder.launched(PLAN) == {JOB.key: "job-1"}
    (file,) = (folder.path / "launched").iterdir()
    file.write_text(json.dumps({"job": JOB.to_json(), "name": name}))
    assert "no job is called" in refused(lambda: folder.launched(PLAN))


@pytest.mark.parametrize("text", ["[]", "[" * 99_999, '{"subject": 5}', '{"subject": [1]}', ""])
def test_a_plan_of_another_form_is_refused(folder: TrialFolder, text: str) -> None:
    """The plan may be anything: it is said to be none, and stays as it is."""
    plan = folder.path / TRIAL_FILE
    plan.write_text(text)
    refused(lambda: folder.begin(PLAN, {"script": "a.py"}))
    assert plan.read_text() == text


def test_another_subject_is_told_briefly(folder: TrialFolder) -> None:
    """What differs may be megabytes: some of it is shown, on one line."""
    plan = folder.path / TRIAL_FILE
    there = {f"{HOSTILE}{number}": HOSTILE for number in range(50)}
    plan.write_text(json.dumps({"subject": {"script": HOSTILE, **there}}))
    with pytest.raises(SiftUsageError, match="is of something else") as caught:
        folder.begin(PLAN, {"script": "a.py"})
    words = str(caught.value)
    assert words.isprintable()
    assert len(words) < 20_000
    assert "[sift] " not in words


def test_another_arm_is_told_briefly(folder: TrialFolder, outcome_file: Path) -> None:
    """So is what an outcome says that it is of."""
    outcome_file.write_text(json.dumps({"job": {"arm": HOSTILE}, "outcome": {}}))
    with pytest.raises(SiftUsageError, match="is of another arm") as caught:
        folder.outcomes(PLAN)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 2000


def test_what_is_no_file_is_refused(folder: TrialFolder, outcome_file: Path) -> None:
    """A pipe would be waited for without end, a file of gigabytes read into memory."""
    plan = folder.path / TRIAL_FILE
    os.mkfifo(plan)
    refused(lambda: folder.begin(PLAN, {}))
    with outcome_file.open("wb") as sparse:
        sparse.truncate(_MOST_BYTES + 1)
    refused(lambda: folder.outcomes(PLAN))


def test_links_are_not_written_through(folder: TrialFolder, tmp_path: Path) -> None:
    """Where a file is to be made and a link lies, what it leads to stays as it is."""
    target = tmp_path / "precious"
    target.write_text("precious")
    for name in ("lock", TRIAL_FILE, f"{TRIAL_FILE}.partial", f"launched/{JOB.key}.json.partial"):
        (folder.path / name).parent.mkdir(exist_ok=True)
        (folder.path / name).symlink_to(target)
    (folder.path / TRIAL_FILE).unlink()
    with folder.claimed():
        folder.begin(PLAN, {})
        folder.note_launch(JOB, "job-1")
    assert target.read_text() == "precious"
    assert not (folder.path / TRIAL_FILE).is_symlink()
    assert folder.launched(PLAN) == {JOB.key: "job-1"}


def test_words_where_a_number_was_looked_for() -> None:
    """A pattern of a user's own may find anything: only numbers count."""
    found = TrialMetric(
        name="f1", regex="f1=(.*)", better="higher", tolerance=0.1, is_share=False
    ).last_in(["f1=0.5", "f1=none", "f1=", "f2=0.7"])
    assert found == 0.5
    optional = TrialMetric(
        name="f1", regex="f1(=[0-9.]+)?", better="higher", tolerance=0.1, is_share=False
    )
    assert optional.last_in(["f1"]) is None
