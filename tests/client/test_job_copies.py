"""Copies of estimators: another config, no folder shared by jobs, the original untouched."""

from __future__ import annotations

from typing import Any

import pytest

from sift_toolkit import HostSession, SiftConfig, sift_estimator
from sift_toolkit.client._job_copies import copy_for_job


@pytest.fixture
def estimator(job_arguments: dict[str, Any]) -> Any:
    """An estimator with all that a copy must look after."""
    return sift_estimator(
        SiftConfig(beta_value=1, seed=3),
        **job_arguments,
        launcher="run",
        hyperparameters={"epochs": 3},
        checkpoint_s3_uri="s3://sift-tests/checkpoints",
        output_path="s3://sift-tests/models",
    )


def test_another_config(estimator: Any) -> None:
    """The copy has the new config instead of the old one, and all other hyperparameters."""
    copied = copy_for_job(estimator, SiftConfig(keep=0.3), "job-a")
    assert copied.sift_config == SiftConfig(keep=0.3)
    assert copied.hyperparameters() == {
        "epochs": "3",
        "sagemaker_sift_version": "1",
        "sagemaker_sift_keep": "0.3",
        "sagemaker_sift_script": '"train.py"',
    }
    assert estimator.sift_config == SiftConfig(beta_value=1, seed=3)


def test_other_hyperparameters(estimator: Any) -> None:
    """Those of the script may differ too; the config's stay out of their way."""
    copied = copy_for_job(estimator, SiftConfig(keep=0.3), "job-a", {"epochs": 5, "seed": 1})
    assert copied.hyperparameters()["epochs"] == "5"
    assert copied.hyperparameters()["seed"] == "1"
    assert copied.sift_config == SiftConfig(keep=0.3)
    assert estimator.hyperparameters()["epochs"] == "3"


def test_folders_of_its_own(estimator: Any) -> None:
    """Checkpoints are kept apart: a job would go on from another's, or fetch those of a prefix."""
    copied = copy_for_job(estimator, SiftConfig(keep=0.5), "job-a")
    assert copied.checkpoint_s3_uri == "s3://sift-tests/checkpoints/job-a/"
    # There SageMaker makes a folder for each job itself.
    assert copied.output_path == "s3://sift-tests/models"
    assert estimator.checkpoint_s3_uri == "s3://sift-tests/checkpoints"


def test_a_local_output_path() -> None:
    """On this machine the archives of jobs would replace each other."""
    estimator = sift_estimator(
        SiftConfig(keep=0.5),
        entry_point=__file__,
        role="any",
        sagemaker_session=HostSession(),
        output_path="file:///models",
    )
    copied = copy_for_job(estimator, SiftConfig(keep=0.3), "job-a")
    assert copied.output_path == "file:///models/job-a/"
    assert copied.checkpoint_s3_uri is None


def test_nothing_launched(aws: Any, estimator: Any) -> None:
    """A copy of an estimator that has launched jobs has launched none, and launches its own."""
    estimator.fit(wait=False, job_name="original")
    copied = copy_for_job(estimator, SiftConfig(keep=0.3), "copy")
    assert (copied.latest_training_job, copied.uploaded_code, copied.jobs) == (None, None, [])
    copied.fit(wait=False, job_name="copy")
    assert copied.latest_training_job.name == "copy"
    assert estimator.latest_training_job.name == "original"
    assert [job.name for job in estimator.jobs] == ["original"]
    assert SiftConfig.from_hyperparameters(aws.request()["HyperParameters"]) == SiftConfig(keep=0.3)


def test_a_deferred_address_is_left_alone(estimator: Any, pipeline_variable: Any) -> None:
    """Where checkpoints go is the pipeline's to say."""
    estimator.checkpoint_s3_uri = pipeline_variable
    copied = copy_for_job(estimator, SiftConfig(keep=0.3), "job-a")
    assert copied.checkpoint_s3_uri is pipeline_variable
