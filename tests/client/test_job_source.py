"""What somebody calls a job, and what it is found to be."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sift_toolkit.client._host_job import HostJob
from sift_toolkit.client._job_facts import JobFacts
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.client._job_source import AwsJob, JobSources
from sift_toolkit.config import SiftConfig
from sift_toolkit.contract import JobResult, JobTree
from sift_toolkit.errors import SiftJobError, SiftStateError, SiftUsageError
from sift_toolkit.testing import FakeJob, MockedAws

FAKE = FakeJob(SiftConfig(keep=0.5), epochs=2, rows=2000)
NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


@pytest.fixture
def sources(aws: MockedAws) -> JobSources:
    """Jobs are looked up in the mocked account, at noon."""
    return JobSources(aws.boto_session, now=lambda: NOON)


@pytest.fixture
def host_job(tmp_path: Path) -> HostJob:
    """A job that ran on this machine for 12 s."""
    sent = SiftConfig(keep=0.5).to_hyperparameters()
    request = {
        "TrainingJobName": "here",
        "HyperParameters": {key: str(value) for key, value in sent.items()},
        "AlgorithmSpecification": {},
        "OutputDataConfig": {"S3OutputPath": ""},
        "ResourceConfig": {"InstanceType": "local", "InstanceCount": 1},
    }
    tree = JobTree(tmp_path / "here")
    tree.log_file.parent.mkdir(parents=True)
    tree.log_file.write_text("\n".join(FAKE.lines()) + "\n")
    job = HostJob(request, tree, "arn")
    job.result = JobResult(
        tree=tree, exit_code=0, failure=None, started=NOON - timedelta(hours=1), seconds=11.5
    )
    return job


def test_facts_and_figures_are_taken_as_they_are(sources: JobSources) -> None:
    """What is known already is not asked for again."""
    figures = JobFigures(name="job", job_seconds=3.0)
    facts = JobFacts(name="job", figures=figures)
    assert sources.facts(facts) is facts
    found = sources.facts(figures)
    assert (found.name, found.elapsed_seconds, found.figures) == ("job", 3.0, figures)


@pytest.mark.parametrize("as_text", [True, False])
def test_a_report(as_text: bool, sources: JobSources, tmp_path: Path) -> None:
    """A sift_report.json tells the config and all figures, no status and no time."""
    path = tmp_path / "sift_report.json"
    FAKE.report().write(path)
    facts = sources.facts(str(path) if as_text else path)
    assert facts.config == SiftConfig(keep=0.5)
    assert facts.figures == JobFigures.from_lines(FAKE.lines(), name=str(path))
    assert (facts.status, facts.elapsed_seconds, facts.source) == (None, None, "report")


def test_a_log_file(sources: JobSources, tmp_path: Path) -> None:
    """A log tells all figures, under any prefix and between bytes that are no text."""
    path = tmp_path / "job.log"
    lines = [f"algo-1 | {line}\n".encode() for line in FAKE.lines()]
    path.write_bytes(b"\xff\xfe\n" + b"".join(lines))
    facts = sources.facts(path)
    assert facts.figures == JobFigures.from_lines(FAKE.lines(), name=str(path))
    assert (facts.config, facts.hyperparameters_known, facts.source) == (None, False, "log")


def test_a_report_whose_config_is_newer(sources: JobSources, tmp_path: Path) -> None:
    """A report of a newer toolkit's job is read for its figures, with a note about its config."""
    report = FAKE.report()
    report.config = {"sagemaker_sift_version": 99}
    report.write(tmp_path / "sift_report.json")
    facts = sources.facts(tmp_path / "sift_report.json")
    assert facts.config is None
    assert "its sift config cannot be read" in facts.notes[0]
    assert facts.figures.kept_share is not None


def test_a_json_file_that_is_no_report(sources: JobSources, tmp_path: Path) -> None:
    """Any other JSON is refused rather than read as a log without metrics."""
    path = tmp_path / "other.json"
    path.write_text("{}")
    with pytest.raises(SiftStateError, match="is not a sift report"):
        sources.facts(path)


def test_a_name_is_asked_of_the_given_session(sources: JobSources) -> None:
    """A job's name is no path; jobs of one session share its clients."""
    first, second = sources.find("job-1"), sources.find("job-2")
    assert isinstance(first, AwsJob)
    assert isinstance(second, AwsJob)
    assert (first.name, second.name) == ("job-1", "job-2")
    assert first.access is second.access


