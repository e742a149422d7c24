"""Trials of an estimator: in a mocked account, and by a HostSession."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sift_toolkit import HostSession, SiftConfig, sift_estimator, trial
from sift_toolkit.client import TrialResult
from sift_toolkit.errors import SiftJobError, SiftRequestError
from sift_toolkit.metrics import METRICS
from sift_toolkit.testing import FakeJob

HALF = {"half": SiftConfig(keep=0.5)}
CREATE = "before-call.sagemaker.CreateTrainingJob"
DESCRIBE = "before-call.sagemaker.DescribeTrainingJob"
DESCRIBED = "after-call.sagemaker.DescribeTrainingJob"
NO_ROOM = {"Error": {"Code": "ResourceLimitExceeded", "Message": "is 2 Instances"}}


def silent(line: str) -> None:
    """Say nothing."""


@pytest.fixture
def run(job_arguments: dict[str, Any], tmp_path: Path) -> Callable[..., TrialResult]:
    """Run a trial of an estimator in the mocked account."""

    def call(**changes: Any) -> TrialResult:
        given: dict[str, Any] = {
            "seeds": 2,
            "arms": HALF,
            "output": tmp_path / "trial",
            "poll_seconds": 0.001,
            "say": silent,
            **changes,
        }
        estimator = sift_estimator(
            SiftConfig(keep=0.9), **job_arguments, hyperparameters={"epochs": 4, "lr": 0.1}
        )
        return trial(estimator, **given)

    return call


@pytest.fixture
def endings(on: Any) -> dict[str, tuple[str, int]]:
    """By a word in a job's name how it ends, and after how many looks: else well, and at once."""
    planned: dict[str, tuple[str, int]] = {}
    looks: dict[str, int] = {}

    def describe(parsed: dict[str, Any], **_: Any) -> None:
        if "TrainingJobName" not in parsed:
            return
        name = parsed["TrainingJobName"]
        looks[name] = looks.get(name, 0) + 1
        found = (end for word, end in planned.items() if word in name)
        status, at_least = next(found, ("Completed", 0))
        if looks[name] <= at_least:
            parsed["TrainingJobStatus"] = "InProgress"
            return
        parsed["TrainingJobStatus"] = status
        if status == "Completed":
            parsed["FinalMetricDataList"] = _finals(parsed["HyperParameters"])
        else:
            parsed["FailureReason"] = "AlgorithmError: boom"

    on(DESCRIBED, describe)
    return planned


def _finals(hyperparameters: dict[str, str]) -> list[dict[str, Any]]:
    config = SiftConfig.from_hyperparameters(hyperparameters)
    assert config is not None
    epochs, seed = int(hyperparameters["epochs"]), int(hyperparameters["seed"])
    assert config.seed == seed
    better = 0.02 if config.sifts or epochs == 4 else 0
    report = FakeJob(config, epochs=epochs, accuracy=0.9 + better + 0.001 * seed).report()
    now = datetime.now(timezone.utc)
    return [
        {"MetricName": metric.definition["Name"], "Value": value, "Timestamp": now}
        for metric in METRICS
        if (value := report.last(metric.name)) is not None
    ]


def test_jobs_on_sagemaker(aws: Any, run: Callable[..., TrialResult], endings: Any) -> None:
    """Each has its arm's config, epochs and seed, a name that tells them, and all else alike."""
    result = run(inputs="s3://sift-tests/data", max_parallel=2)
    requests = aws.requests()
    assert len(requests) == 6
    told = {
        (
            SiftConfig.from_hyperparameters(each["HyperParameters"]),
            each["HyperParameters"]["epochs"],
            each["HyperParameters"]["seed"],
        )
        for each in requests
    }
    plain, half = SiftConfig(keep=1.0, enabled=False), HALF["half"]
    assert {(config.sifts if config else None, epochs) for config, epochs, _ in told} == {
        (False, "4"),
        (False, "2"),
        (True, "4"),
    }
    assert SiftConfig(keep=0.5, seed=1) in {config for config, _, _ in told}
    assert plain in {config for config, _, _ in told}
    assert half in {config for config, _, _ in told}
    assert {each["HyperParameters"]["lr"] for each in requests} == {"0.1"}
    assert sum("-half-s1-20" in each["TrainingJobName"] for each in requests) == 1
    assert result.verdict.kind == "sift"
    assert result.rows[0].seeds == (0, 1)


def test_so_many_at_a_time(aws: Any, run: Callable[..., TrialResult], endings: Any) -> None:
    """One job is launched when the one before has ended, unless more may run."""
    endings["-s"] = ("Completed", 2)
    run()
    names = {"CreateTrainingJob": "c", "DescribeTrainingJob": "d"}
    steps = "".join(names.get(name, "") for name, _ in aws.calls)
    assert steps == "cddd" * 6


