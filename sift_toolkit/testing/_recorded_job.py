"""A job that never ran, put into a mocked account: described, logged and charted as if it had."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, get_args

from sift_toolkit.errors import SiftUsageError
from sift_toolkit.metrics import METRICS, NAME_PREFIX

if TYPE_CHECKING:
    from sift_toolkit.report import Observation
    from sift_toolkit.testing._fake_job import FakeJob

Item = TypeVar("Item")
Status = Literal["Completed", "Failed", "Stopped", "InProgress"]

LOG_GROUP: Final = "/aws/sagemaker/TrainingJobs"
"""Of every training job's log streams."""
METRIC_NAMESPACE: Final = "/aws/sagemaker/TrainingJobs"
"""Of every training job's metrics in CloudWatch."""

_START_SECONDS: Final = 60
"""From the start of the instance to the first line of the job."""
_BUCKET: Final = "s3://sift-tests"
_ROLE: Final = "arn:aws:iam::123456789012:role/sift-tests"
_IMAGE: Final = "123456789012.dkr.ecr.us-west-2.amazonaws.com/sift-tests:1"
_AT_ONCE: Final = 500
"""Values or lines that are sent with one call."""


def record_job(
    boto_session: Any,
    name: str,
    job: FakeJob,
    *,
    status: Status = "Completed",
    failure_reason: str | None = None,
    instance_type: str = "ml.g5.xlarge",
    instance_count: int = 1,
    spot: bool = False,
    billable_seconds: int | None = None,
    started: datetime | None = None,
    logged: bool = True,
    charted: bool = True,
) -> None:
    """Put a job into a mocked account, so that `compare`, `watch` and the like can read it there.

    Args:
        boto_session: A boto3 session under moto's `mock_aws`, such as that of `MockedAws`.
        name: The training job's name.
        job: What it printed and reported.
        status: How it ended, or that it has not.
        failure_reason: Why it failed.
        instance_type: What it ran on.
        instance_count: On how many of them.
        spot: Whether on spot instances.
        billable_seconds: Default: all seconds that it had its instances.
        started: When its instances started, with a time zone; CloudWatch Logs takes no lines that
            are over two weeks old. Default: so that it has just ended.
        logged: Whether CloudWatch Logs has its log.
        charted: Whether CloudWatch has its metrics.

    Raises:
        SiftUsageError: *boto_session* is not mocked: no real job is made by this function; or
            *status* is none of a training job.
    """
    _require_moto()
    if status not in get_args(Status):
        names = ", ".join(map(repr, get_args(Status)))
        msg = f"status must be one of {names}, got {status!r}"
        raise SiftUsageError(msg)
    seconds = _START_SECONDS + math.ceil(job.training_seconds)
    start = started or datetime.now(timezone.utc) - timedelta(seconds=seconds)
    end = start + timedelta(seconds=seconds)
    boto_session.client("sagemaker").create_training_job(
        **_request(name, job, instance_type, instance_count, spot=spot)
    )
    described = _described(boto_session, name)
    has_ended = status != "InProgress"
    described.update(
        training_job_status=status,
        secondary_status="Training" if status == "InProgress" else status,
        secondary_status_transitions=_transitions(status, start, end),
        creation_time=start,
        training_start_time=start,
        last_modified_time=end,
        training_end_time=end if has_ended else None,
        training_time_in_seconds=seconds if has_ended else None,
        billable_time_in_seconds=(billable_seconds or seconds) if has_ended else None,
        failure_reason=failure_reason,
        final_metric_data_list=_final_metrics(job, end) if has_ended else None,
    )
    described["algorithm_specification"]["MetricDefinitions"] = [
        metric.definition for metric in METRICS
    ]
    if logged:
        _write_log(boto_session, name, _spread(job.lines(), start, end), start)
    if charted:
        _write_charts(boto_session, name, _spread(job.observations(), start, end))