def test_a_file_named_as_a_job_might_be(
    sources: JobSources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is there is meant, also where a job could have its name."""
    monkeypatch.chdir(tmp_path)
    Path("train").write_text("\n".join(FAKE.lines()))
    assert sources.facts("train").source == "log"


@pytest.mark.parametrize("job", ["no/such/file", "a_b", "report.json", Path("job-1"), "-x", ""])
def test_neither_file_nor_name(job: str | Path, sources: JobSources) -> None:
    """What is no file and cannot be a name is refused, with what a job may be."""
    with pytest.raises(SiftUsageError, match=r"neither a file nor the name .* a job is a name"):
        sources.find(job)


@pytest.mark.parametrize(
    "latest",
    [
        {"latest_training_job": SimpleNamespace(name="job-1")},
        {"_latest_training_job": SimpleNamespace(training_job_name="job-1")},
        {"training_job_name": "job-1"},
    ],
)
def test_an_estimator_a_trainer_a_job_of_the_sdk(latest: dict[str, Any], aws: MockedAws) -> None:
    """Both SDKs' launchers are asked for their last job, through their own session."""
    given = SimpleNamespace(**latest, sagemaker_session=aws.boto_session)
    found = JobSources(lambda: pytest.fail("not this session")).find(given)
    assert isinstance(found, AwsJob)
    assert found.name == "job-1"


def test_a_trainer_that_made_its_session_later(sources: JobSources) -> None:
    """A trainer without a session of its own is looked up in the given one."""
    latest = SimpleNamespace(training_job_name="job-1")
    found = sources.find(SimpleNamespace(_latest_training_job=latest, sagemaker_session=None))
    assert isinstance(found, AwsJob)


@pytest.mark.parametrize("attribute", ["latest_training_job", "_latest_training_job"])
def test_nothing_was_started_yet(attribute: str, sources: JobSources) -> None:
    """An estimator before its fit() has no job."""
    with pytest.raises(SiftUsageError, match="has started no job yet"):
        sources.find(SimpleNamespace(**{attribute: None}))


@pytest.mark.parametrize("job", [3, None, {"name": "x"}, SimpleNamespace(name=3)])
def test_what_is_no_job(job: object, sources: JobSources) -> None:
    """Anything else is refused, with what a job may be."""
    with pytest.raises(SiftUsageError, match="is no training job; a job is a name, an estimator"):
        sources.find(job)


def test_a_job_of_this_machine(host_job: HostJob, sources: JobSources) -> None:
    """A HostJob tells status, config and figures without AWS."""
    facts = sources.facts(host_job)
    assert facts.status == "Completed"
    assert (facts.elapsed_seconds, facts.billable_seconds) == (12.0, 12.0)
    assert (facts.instance_type, facts.instance_count) == ("local", 1)
    assert facts.config == SiftConfig(keep=0.5)
    assert facts.figures == JobFigures.from_lines(FAKE.lines(), name="here", seconds=11.5)


def test_a_host_session_knows_its_jobs_by_name(host_job: HostJob) -> None:
    """By name, or by the estimator that launched it, a job of a HostSession is found there."""
    session = SimpleNamespace(
        has_job=lambda name: name == "here", job=lambda _: host_job, boto_session=None
    )
    latest = SimpleNamespace(name="here")
    estimator = SimpleNamespace(latest_training_job=latest, sagemaker_session=session)
    assert JobSources(session).find("here") is host_job
    assert JobSources().find(estimator) is host_job


def test_aws_is_asked_for_facts(sources: JobSources) -> None:
    """A name that AWS does not know is an error when its facts are asked for."""
    with pytest.raises(SiftJobError, match="'job-1' could not be looked up"):
        sources.facts("job-1")


def test_a_folder_that_is_misspelt(
    sources: JobSources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What looks like a job's name is taken for one, and what may have been meant is offered."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sifted").mkdir()
    words = r"^nothing here is called 'sifte' \(did you mean 'sifted'\?\), and as a job in AWS: "
    with pytest.raises(SiftJobError, match=words):
        sources.facts("sifte")


@pytest.mark.parametrize(
    ("called", "error"), [("jobs", SiftJobError), ("./jobs/", SiftUsageError)], ids=["jobs", "path"]
)
def test_a_folder_of_jobs(
    sources: JobSources,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    called: str,
    error: type[Exception],
) -> None:
    """It is no job, and its jobs are named."""
    monkeypatch.chdir(tmp_path)
    for name in ("b", "a"):
        (tmp_path / "jobs" / name).mkdir(parents=True)
        JobTree(tmp_path / "jobs" / name).log_file.touch()
    words = "but a folder, and no job's; jobs in it: jobs/a; jobs/b"
    with pytest.raises(error, match=words):
        sources.facts(called)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SiftJobError, match="called 'empty' but a folder, and no job's, and as"):
        sources.facts("empty")
