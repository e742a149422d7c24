"""A trial under SDK v3: the same call, a trainer instead of an estimator."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sift_toolkit import SiftConfig, sift_model_trainer, trial
from sift_toolkit.metrics import METRICS
from sift_toolkit.testing import FakeJob, MockedAws

DESCRIBED = "after-call.sagemaker.DescribeTrainingJob"


def complete(parsed: dict[str, Any], **_: Any) -> None:
    """Say of a job that it has ended well, and what it reported."""
    sent = parsed["HyperParameters"]
    config = SiftConfig.from_hyperparameters(sent)
    assert config is not None
    report = FakeJob(config, epochs=int(sent["epochs"]), accuracy=0.9).report()
    parsed["TrainingJobStatus"] = "Completed"
    parsed["FinalMetricDataList"] = [
        {
            "MetricName": metric.definition["Name"],
            "Value": value,
            "Timestamp": datetime.now(timezone.utc),
        }
        for metric in METRICS
        if (value := report.last(metric.name)) is not None
    ]


def test_a_trial(aws: MockedAws, job_arguments: dict[str, Any], tmp_path: Path) -> None:
    """Its jobs have their arms' epochs, seeds and configs, and are read back; the trainer stays."""
    trainer = sift_model_trainer(
        SiftConfig(keep=0.9), **job_arguments, hyperparameters={"epochs": 4}
    )
    events = aws.session.sagemaker_client.meta.events
    events.register(DESCRIBED, complete)
    try:
        result = trial(
            trainer,
            seeds=2,
            arms={"half": SiftConfig(keep=0.5)},
            inputs="s3://sift-tests/data",
            output=tmp_path / "trial",
            poll_seconds=0.001,
            say=lambda line: None,
        )
    finally:
        events.unregister(DESCRIBED, complete)
    assert result.verdict.kind == "shorter"
    told = [
        (each["HyperParameters"]["epochs"], each["HyperParameters"]["seed"])
        for each in aws.requests()
    ]
    assert told == [("4", "0"), ("2", "0"), ("4", "0"), ("4", "1"), ("2", "1"), ("4", "1")]
    assert trainer.latest_training_job is None
    assert trainer.hyperparameters["epochs"] == 4
