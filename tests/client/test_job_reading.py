"""A job that AWS knows: which calls find out what, and what is said where one is not allowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from sift_toolkit.client._aws_access import AwsAccess
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.client._job_reading import read_aws_job
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftJobError
from sift_toolkit.testing import FakeJob, MockedAws, record_job

SIFTED = FakeJob(SiftConfig(keep=0.5), epochs=3, rows=4000, accuracy=0.9)
DENIED = {"service_error_code": "AccessDeniedException", "service_message": "no, not you"}


def now() -> datetime:
    """Return the time."""
    return datetime.now(timezone.utc)


def refused(service: str) -> Iterator[Stubber]:
    """Yield a client of *service* whose answers are written by hand."""
    client = boto3.client(
        service, region_name="us-west-2", aws_access_key_id="a", aws_secret_access_key="b"
    )
    with Stubber(client) as stub:
        yield stub


@pytest.fixture
def cloudwatch() -> Iterator[Stubber]:
    """CloudWatch with answers of the test's own."""
    yield from refused("cloudwatch")


@pytest.fixture
def logs() -> Iterator[Stubber]:
    """CloudWatch Logs with answers of the test's own."""
    yield from refused("logs")


@dataclass
class Access:
    """Clients put together by hand."""

    sagemaker: Any
    cloudwatch: Any
    logs: Any
    place: str = "region us-west-2"
    is_local: bool = False


def test_a_charted_job_takes_two_calls(aws: MockedAws) -> None:
    """The charts are enough: the log is not asked for; last values are those named as final."""
    record_job(aws.boto_session, "charted", SIFTED, logged=False)
    aws.calls.clear()
    facts = read_aws_job("charted", AwsAccess(aws.boto_session), now())
    expected = JobFigures.from_lines(SIFTED.lines(), name="charted")
    assert [name for name, _ in aws.calls] == ["DescribeTrainingJob", "GetMetricData"]
    assert facts.source == "CloudWatch"
    assert facts.notes == ()
    for field in ("kept_share", "load_seconds", "score_seconds", "train_seconds", "counted_cost"):
        assert getattr(facts.figures, field) == getattr(expected, field)
    assert facts.figures.validation_accuracy == expected.validation_accuracy == 0.9
    assert facts.figures.job_seconds == facts.elapsed_seconds
    assert facts.config == SiftConfig(keep=0.5)


def test_the_charts_of_a_running_job(aws: MockedAws) -> None:
    """A running job has no final values: the last of its charts stand, totals exact."""
    half = FakeJob(SiftConfig(keep=0.5), epochs=2, rows=4000, until=0.5)
    record_job(aws.boto_session, "charted-half", half, status="InProgress")
    facts = read_aws_job("charted-half", AwsAccess(aws.boto_session), now())
    expected = JobFigures.from_lines(half.lines(), name="charted-half")
    assert facts.status == "InProgress"
    assert facts.figures.train_seconds == expected.train_seconds
    assert facts.figures.progress == expected.progress == 0.5
    assert facts.billable_seconds is None


def test_a_job_without_charts_is_read_from_its_log(aws: MockedAws) -> None:
    """Where CloudWatch has none of our metrics the log streams are read, and give all exactly."""
    record_job(aws.boto_session, "logged", SIFTED, charted=False)
    aws.calls.clear()
    facts = read_aws_job("logged", AwsAccess(aws.boto_session), now())
    seconds = facts.elapsed_seconds
    assert facts.figures == JobFigures.from_lines(SIFTED.lines(), name="logged", seconds=seconds)
    assert facts.source == "log"
    assert [name for name, _ in aws.calls] == [
        "DescribeTrainingJob",
        "GetMetricData",
        "DescribeLogStreams",
        "GetLogEvents",
        "GetLogEvents",
    ]


def test_another_host_is_read_where_the_first_is_silent(aws: MockedAws) -> None:
    """The figures are those of the first host that reports any."""
    record_job(aws.boto_session, "hosts", SIFTED, charted=False)
    logs = aws.boto_session.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="hosts/")[
        "logStreams"
    ]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])
    logs.delete_log_stream(logGroupName=group, logStreamName=stream["logStreamName"])
    for host, said in (("algo-1-5", ["hello"]), ("algo-2-5", SIFTED.lines()), ("algo-3-5", [])):
        logs.create_log_stream(logGroupName=group, logStreamName=f"hosts/{host}")
        moment = events["events"][0]["timestamp"]
        if said:
            logs.put_log_events(
                logGroupName=group,
                logStreamName=f"hosts/{host}",
                logEvents=[{"timestamp": moment, "message": text} for text in said],
            )
    facts = read_aws_job("hosts", AwsAccess(aws.boto_session), now())
    assert facts.figures.validation_accuracy == 0.9


