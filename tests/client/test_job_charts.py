"""A job's metrics out of CloudWatch: which statistic, which period, in which order."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from sift_toolkit.client._job_charts import chart_period, final_values, read_charts
from sift_toolkit.client._job_figures import FIGURE_METRICS, CurvePoint, JobFigures
from sift_toolkit.metrics import (
    COUNTED_COST,
    KEPT_SHARE,
    LOAD_SECONDS,
    PROGRESS,
    SAMPLES_SEEN,
    SCORE_SECONDS,
    TRAIN_SECONDS,
    VALIDATION_ACCURACY,
    Metric,
)
from sift_toolkit.testing import MockedAws

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)
TOTALS = {PROGRESS, LOAD_SECONDS, SCORE_SECONDS, TRAIN_SECONDS, SAMPLES_SEEN}


def put(aws: MockedAws, job: str, *values: tuple[datetime, Metric, float]) -> None:
    """Let CloudWatch have *values* of a job."""
    aws.boto_session.client("cloudwatch").put_metric_data(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricData=[
            {
                "MetricName": metric.definition["Name"],
                "Dimensions": [{"Name": "TrainingJobName", "Value": job}],
                "Timestamp": moment,
                "Value": value,
            }
            for moment, metric, value in values
        ],
    )


def read(aws: MockedAws, job: str, now: datetime = NOON) -> list[tuple[Metric, float]]:
    """Return what is read of a job that trained from 11:00:30 to 11:30:30."""
    start = NOON - timedelta(minutes=59, seconds=30)
    client = aws.boto_session.client("cloudwatch")
    return read_charts(client, job, start, start + timedelta(minutes=30), now)


def test_values_come_in_order_a_validation_last(aws: MockedAws) -> None:
    """Minutes come one after the other, and within one a validation comes after its totals."""
    first, second = NOON - timedelta(minutes=50), NOON - timedelta(minutes=40)
    put(
        aws,
        "ordered",
        (second, VALIDATION_ACCURACY, 0.9),
        (second, TRAIN_SECONDS, 20.0),
        (first, VALIDATION_ACCURACY, 0.8),
        (first, TRAIN_SECONDS, 10.0),
    )
    assert read(aws, "ordered") == [
        (TRAIN_SECONDS, 10.0),
        (VALIDATION_ACCURACY, 0.8),
        (TRAIN_SECONDS, 20.0),
        (VALIDATION_ACCURACY, 0.9),
    ]


def test_a_minute_has_its_highest_total_and_its_mean_share(aws: MockedAws) -> None:
    """Of values within a minute the last total is exact, and a share is blended."""
    minute = NOON - timedelta(minutes=40)
    put(
        aws,
        "blended",
        *((minute + timedelta(seconds=s), TRAIN_SECONDS, float(s)) for s in (1, 20, 40)),
        *((minute + timedelta(seconds=s), KEPT_SHARE, s / 100) for s in (20, 40)),
    )
    assert dict(read(aws, "blended")) == {TRAIN_SECONDS: 40.0, KEPT_SHARE: pytest.approx(0.3)}


def test_the_first_and_the_last_minute_are_read(aws: MockedAws) -> None:
    """What was reported in the minute of the start, and in that of the end, is not cut off."""
    start = NOON - timedelta(minutes=59, seconds=30)
    end = start + timedelta(minutes=30)
    put(aws, "edges", (start, LOAD_SECONDS, 1.0), (end, LOAD_SECONDS, 2.0))
    assert read(aws, "edges") == [(LOAD_SECONDS, 1.0), (LOAD_SECONDS, 2.0)]


def test_only_this_jobs_metrics_are_read(aws: MockedAws) -> None:
    """Another job's values, and metrics of the user's own, are none of its figures."""
    put(aws, "another", (NOON - timedelta(minutes=40), LOAD_SECONDS, 1.0))
    assert read(aws, "this") == []


def test_one_call_asks_for_all_and_pages_are_joined() -> None:
    """All metrics are asked for at once; what AWS hands out in pages comes out in order."""
    client = boto3.client(
        "cloudwatch", region_name="us-west-2", aws_access_key_id="a", aws_secret_access_key="b"
    )
    key = f"m{FIGURE_METRICS.index(LOAD_SECONDS)}"
    asked: dict[str, Any] = {}
    client.meta.events.register(
        "provide-client-params.cloudwatch.GetMetricData", lambda params, **_: asked.update(params)
    )
    with Stubber(client) as stub:
        for token, moment, value in ((None, 2, 2.0), ("more", 1, 1.0)):
            result = {
                "Id": key,
                "Timestamps": [NOON + timedelta(minutes=moment)],
                "Values": [value],
            }
            answer: dict[str, Any] = {"MetricDataResults": [result]}
            request = dict.fromkeys(("MetricDataQueries", "StartTime", "EndTime", "ScanBy"), ANY)
            if token is None:
                answer["NextToken"] = "more"
            else:
                request["NextToken"] = token
            stub.add_response("get_metric_data", answer, request)
        end = NOON + timedelta(minutes=5)
        assert read_charts(client, "job", NOON, end, end) == [
            (LOAD_SECONDS, 1.0),
            (LOAD_SECONDS, 2.0),
        ]
        stub.assert_no_pending_responses()
    statistic = {
        query["MetricStat"]["Metric"]["MetricName"]: query["MetricStat"]["Stat"]
        for query in asked["MetricDataQueries"]
    }
    assert statistic == {
        metric.definition["Name"]: "Maximum" if metric in TOTALS else "Average"
        for metric in FIGURE_METRICS
    }


@pytest.mark.parametrize(
    ("days", "period"), [(0, 60), (14.9, 60), (15.1, 300), (62.9, 300), (63.1, 3600), (400, 3600)]
)
def test_the_period_is_the_shortest_that_is_kept(days: float, period: int) -> None:
    """Minutes are kept for 15 days, five minutes for 63, hours after that."""
    assert chart_period(NOON - timedelta(days=days), NOON) == period


def test_final_values_replace_the_last_of_the_charts() -> None:
    """What SageMaker names as final is exact, so it wins; the curve stays that of the charts."""
    final = final_values(
        {
            "FinalMetricDataList": [
                {"MetricName": "sift:kept_share", "Value": 0.5, "Timestamp": NOON},
                {
                    "MetricName": "sift:kept_share",
                    "Value": 0.9,
                    "Timestamp": NOON - timedelta(hours=1),
                },
                {"MetricName": "sift:validation_accuracy", "Value": 0.75, "Timestamp": NOON},
                {"MetricName": "train:progress", "Value": 100.0, "Timestamp": NOON},
            ]
        }
    )
    points = [(KEPT_SHARE, 0.6), (COUNTED_COST, 0.7), (VALIDATION_ACCURACY, 0.7)]
    figures = JobFigures.from_points(points, name="job", final=final)
    assert final == {KEPT_SHARE: 0.5, VALIDATION_ACCURACY: 0.75}
    assert (figures.kept_share, figures.counted_cost) == (0.5, 0.7)
    assert figures.validation_accuracy == 0.75
    assert figures.curve == (CurvePoint(training_seconds=None, passes=None, accuracy=0.7),)


def test_a_job_without_final_metrics_has_none() -> None:
    """A description that names no final metrics gives no values."""
    assert final_values({}) == {}
