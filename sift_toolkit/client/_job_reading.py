"""A job that AWS knows: its description, and its metrics from wherever they can be read.

The calls made: DescribeTrainingJob, GetMetricData; where CloudWatch has none of our metrics,
DescribeLogStreams and GetLogEvents; and GetObject where its report is asked for.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from sift_toolkit.client._aws_errors import aws_errors_in_words, aws_trouble
from sift_toolkit.client._aws_faults import DENIED
from sift_toolkit.client._job_archive import archived_report
from sift_toolkit.client._job_charts import final_values, read_charts
from sift_toolkit.client._job_facts import JobFacts, elapsed_seconds, facts_from, has_ended
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.client._job_history import history_of
from sift_toolkit.client._job_log import HostLog, log_streams
from sift_toolkit.metrics import Metric, read_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sift_toolkit.client._aws_access import AwsAccess
    from sift_toolkit.report import SiftReport

__all__ = ["describe", "read_aws_job", "read_described_job"]


class _Points(NamedTuple):
    """Metric values, where they were read, and what could not be read."""

    values: list[tuple[Metric, float]]
    source: str | None
    notes: tuple[str, ...]


def read_aws_job(
    name: str, access: AwsAccess, now: datetime, *, with_report: bool = False
) -> JobFacts:
    """Return all that AWS knows of a job; *with_report*: with what it wrote over time.

    Raises:
        SiftJobError: AWS knows no such job, or would not tell.
    """
    with aws_errors_in_words(f"training job {name!r} could not be looked up in {access.place}"):
        return read_described_job(
            name, access, describe(name, access), now, with_report=with_report
        )


def describe(name: str, access: AwsAccess) -> Mapping[str, Any]:
    """Return DescribeTrainingJob's answer."""
    answer: Mapping[str, Any] = access.sagemaker.describe_training_job(TrainingJobName=name)
    return answer


def read_described_job(
    name: str,
    access: AwsAccess,
    description: Mapping[str, Any],
    now: datetime,
    *,
    with_report: bool = False,
) -> JobFacts:
    """Return all that AWS knows of a job that has just been described.

    Metrics that may not be read are left out, and said to be; other errors of AWS pass as they are.
    """
    points = _points(name, access, description, now)
    figures = JobFigures.from_points(
        points.values,
        name=name,
        seconds=elapsed_seconds(description, now),
        final={} if points.source == "log" else final_values(description),
    )
    report, problem = _report(access, description) if with_report else (None, None)
    return facts_from(
        description,
        figures,
        now=now,
        source=points.source,
        notes=points.notes if problem is None else (*points.notes, problem),
        history=history_of(points.values) if report is None else report,
    )


def _report(
    access: AwsAccess, description: Mapping[str, Any]
) -> tuple[SiftReport | None, str | None]:
    """Return the report of a job that has ended, and in words why it cannot be had."""
    if not has_ended(description.get("TrainingJobStatus")):
        return None, "its report comes with its output data, when it has ended"
    return archived_report(access, description)


def _points(name: str, access: AwsAccess, description: Mapping[str, Any], now: datetime) -> _Points:
    if access.is_local:
        return _Points([], None, ("local mode keeps no log: give the file its output went to",))
    start = description.get("TrainingStartTime")
    if start is None:
        return _Points([], None, ())
    end = description.get("TrainingEndTime") or now
    charts, problem = _if_allowed(
        "the metrics in CloudWatch", lambda: read_charts(access.cloudwatch, name, start, end, now)
    )
    if charts:
        return _Points(charts, "CloudWatch", ())
    log, log_problem = _if_allowed("the log", lambda: _read_log(name, access))
    if log:
        return _Points(log, "log", ())
    source = "CloudWatch" if final_values(description) else None
    return _Points([], source, tuple(filter(None, (problem, log_problem))))


def _if_allowed(
    what: str, read: Callable[[], list[tuple[Metric, float]]]
) -> tuple[list[tuple[Metric, float]], str | None]:
    """Return what was read, and in words why nothing could be."""
    try:
        return read(), None
    except Exception as error:
        trouble = aws_trouble(error)
        if trouble is None or trouble.fault is not DENIED:
            raise
        return [], f"{what} could not be read: {trouble.text}"


def _read_log(name: str, access: AwsAccess) -> list[tuple[Metric, float]]:
    """Return the values of the first host that reports any: algo-1, where all is as it should."""
    by_host = groupby(log_streams(access.logs, name), lambda stream: stream.host)
    for _, streams in by_host:
        log = HostLog(lambda: access.logs, name, list(streams))
        if values := list(read_lines(line.text for line in log.new_lines())):
            return values
    return []
