"""keep_sweep under SDK v3: the same call, a trainer instead of an estimator."""

from __future__ import annotations

from typing import Any

import pytest

from sift_toolkit import SiftConfig, keep_sweep, sift_model_trainer
from sift_toolkit.client._job_copies import copy_for_job
from sift_toolkit.errors import SiftSweepError
from sift_toolkit.testing import FakeJob, MockedAws, record_job

CONFIG = SiftConfig(beta_value=1, seed=3)


def test_a_sweep(aws: MockedAws, job_arguments: dict[str, Any]) -> None:
    """All jobs differ in share, name and folder of checkpoints; the trainer stays as it was."""
    trainer = sift_model_trainer(
        CONFIG,
        **job_arguments,
        checkpoint_s3_uri="s3://sift-tests/checkpoints",
        hyperparameters={"epochs": 2},
        base_job_name="letters",
    )
    sweep = keep_sweep(trainer, [0.5, 0.3], inputs={"training": "s3://sift-tests/data"})
    requests = aws.requests()
    assert [request["TrainingJobName"] for request in requests] == [*sweep.names.values()]
    configs = [SiftConfig.from_hyperparameters(each["HyperParameters"]) for each in requests]
    assert configs == [
        CONFIG.plain_twin(),
        SiftConfig(keep=0.5, seed=3),
        SiftConfig(keep=0.3, seed=3),
    ]
    for request, word in zip(requests, ("plain", "keep-50", "keep-30"), strict=True):
        name = request["TrainingJobName"]
        assert name.startswith(f"letters-{word}-")
        assert request["CheckpointConfig"]["S3Uri"] == f"s3://sift-tests/checkpoints/{name}/"
        assert request["HyperParameters"]["epochs"] == "2"
    assert trainer.latest_training_job is None
    assert trainer.sift_config == CONFIG
    assert trainer.checkpoint_config.s3_uri == "s3://sift-tests/checkpoints"


def test_a_copy_of_a_trainer_that_has_launched(
    aws: MockedAws, job_arguments: dict[str, Any]
) -> None:
    """It has launched nothing itself, and launches its own."""
    trainer = sift_model_trainer(CONFIG, **job_arguments)
    trainer.fit(wait=False, job_name="original")
    copied = copy_for_job(trainer, SiftConfig(keep=0.3), "copy")
    assert copied.latest_training_job is None
    copied.fit(wait=False, job_name="copy")
    assert copied.latest_training_job.training_job_name == "copy"
    assert trainer.latest_training_job.training_job_name == "original"


def test_a_copy_with_other_hyperparameters(aws: MockedAws, job_arguments: dict[str, Any]) -> None:
    """Those of the script may differ too, as in a trial; the trainer keeps its own."""
    trainer = sift_model_trainer(CONFIG, **job_arguments, hyperparameters={"epochs": 2})
    copied = copy_for_job(trainer, SiftConfig(keep=0.3), "copy", {"epochs": 5, "seed": 1})
    copied.fit(wait=False, job_name="copy")
    sent = aws.request()["HyperParameters"]
    assert (sent["epochs"], sent["seed"]) == ("5", "1")
    assert trainer.hyperparameters["epochs"] == 2


def test_comparing_and_waiting(aws: MockedAws, job_arguments: dict[str, Any]) -> None:
    """A sweep's jobs are waited for and compared by what AWS knows of them."""
    trainer = sift_model_trainer(CONFIG, **job_arguments)
    sweep = keep_sweep(trainer, [0.5])
    for label, name in sweep.names.items():
        config = CONFIG.plain_twin() if label == "plain" else SiftConfig(keep=0.5, seed=3)
        record_job(aws.boto_session, name, FakeJob(config), status="Completed")
    sweep.wait(poll_seconds=0.001)
    comparison = sweep.compare(price_per_hour=1.41)
    assert comparison.twin == "plain"
    assert [job.label for job in comparison.jobs] == ["plain", "keep=0.5"]
    assert comparison.jobs[1].cost_saved is not None
    failed = sweep.names["keep=0.5"]
    record_job(
        aws.boto_session,
        failed,
        FakeJob(CONFIG),
        status="Failed",
        failure_reason="boom",
        logged=False,
    )
    with pytest.raises(SiftSweepError, match=r"1 of 2 jobs failed: keep=0\.5 .*boom"):
        sweep.wait(poll_seconds=0.001)
