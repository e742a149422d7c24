"""What is known of a job, out of what DescribeTrainingJob answers."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sift_toolkit.client._job_facts import JobFacts, facts_from, has_ended
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.config import SiftConfig

START = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)
NOW = START + timedelta(hours=2)
SILENT = JobFigures(name="job")


def facts(**description: Any) -> JobFacts:
    """Return the facts of a description."""
    return facts_from(description, SILENT, now=NOW)


def test_a_finished_spot_job() -> None:
    """Every field is taken from where SageMaker tells it."""
    sent = SiftConfig(keep=0.5).to_hyperparameters()
    found = facts(
        TrainingJobStatus="Completed",
        SecondaryStatus="Completed",
        TrainingStartTime=START,
        TrainingEndTime=START + timedelta(seconds=600),
        TrainingTimeInSeconds=500,
        BillableTimeInSeconds=100,
        ResourceConfig={"InstanceType": "ml.g5.xlarge", "InstanceCount": 2},
        EnableManagedSpotTraining=True,
        HyperParameters={key: json.dumps(value) for key, value in sent.items()},
    )
    assert found == JobFacts(
        name="job",
        status="Completed",
        stage="Completed",
        elapsed_seconds=500.0,
        billable_seconds=100.0,
        instance_type="ml.g5.xlarge",
        instance_count=2,
        spot=True,
        config=SiftConfig(keep=0.5),
        hyperparameters_known=True,
        figures=SILENT,
    )
    assert found.machine_seconds == 200.0


def test_a_running_job_has_elapsed_until_now() -> None:
    """Of a job that runs the time so far is told, and nothing is said of its bill."""
    found = facts(TrainingJobStatus="InProgress", TrainingStartTime=START)
    assert (found.elapsed_seconds, found.billable_seconds) == (7200.0, None)
    assert found.machine_seconds is None
    assert not found.ended


def test_a_job_that_has_not_started_has_no_time() -> None:
    """A job that waits for its instances has not trained for 0 seconds: it has not trained."""
    assert facts(TrainingJobStatus="InProgress").elapsed_seconds is None


def test_a_job_that_ended_without_saying_when_does_not_run_still() -> None:
    """Where the end is not told the elapsed time is not known, rather than until now."""
    assert facts(TrainingJobStatus="Failed", TrainingStartTime=START).elapsed_seconds is None


def test_times_without_a_zone_are_local() -> None:
    """Local mode's description has naive times."""
    end = datetime(2026, 11, 22, 12, 0, 30)  # noqa: DTZ001 - as local mode gives it
    found = facts(TrainingStartTime=end - timedelta(seconds=30), TrainingEndTime=end)
    assert found.elapsed_seconds == 30.0


@pytest.mark.parametrize(
    ("groups", "known"),
    [
        ([("ml.g5.xlarge", 1), ("ml.g5.xlarge", 2)], ("ml.g5.xlarge", 3)),
        ([("ml.g5.xlarge", 1), ("ml.m5.large", 2)], (None, 3)),
    ],
)
def test_instance_groups(
    groups: list[tuple[str, int]], known: tuple[str | None, int | None]
) -> None:
    """Groups are counted together, and have a type where it is the same in all."""
    config = [{"InstanceType": kind, "InstanceCount": count} for kind, count in groups]
    found = facts(ResourceConfig={"InstanceGroups": config})
    assert (found.instance_type, found.instance_count) == known


def test_a_config_that_cannot_be_read_is_said() -> None:
    """A job launched by a newer toolkit is described all the same, with a note."""
    found = facts(HyperParameters={"sagemaker_sift_version": "99", "sagemaker_sift_keep": "0.5"})
    assert found.config is None
    assert not found.hyperparameters_known
    assert found.sifting_off is None
    assert "its sift config cannot be read" in found.notes[0]
    assert "newer sift_toolkit" in found.notes[0]


@pytest.mark.parametrize(
    ("config", "known", "kept", "off"),
    [
        (SiftConfig(keep=0.5), True, None, False),
        (SiftConfig(keep=0.5, enabled=False), True, None, True),
        (SiftConfig(keep=1.0), True, None, True),
        (None, True, None, True),
        (None, False, None, None),
        (None, False, 1.0, True),
        (None, False, 0.99, False),
        (SiftConfig(keep=0.5), True, 1.0, False),
    ],
)
def test_whether_sifting_is_off(
    config: SiftConfig | None, known: bool, kept: float | None, off: bool | None
) -> None:
    """The config tells; without one the hyperparameters; without those what was kept."""
    figures = JobFigures(name="job", kept_share=kept)
    found = JobFacts(name="job", config=config, hyperparameters_known=known, figures=figures)
    assert found.sifting_off is off


@pytest.mark.parametrize(
    ("status", "over"),
    [
        ("Completed", True),
        ("Failed", True),
        ("Stopped", True),
        ("InProgress", False),
        ("Stopping", False),
        (None, False),
    ],
)
def test_which_jobs_have_ended(status: str | None, over: bool) -> None:
    """A job that is stopping has not stopped."""
    assert has_ended(status) is over
