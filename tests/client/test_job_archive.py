"""A job's report out of its output archive in S3: read as it comes, and never a reason to fail."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import pytest

from sift_toolkit import SiftConfig
from sift_toolkit.client import JobFacts
from sift_toolkit.client._job_archive import output_address
from sift_toolkit.client._job_source import JobSources
from sift_toolkit.report import REPORT_FILE
from sift_toolkit.testing import FakeJob, MockedAws, record_job

Look = Callable[[bytes | None], JobFacts]

JOB = FakeJob(SiftConfig(keep=0.5))
BUCKET, KEY = "sift-tests", "job/output/output.tar.gz"


def archive(*files: tuple[str, bytes]) -> bytes:
    """Return an archive as SageMaker makes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def facts(sift_aws: MockedAws) -> Look:
    """Look up the job after its output data was put into S3; None: there is none."""
    record_job(sift_aws.boto_session, "job", JOB)

    def look(content: bytes | None) -> JobFacts:
        if content is not None:
            sift_aws.boto_session.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=content)
        return JobSources(sift_aws.boto_session, with_reports=True).facts("job")

    return look


@pytest.mark.parametrize("folder", ["", "data/", "./data/"])
def test_the_report_is_read(facts: Look, folder: str) -> None:
    """It is found by its name, whatever the folder and whatever stands before it."""
    report = JOB.report()
    content = archive(("a.png", b"x" * 5000), (folder + REPORT_FILE, report.to_json().encode()))
    found = facts(content)
    assert found.history == report
    assert found.notes == ()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "does not exist"),
        (b"no archive", "could not be read"),
        (archive(("data/other.json", b"{}")), f"there is no {REPORT_FILE} in it"),
        (archive((REPORT_FILE, b"{}")), "is not a sift report"),
        (archive((REPORT_FILE, JOB.report().to_json().encode()))[:-40], "could not be read"),
    ],
)
def test_what_cannot_be_read_is_a_note(facts: Look, content: bytes | None, problem: str) -> None:
    """The page goes without it, with what the metrics tell, and says why."""
    found = facts(content)
    assert problem in " ".join(found.notes)
    assert found.history is not None
    assert found.history.series("kept_share")


def test_only_who_asks_for_it_gets_it(facts: Look, sift_aws: MockedAws) -> None:
    """A comparison needs no report, and fetches none."""
    facts(archive((REPORT_FILE, JOB.report().to_json().encode())))
    history = JobSources(sift_aws.boto_session).facts("job").history
    assert history is not None
    assert history != JOB.report()
    assert history.series("kept_share")


def test_a_job_that_runs_has_none_yet(sift_aws: MockedAws) -> None:
    """Output data comes with the end of a job."""
    record_job(sift_aws.boto_session, "runs", JOB, status="InProgress")
    found = JobSources(sift_aws.boto_session, with_reports=True).facts("runs")
    assert any("when it has ended" in note for note in found.notes)


def test_where_it_is() -> None:
    """Under the output path and the job's name; nowhere where the output is not in S3."""
    output = {"S3OutputPath": "s3://bucket/models/"}
    described = {"TrainingJobName": "job", "OutputDataConfig": output}
    assert output_address(described) == ("bucket", "models/job/output/output.tar.gz")
    output["S3OutputPath"] = "file:///tmp/models"
    assert output_address(described) is None