def _require_moto() -> None:
    try:
        stubber = importlib.import_module("moto.core.models").botocore_stubber
    except ModuleNotFoundError as error:
        msg = "record_job needs moto: pip install 'sift_toolkit[testing]'"
        raise SiftUsageError(msg) from error
    if not stubber.enabled:
        msg = (
            "record_job makes jobs in a mocked account only: call it inside of mocked_aws(), of "
            "the fixture sift_aws, or of moto's mock_aws()"
        )
        raise SiftUsageError(msg)


def _request(
    name: str, job: FakeJob, instance_type: str, instance_count: int, *, spot: bool
) -> dict[str, Any]:
    sent = job.config.to_hyperparameters()
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": _IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {key: json.dumps(value) for key, value in sent.items()},
        "RoleArn": _ROLE,
        "OutputDataConfig": {"S3OutputPath": _BUCKET},
        "ResourceConfig": {
            "InstanceType": instance_type,
            "InstanceCount": instance_count,
            "VolumeSizeInGB": 30,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        "EnableManagedSpotTraining": spot,
    }


def _described(boto_session: Any, name: str) -> dict[str, Any]:
    """Return what moto keeps of a job, to be changed: the API itself has no way to."""
    account = boto_session.client("sts").get_caller_identity()["Account"]
    backend = importlib.import_module("moto.backends").get_backend("sagemaker")
    kept: dict[str, Any] = vars(backend[account][boto_session.region_name].training_jobs[name])
    return kept


def _transitions(status: Status, start: datetime, end: datetime) -> list[dict[str, Any]]:
    begun = start + timedelta(seconds=_START_SECONDS)
    transitions: list[dict[str, Any]] = [
        {"Status": "Starting", "StartTime": start, "EndTime": begun, "StatusMessage": "Starting"},
        {"Status": "Training", "StartTime": begun, "StatusMessage": "Training image download"},
    ]
    if status != "InProgress":
        transitions[-1]["EndTime"] = end
        last = {"Status": status, "StartTime": end, "EndTime": end, "StatusMessage": status}
        transitions.append(last)
    return transitions


def _final_metrics(job: FakeJob, end: datetime) -> list[dict[str, Any]]:
    report = job.report()
    return [
        {"MetricName": NAME_PREFIX + metric.name, "Value": value, "Timestamp": end}
        for metric in METRICS
        if (value := report.last(metric.name)) is not None
    ]


def _spread(
    items: Sequence[Item], start: datetime, end: datetime
) -> Iterator[tuple[datetime, Item]]:
    """Yield each item with its moment, evenly over the time in which the job printed."""
    begun = start + timedelta(seconds=_START_SECONDS)
    step = (end - begun) / max(len(items), 1)
    for index, item in enumerate(items, 1):
        yield begun + index * step, item


def _write_log(
    boto_session: Any, name: str, lines: Iterable[tuple[datetime, str]], start: datetime
) -> None:
    logs = boto_session.client("logs")
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=LOG_GROUP)
    stream = {
        "logGroupName": LOG_GROUP,
        "logStreamName": f"{name}/algo-1-{int(start.timestamp())}",
    }
    logs.create_log_stream(**stream)
    for some in _batches(lines):
        events = [{"timestamp": _milliseconds(when), "message": line} for when, line in some]
        logs.put_log_events(**stream, logEvents=events)


def _write_charts(
    boto_session: Any, name: str, observations: Iterable[tuple[datetime, Observation]]
) -> None:
    values = [
        {
            "MetricName": NAME_PREFIX + metric,
            "Dimensions": [{"Name": "TrainingJobName", "Value": name}],
            "Timestamp": when,
            "Value": value,
        }
        for when, observation in observations
        for metric, value in observation.values.items()
    ]
    cloudwatch = boto_session.client("cloudwatch")
    for some in _batches(values):
        cloudwatch.put_metric_data(Namespace=METRIC_NAMESPACE, MetricData=some)


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    remaining = iter(items)
    while some := list(itertools.islice(remaining, _AT_ONCE)):
        yield some


def _milliseconds(when: datetime) -> int:
    return int(when.timestamp() * 1000)
