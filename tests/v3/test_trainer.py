"""The trainer itself: made without AWS, checked in words, and a ModelTrainer all the same."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path
from typing import Any

import pytest
from sagemaker.core.training.configs import InputData
from sagemaker.train import ModelTrainer

import sift_toolkit.client
from sift_toolkit import (
    SiftConfigError,
    SiftJobError,
    SiftRequestError,
    sift_estimator,
    sift_model_trainer,
)
from sift_toolkit.testing import MockedAws
from tests.html_page import Page
from tests.one_job import CONFIG

OF_SDK_V2 = {
    "_estimator_inputs",
    "_estimator_session",
    "_host_session",
    "_host_uploads",
    "_paper",
    "_sift_pytorch",
    "_sift_tuner",
}
"""Modules that import SDK v2, and are imported on use only."""


@pytest.mark.parametrize(
    "name",
    [
        name
        for _, name, _ in pkgutil.iter_modules(sift_toolkit.client.__path__)
        if name not in OF_SDK_V2
    ],
)
def test_the_client_needs_no_sdk_v2(name: str) -> None:
    """Every other module of the client can be imported under SDK v3."""
    assert importlib.import_module(f"sift_toolkit.client.{name}")


def test_sdk_v2_is_missing() -> None:
    """What needs SDK v2 says so, and what to use or install."""
    with pytest.raises(SiftJobError) as caught:
        sift_estimator(CONFIG, entry_point="train.py")
    said = str(caught.value)
    assert said.startswith("sift_estimator needs the SageMaker Python SDK v2, but v3 is installed")
    assert "use sift_model_trainer, or" in said
    assert said.endswith("pip install 'sift_toolkit[client]'")


def test_there_is_no_host_session() -> None:
    """A session that only SDK v2 has room for says so where it is asked for."""
    with pytest.raises(SiftJobError, match="HostSession needs the SageMaker Python SDK v2, but v3"):
        _ = sift_toolkit.client.HostSession


def test_it_is_a_model_trainer(aws: MockedAws, job_arguments: dict[str, Any]) -> None:
    """It is made without a call to AWS, and has what ModelTrainer has."""
    trainer = sift_model_trainer(CONFIG, **job_arguments, tags={"a": "b"})
    assert aws.calls == []
    assert isinstance(trainer, ModelTrainer)
    assert trainer.sift_config == CONFIG
    assert trainer.latest_training_job is None
    assert trainer.role == aws.role
    assert "torch" not in sys.modules


def test_it_shows_itself(aws: MockedAws, job_arguments: dict[str, Any]) -> None:
    """On a terminal and in a notebook it shows its config, code and machines, and asks nothing."""
    trainer = sift_model_trainer(CONFIG, **job_arguments)
    assert repr(trainer) == str(trainer)
    assert repr(trainer).startswith(f"<SiftModelTrainer: config {CONFIG}, code ")
    assert "instances 1 x ml." in repr(trainer)
    assert "latest job none" in repr(trainer)
    page = Page(trainer._repr_html_())
    assert page.open == []
    assert {"SiftModelTrainer", str(CONFIG), "keep"} <= set(page.words)
    assert aws.calls == []


@pytest.mark.parametrize(
    ("change", "start"),
    [
        ({"instance_typ": "ml.m5.xlarge"}, "no estimator takes an argument 'instance_typ'"),
        ({"training_recipe": "x"}, "training_recipe is not possible here"),
        ({"git_config": {"repo": "x"}}, "git_config is not possible with SDK v3"),
        ({"code_location": "s3://b/c"}, "code_location is not possible with SDK v3"),
        ({"distribution": {"mpi": {"enabled": True}}}, "distribution has 'mpi'"),
        ({"framework_version": "0.1"}, "framework_version '0.1' has no image in this SDK"),
        ({"instance_type": "ml.x9.large"}, "instance_type='ml.x9.large' is none that this SDK"),
        ({"source_dir": "s3://bucket/code.tar.gz", "ship_toolkit": False}, "SDK v3 needs code on"),
        ({"entry_point": "train.sh"}, "SDK v3 starts Python files, got entry_point='train.sh'"),
        ({"hyperparameters": {"a.b": 1}}, "hyperparameters has a name 'a.b'"),
        ({"hyperparameters": {"sagemaker_sift_keep": 1}}, "hyperparameters['sagemaker_sift_keep']"),
        ({"use_spot_instances": True}, "use_spot_instances=True needs max_wait"),
        ({"sagemaker_session": "session"}, "sagemaker_session must be a sagemaker.core."),
        ({"launcher": "shell"}, "launcher must be one of"),
        ({"instance_groups": [1]}, "SDK v3 refuses a value"),
    ],
)
def test_refusals(
    aws: MockedAws, job_arguments: dict[str, Any], source: Path, change: dict[str, Any], start: str
) -> None:
    """Each thing that cannot be is named before any call to AWS."""
    (source / "train.sh").write_text("echo training\n")
    with pytest.raises(SiftRequestError) as caught:
        sift_model_trainer(CONFIG, **{**job_arguments, **change})
    assert [problem for problem in caught.value.problems if problem.startswith(start)]
    assert aws.calls == []


def test_no_config(job_arguments: dict[str, Any]) -> None:
    """A dict is no config."""
    with pytest.raises(SiftConfigError):
        sift_model_trainer({"keep": 0.5}, **job_arguments)  # type: ignore[arg-type]


def test_warnings(job_arguments: dict[str, Any]) -> None:
    """What hardly anyone wants is warned of, at the user's own line."""
    arguments = {**job_arguments, "use_spot_instances": True, "max_wait": 100_000}
    with pytest.warns(UserWarning, match="without checkpoint_s3_uri") as caught:
        sift_model_trainer(CONFIG, **arguments)
    assert caught[0].filename == __file__


def test_fit_and_train(aws: MockedAws, job_arguments: dict[str, Any], source: Path) -> None:
    """Channels may be given as SDK v2 takes them, or as ModelTrainer does."""
    trainer = sift_model_trainer(CONFIG, **job_arguments)
    for inputs in (
        "s3://sift-tests/data",
        {"training": "s3://sift-tests/data"},
        [InputData(channel_name="training", data_source="s3://sift-tests/data")],
    ):
        trainer.train(inputs, wait=False, logs=False)
        channel = aws.request()["InputDataConfig"][0]
        assert channel["ChannelName"] == "training"
        assert channel["DataSource"]["S3DataSource"]["S3Uri"] == "s3://sift-tests/data"
    trainer.fit({"data": str(source)}, wait=True, logs="All")
    assert trainer.latest_training_job.training_job_status == "Completed"
    uploaded = aws.request()["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"]
    assert uploaded.startswith(f"s3://{aws.bucket}/{aws.request()['TrainingJobName']}/")
    with pytest.raises(SiftRequestError, match="experiment_config is not possible"):
        trainer.fit(experiment_config={"ExperimentName": "e"})
    with pytest.raises(SiftRequestError, match="there is nothing"):
        trainer.fit({"data": "no/such/folder"})


def test_dry_run(aws: MockedAws, job_arguments: dict[str, Any]) -> None:
    """A dry run uploads and starts nothing, as ModelTrainer's does."""
    sift_model_trainer(CONFIG, **job_arguments).train(wait=False, logs=False, dry_run=True)
    assert aws.requests() == []