def test_a_job_that_reported_nothing(aws: MockedAws) -> None:
    """Neither charts nor log: the facts are those of the description alone."""
    record_job(aws.boto_session, "silent", SIFTED, logged=False, charted=False)
    kept = _backend_job(aws, "silent")
    kept.final_metric_data_list = None
    facts = read_aws_job("silent", AwsAccess(aws.boto_session), now())
    assert facts.figures == JobFigures(name="silent", job_seconds=facts.elapsed_seconds)
    assert facts.source is None


def test_a_job_that_waits_for_its_instances(aws: MockedAws) -> None:
    """Before a job has started there is nothing to read, and nothing is asked for."""
    record_job(aws.boto_session, "waiting", SIFTED, status="InProgress")
    kept = _backend_job(aws, "waiting")
    kept.training_start_time = None
    aws.calls.clear()
    facts = read_aws_job("waiting", AwsAccess(aws.boto_session), now())
    assert [name for name, _ in aws.calls] == ["DescribeTrainingJob"]
    assert (facts.elapsed_seconds, facts.source) == (None, None)


def test_without_leave_for_metrics_the_log_is_read(aws: MockedAws, cloudwatch: Stubber) -> None:
    """Whoever may not read metrics but logs gets all figures."""
    record_job(aws.boto_session, "no-metrics", SIFTED)
    cloudwatch.add_client_error("get_metric_data", **DENIED)
    access: Any = Access(
        aws.boto_session.client("sagemaker"), cloudwatch.client, aws.boto_session.client("logs")
    )
    facts = read_aws_job("no-metrics", access, now())
    assert (facts.source, facts.notes) == ("log", ())
    assert facts.figures.validation_accuracy == 0.9


def test_without_leave_for_either_that_is_said(
    aws: MockedAws, cloudwatch: Stubber, logs: Stubber
) -> None:
    """What SageMaker itself names as final is told, and why there is no more."""
    record_job(aws.boto_session, "no-reading", SIFTED)
    cloudwatch.add_client_error("get_metric_data", **DENIED)
    logs.add_client_error("describe_log_streams", **DENIED)
    access: Any = Access(aws.boto_session.client("sagemaker"), cloudwatch.client, logs.client)
    facts = read_aws_job("no-reading", access, now())
    assert facts.figures.validation_accuracy == 0.9
    assert facts.figures.curve == ()
    assert len(facts.notes) == 2
    assert facts.notes[0].startswith(
        "the metrics in CloudWatch could not be read: you, or the role"
    )
    assert "no, not you (AccessDeniedException from GetMetricData)" in facts.notes[0]
    assert facts.notes[1].startswith("the log could not be read: ")


def test_other_errors_are_one_sentence(aws: MockedAws, cloudwatch: Stubber) -> None:
    """A reading that failed is not taken for a job that reported nothing."""
    record_job(aws.boto_session, "throttled", SIFTED)
    cloudwatch.add_client_error("get_metric_data", "ThrottlingException", "Rate exceeded")
    access: Any = Access(aws.boto_session.client("sagemaker"), cloudwatch.client, None)
    with pytest.raises(SiftJobError, match=r"'throttled' could not be looked up .* throttled"):
        read_aws_job("throttled", access, now())


def test_an_unknown_job_is_named(aws: MockedAws) -> None:
    """The message names the job and the region that it was looked for in."""
    with pytest.raises(SiftJobError, match="'nobody' could not be looked up in region us-west-2"):
        read_aws_job("nobody", AwsAccess(aws.boto_session), now())


def test_local_mode_keeps_no_log(aws: MockedAws) -> None:
    """Of a job in Docker on this machine AWS is not asked for metrics."""
    record_job(aws.boto_session, "docker", SIFTED)
    access: Any = Access(aws.boto_session.client("sagemaker"), None, None, is_local=True)
    facts = read_aws_job("docker", access, now())
    assert facts.status == "Completed"
    assert facts.notes == ("local mode keeps no log: give the file its output went to",)


def _backend_job(aws: MockedAws, name: str) -> Any:
    """Return moto's own object of a job."""
    from moto.sagemaker.models import sagemaker_backends

    return sagemaker_backends["123456789012"][aws.region].training_jobs[name]
