"""A recorded job is described, logged and charted in the mocked account as a real one would be."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sift_toolkit import METRICS, SiftConfig, SiftUsageError
from sift_toolkit.metrics import KEPT_SHARE, NAME_PREFIX, VALIDATION_ACCURACY, read_series
from sift_toolkit.testing import FakeJob, MockedAws, record_job

JOB = FakeJob(SiftConfig(keep=0.5, scores="fresh", log_every=10))


def described(aws: MockedAws, name: str) -> dict[str, Any]:
    """What DescribeTrainingJob says."""
    return aws.boto_session.client("sagemaker").describe_training_job(TrainingJobName=name)


def logged(aws: MockedAws, name: str) -> list[str]:
    """The lines of a job's only log stream."""
    logs = aws.boto_session.client("logs")
    group = {"logGroupName": "/aws/sagemaker/TrainingJobs"}
    (stream,) = logs.describe_log_streams(**group, logStreamNamePrefix=f"{name}/")["logStreams"]
    events = logs.get_log_events(**group, logStreamName=stream["logStreamName"], startFromHead=True)
    return [event["message"] for event in events["events"]]


def charted(aws: MockedAws, name: str, metric: str) -> list[float]:
    """The values of a metric in CloudWatch, in order."""
    answer = aws.boto_session.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName=NAME_PREFIX + metric,
        Dimensions=[{"Name": "TrainingJobName", "Value": name}],
        StartTime=datetime.now(timezone.utc) - timedelta(days=1),
        EndTime=datetime.now(timezone.utc) + timedelta(days=1),
        Period=60,
        Statistics=["Maximum"],
    )
    points = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
    return [point["Maximum"] for point in points]


def test_a_finished_job(sift_aws: MockedAws) -> None:
    """Times, final metrics, definitions and log agree with one another and with the job."""
    record_job(sift_aws.boto_session, "sifted", JOB)
    facts = described(sift_aws, "sifted")
    assert facts["TrainingJobStatus"] == facts["SecondaryStatus"] == "Completed"
    seconds = facts["TrainingEndTime"] - facts["TrainingStartTime"]
    assert facts["TrainingTimeInSeconds"] == facts["BillableTimeInSeconds"]
    assert seconds.total_seconds() == facts["TrainingTimeInSeconds"] > JOB.training_seconds
    assert {entry["MetricName"]: entry["Value"] for entry in facts["FinalMetricDataList"]} == {
        NAME_PREFIX + metric.name: JOB.report().last(metric.name) for metric in METRICS
    }
    definitions = facts["AlgorithmSpecification"]["MetricDefinitions"]
    assert definitions == [metric.definition for metric in METRICS]
    assert SiftConfig.from_hyperparameters(facts["HyperParameters"]) == JOB.config
    assert logged(sift_aws, "sifted") == JOB.lines()
    assert charted(sift_aws, "sifted", KEPT_SHARE.name)[-1] == 0.5
    rising = read_series(JOB.lines())[VALIDATION_ACCURACY]
    assert charted(sift_aws, "sifted", VALIDATION_ACCURACY.name)[-1] == rising[-1]


def test_a_failed_spot_job(sift_aws: MockedAws) -> None:
    """It says why it failed, and is billed for less than it took."""
    record_job(
        sift_aws.boto_session,
        "spot",
        FakeJob(JOB.config, until=0.5),
        status="Failed",
        failure_reason="AlgorithmError: out of memory",
        spot=True,
        billable_seconds=7,
        instance_type="ml.p3.2xlarge",
        instance_count=2,
    )
    facts = described(sift_aws, "spot")
    assert facts["TrainingJobStatus"] == "Failed"
    assert facts["FailureReason"] == "AlgorithmError: out of memory"
    assert facts["EnableManagedSpotTraining"] is True
    assert facts["BillableTimeInSeconds"] == 7 < facts["TrainingTimeInSeconds"]
    assert facts["ResourceConfig"]["InstanceCount"] == 2


def test_a_running_job(sift_aws: MockedAws) -> None:
    """It has no end and no final metrics, but a log so far."""
    record_job(sift_aws.boto_session, "now", FakeJob(JOB.config, until=0.5), status="InProgress")
    facts = described(sift_aws, "now")
    assert facts["TrainingJobStatus"] == "InProgress"
    assert facts["SecondaryStatus"] == "Training"
    absent = {"TrainingEndTime", "BillableTimeInSeconds", "FinalMetricDataList", "FailureReason"}
    assert absent.isdisjoint(facts)
    assert "EndTime" not in facts["SecondaryStatusTransitions"][-1]
    assert logged(sift_aws, "now")


def test_without_log_and_charts(sift_aws: MockedAws) -> None:
    """What an account does not have is not there."""
    record_job(sift_aws.boto_session, "bare", JOB, logged=False, charted=False)
    assert charted(sift_aws, "bare", KEPT_SHARE.name) == []
    logs = sift_aws.boto_session.client("logs")
    assert logs.describe_log_groups()["logGroups"] == []


def test_no_such_status(sift_aws: MockedAws) -> None:
    """A status that no training job has is refused, and nothing recorded."""
    with pytest.raises(SiftUsageError, match="one of 'Completed', 'Failed', 'Stopped', 'InPro"):
        record_job(sift_aws.boto_session, "a", JOB, status="Done")  # type: ignore[arg-type]
    assert sift_aws.calls == []


def test_several_jobs(sift_aws: MockedAws) -> None:
    """Each job has its own log, long ones too."""
    long = FakeJob(SiftConfig(keep=0.5, log_every=1))
    assert len(long.lines()) > 500
    record_job(sift_aws.boto_session, "short", JOB)
    record_job(sift_aws.boto_session, "long", long)
    assert logged(sift_aws, "short") == JOB.lines()
    assert logged(sift_aws, "long") == long.lines()