def test_resumed_while_a_job_runs(
    aws: Any, run: Callable[..., TrialResult], endings: Any, on: Any
) -> None:
    """Interrupted while it waits, a trial finds the running job, and launches no twin of it."""
    endings["-half-s0-"] = ("Completed", 3)
    looks = []

    def interrupt(**_: Any) -> None:
        looks.append(1)
        if len(looks) == 4:
            raise KeyboardInterrupt

    on(DESCRIBE, interrupt)
    with pytest.raises(KeyboardInterrupt):
        run()
    launched = [each["TrainingJobName"] for each in aws.requests()]
    assert len(launched) == 3
    said: list[str] = []
    result = run(say=said.append)
    names = [each["TrainingJobName"] for each in aws.requests()]
    assert names[:3] == launched
    assert len(names) == len(set(names)) == 6
    assert any("was launched before, and is waited for" in line for line in said)
    assert len(result.outcomes) == 6


def test_resumed_before_a_job_was_launched(
    aws: Any, run: Callable[..., TrialResult], endings: Any, on: Any
) -> None:
    """A name that was written down, of a job that AWS does not know, is launched under it."""
    created = []

    def interrupt(**_: Any) -> None:
        created.append(1)
        if len(created) == 2:
            raise KeyboardInterrupt

    on(CREATE, interrupt)
    with pytest.raises(KeyboardInterrupt):
        run()
    refused = aws.requests()[-1]["TrainingJobName"]
    assert len(run().outcomes) == 6
    names = [each["TrainingJobName"] for each in aws.requests()]
    assert names.count(refused) == 2
    assert len(set(names)) == 6


def test_a_job_that_fails(run: Callable[..., TrialResult], endings: Any) -> None:
    """Its arm goes no further, and the reason is AWS's own; one that was stopped counts as such."""
    endings["-half-s0-"] = ("Failed", 1)
    result = run()
    assert result.rows[-1].failure == "it failed: AlgorithmError: boom"
    assert result.verdict.kind == "full"
    endings["-half-s0-"] = ("Stopped", 0)
    assert str(run().rows[-1].failure).startswith("it was stopped")


def test_a_job_that_aws_does_not_take(run: Callable[..., TrialResult], on: Any) -> None:
    """It is said as by fit(), and the trial can be started again."""

    def refuse(**_: Any) -> None:
        raise ClientError(NO_ROOM, "CreateTrainingJob")

    on(CREATE, refuse)
    with pytest.raises(SiftJobError, match="Service Quotas"):
        run()


@pytest.mark.parametrize(
    ("job", "changes", "problem"),
    [
        ("object", {}, "what sift_estimator or sift_model_trainer ret"),
        ("function", {}, "returned no sift estimator for plain"),
        ("estimator", {"launcher": "train"}, "launcher: these are for a script"),
        ("estimator", {"environment": {}, "source_dir": "."}, "source_dir, environment: these"),
    ],
)
def test_what_is_refused(
    tmp_path: Path, job: str, changes: dict[str, Any], problem: str, job_arguments: dict[str, Any]
) -> None:
    """What launches nothing, and arguments that belong to a script."""
    jobs = {
        "object": object(),
        "function": lambda config: None,
        "estimator": sift_estimator(SiftConfig(keep=0.5), **job_arguments),
    }
    with pytest.raises(SiftRequestError, match=problem):
        trial(jobs[job], epochs=4, arms=HALF, output=tmp_path / "trial", say=silent, **changes)
    assert not (tmp_path / "trial").exists()


def test_a_host_session(tmp_path: Path) -> None:
    """Jobs run here, one after the other; a failure is no end of the trial, Ctrl-C is one."""
    source, marks = tmp_path / "src", tmp_path / "marks"
    source.mkdir()
    marks.mkdir()
    (marks / "fail-proportional-4-0").touch()
    shutil.copy(Path(__file__).with_name("trial_script.py"), source / "train.py")

    def interrupt(line: str) -> None:
        if "kept_share" in line:
            raise KeyboardInterrupt

    def estimator(on_line: Callable[[str], None] = silent) -> Any:
        return sift_estimator(
            SiftConfig(keep=0.9),
            entry_point="train.py",
            source_dir=source,
            launcher="run",
            role="any",
            sagemaker_session=HostSession(tmp_path / "jobs", on_line=on_line),
        )

    arguments: dict[str, Any] = {
        "epochs": 4,
        "seeds": 2,
        "arms": HALF,
        "inputs": {"marks": marks.as_uri()},
        "output": tmp_path / "trial",
        "poll_seconds": 0.001,
        "say": silent,
    }
    with pytest.raises(KeyboardInterrupt):
        trial(estimator(interrupt), budget=2.4, **arguments)
    assert (marks / "started").read_text().split() == ["plain-4-0"]
    result = trial(estimator(), budget=2.4, **arguments)
    assert "proportional-4-0 is not to be" in str(result.rows[-1].failure)
    assert len((marks / "started").read_text().split()) == 4
    (marks / "fail-proportional-4-0").unlink()
    plan = json.loads((tmp_path / "trial" / "sift_trial.json").read_text())
    assert plan["subject"]["place"] == "jobs"
    mended = trial(estimator(), budget=2.4, **arguments)
    assert mended.rows[-1].failure is None
    # Only the one that failed is run again.
    assert len((marks / "started").read_text().split()) == 5
