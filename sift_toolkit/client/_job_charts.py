"""A job's metrics as CloudWatch keeps them: one number a minute, with no statistic for "the last".

Totals and the progress only grow, so the highest of a minute is its last. All else is the mean of
its minute: values reported within one are blended. What has aged is blended more, for CloudWatch
keeps minutes for 15 days, five minutes for 63, hours for 455. The last value of each metric is
exact where DescribeTrainingJob tells it, in FinalMetricDataList.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sift_toolkit.client._job_figures import FIGURE_METRICS
from sift_toolkit.metrics import METRICS, PROGRESS, VALIDATION_ACCURACY, Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["chart_period", "final_values", "read_charts"]

_NAMESPACE: Final = "/aws/sagemaker/TrainingJobs"
_DIMENSION: Final = "TrainingJobName"
_MINUTE: Final = 60
# From the documentation of GetMetricData: how long which period is kept.
_KEPT: Final = ((timedelta(days=15), _MINUTE), (timedelta(days=63), 300))
_HOUR: Final = 3600
_GROWING: Final = frozenset({"count", "seconds"})


def chart_period(start: datetime, now: datetime) -> int:
    """Return the shortest period, in seconds, that CloudWatch still has for a job's start."""
    return next((period for age, period in _KEPT if now - start < age), _HOUR)


def read_charts(
    cloudwatch: Any, job_name: str, start: datetime, end: datetime, now: datetime
) -> list[tuple[Metric, float]]:
    """Return the values that figures are made of, in order; one call, and one more a further page.

    Args:
        cloudwatch: A boto3 client.
        job_name: The training job.
        start: When its training began.
        end: When its training ended, or now.
        now: The time, which decides what is still kept.
    """
    period = chart_period(start, now)
    queries = {f"m{index}": metric for index, metric in enumerate(FIGURE_METRICS)}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[
            _query(key, metric, job_name, period) for key, metric in queries.items()
        ],
        StartTime=_floor(start, period),
        # The end is exclusive, and the period it falls into is wanted too.
        EndTime=_floor(end, period) + timedelta(seconds=2 * period),
        ScanBy="TimestampAscending",
    )
    found = [
        (moment, metric is VALIDATION_ACCURACY, metric, float(value))
        for page in pages
        for result in page["MetricDataResults"]
        for metric in (queries[result["Id"]],)
        for moment, value in zip(result["Timestamps"], result["Values"], strict=True)
    ]
    # Within a period a validation comes last: it has cost what the totals say by then.
    found.sort(key=lambda point: point[:2])
    return [(metric, value) for _, _, metric, value in found]


def final_values(description: Mapping[str, Any]) -> dict[Metric, float]:
    """Return the last value of each of our metrics, as DescribeTrainingJob tells it."""
    by_name = {metric.definition["Name"]: metric for metric in METRICS}
    entries = description.get("FinalMetricDataList") or []
    return {
        by_name[entry["MetricName"]]: float(entry["Value"])
        for entry in sorted(entries, key=lambda entry: entry["Timestamp"])
        if entry["MetricName"] in by_name
    }


def _query(key: str, metric: Metric, job_name: str, period: int) -> dict[str, Any]:
    grows = metric.unit in _GROWING or metric is PROGRESS
    return {
        "Id": key,
        "MetricStat": {
            "Metric": {
                "Namespace": _NAMESPACE,
                "MetricName": metric.definition["Name"],
                "Dimensions": [{"Name": _DIMENSION, "Value": job_name}],
            },
            "Period": period,
            "Stat": "Maximum" if grows else "Average",
        },
    }


def _floor(moment: datetime, period: int) -> datetime:
    return datetime.fromtimestamp(moment.timestamp() // period * period, tz=moment.tzinfo)
