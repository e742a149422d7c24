"""The account that a notebook sees in `make notebooks`: what is launched there really runs."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from notebooks.runner.account import account
from notebooks.runner.tuning import TuningJobs, drawn
from sift_toolkit import SiftConfig, sift_estimator, sift_tuner, watch

SCRIPT = """
print("[sift] validation_accuracy=0.75;")
"""
ARGUMENTS: dict[str, Any] = {
    "entry_point": "train.py",
    "instance_type": "ml.m5.large",
    "instance_count": 1,
    "framework_version": "2.8.0",
    "py_version": "py312",
}
OBJECTIVE = {"Type": "Maximize", "MetricName": "accuracy"}


def config_of(strategy: str, jobs: int, **ranges: Any) -> dict[str, Any]:
    """Return what a request says of how to tune."""
    return {
        "Strategy": strategy,
        "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs},
        "HyperParameterTuningJobObjective": OBJECTIVE,
        "ParameterRanges": ranges,
    }


def test_of_a_grid_all_combinations_are_tried() -> None:
    """Each value of one range with each of the other."""
    ranges = [{"Name": "a", "Values": ["1", "2"]}, {"Name": "b", "Values": ["3", "4"]}]
    found = drawn(config_of("Grid", 9, CategoricalParameterRanges=ranges))
    assert [(one["a"], one["b"]) for one in found] == [
        ("1", "3"),
        ("1", "4"),
        ("2", "3"),
        ("2", "4"),
    ]


def test_else_values_are_drawn_within_their_ranges() -> None:
    """As many as were asked for, and the same each time."""
    config = config_of(
        "Bayesian",
        20,
        CategoricalParameterRanges=[{"Name": "law", "Values": ["x", "y"]}],
        ContinuousParameterRanges=[{"Name": "keep", "MinValue": "0.2", "MaxValue": "0.6"}],
        IntegerParameterRanges=[{"Name": "depth", "MinValue": "1", "MaxValue": "3"}],
    )
    found = drawn(config)
    assert len(found) == 20
    assert found == drawn(config)
    assert {one["law"] for one in found} == {"x", "y"}
    assert all(0.2 <= float(one["keep"]) <= 0.6 for one in found)
    assert {one["depth"] for one in found} == {"1", "2", "3"}


def test_the_best_job_of_a_tuning_job_is_known_as_its_jobs_end() -> None:
    """Under way while one of them is; the best is by the objective in the logs."""
    created: dict[str, Any] = {}
    logs = {"letters-001": ["accuracy=0.5", "accuracy=0.7"], "letters-002": ["accuracy=0.6"]}
    statuses = {"letters-001": "Completed", "letters-002": "InProgress"}
    tuning = TuningJobs(
        lambda request: created.update({request["TrainingJobName"]: request}),
        lambda name: {
            "TrainingJobArn": name,
            "TrainingJobStatus": statuses[name],
            "CreationTime": datetime(2026, 1, 1, tzinfo=timezone.utc),
        },
        lambda name: logs[name],
    )
    ranges = [{"Name": "a", "Values": ["1", "2"]}]
    asked = {"HyperParameterTuningJobName": "letters"}
    tuning.create(
        {
            **asked,
            "HyperParameterTuningJobConfig": config_of(
                "Grid", 2, CategoricalParameterRanges=ranges
            ),
            "TrainingJobDefinition": {
                "StaticHyperParameters": {"epochs": "3"},
                "AlgorithmSpecification": {
                    "MetricDefinitions": [{"Name": "accuracy", "Regex": "accuracy=([0-9.]+)"}]
                },
            },
        }
    )
    assert created["letters-002"]["HyperParameters"] == {"epochs": "3", "a": "2"}
    assert tuning.describe(asked)["HyperParameterTuningJobStatus"] == "InProgress"
    statuses["letters-002"] = "Completed"
    described = tuning.describe(asked)
    assert described["HyperParameterTuningJobStatus"] == "Completed"
    best = described["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"a": "1"}
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {**OBJECTIVE, "Value": 0.7}
    listed = tuning.list_jobs(asked)["TrainingJobSummaries"]
    assert [one["TrainingJobName"] for one in listed] == ["letters-002", "letters-001"]


def test_what_is_launched_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by boto3's own variables: a job, and a tuning job with all its jobs."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").write_text("1,2\n", encoding="utf-8")
    with account(tmp_path) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
        import sagemaker

        session = sagemaker.Session()
        job = sift_estimator(
            SiftConfig(keep=0.5),
            source_dir=tmp_path / "src",
            role=environment["SAGEMAKER_ROLE"],
            sagemaker_session=session,
            **ARGUMENTS,
        )
        inputs = {"rows": session.upload_data(str(tmp_path / "data"), key_prefix="rows")}
        job.fit(inputs, wait=False)
        facts = watch(job, poll_seconds=0.1)
        assert (facts.status, facts.figures.validation_accuracy) == ("Completed", 0.75)
        tuner = sift_tuner(job, {"law": ["percentile", "proportional"]}, strategy="Grid")
        tuner.fit(inputs, wait=False)
        while tuner.describe()["HyperParameterTuningJobStatus"] == "InProgress":
            time.sleep(0.1)
        tried = tuner.analytics().dataframe()
        assert set(tried["sagemaker_sift_law"]) == {'"percentile"', '"proportional"'}
        assert set(tried["FinalObjectiveValue"]) == {0.75}


def test_what_aws_would_refuse_is_refused(tmp_path: Path) -> None:
    """A request is held against the model of AWS's API, of which boto3 itself checks the types."""
    request = {
        "TrainingJobName": "no name of a job",
        "AlgorithmSpecification": {"TrainingImage": "any", "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/any-role",
        "OutputDataConfig": {"S3OutputPath": "s3://sift-notebooks/output"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    with account(tmp_path):
        client = boto3.client("sagemaker")
        with pytest.raises(ClientError, match="TrainingJobName does not match"):
            client.create_training_job(**request)
