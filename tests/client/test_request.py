"""The request that a job really is: what the SDK sends to AWS, and the code it uploads."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import boto3
import pytest

from sift_toolkit import METRICS, SiftConfig, sift_estimator
from sift_toolkit.client._sift_pytorch import SiftPyTorch
from sift_toolkit.client._staging import STAGED_PREFIX
from sift_toolkit.errors import SiftRequestError

CONFIG = SiftConfig(keep=0.5)


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is staged here can be told from what other processes stage."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))


def staged_folders(tmp_path: Path) -> list[Path]:
    """The staged folders that are left."""
    return list((tmp_path / "temporary").glob(f"{STAGED_PREFIX}*"))


def sent_code(aws: Any, hyperparameters: dict[str, str]) -> dict[str, bytes]:
    """The files of the archive that a job's hyperparameters point to."""
    return aws.code_at(json.loads(hyperparameters["sagemaker_submit_directory"]))


@pytest.fixture
def silent_arguments(aws: Any, job_arguments: dict[str, Any]) -> dict[str, Any]:
    """What a job that is really sent needs."""
    return {**job_arguments, "sagemaker_session": aws.silent_session}


def test_request(
    aws: Any,
    silent_arguments: dict[str, Any],
    api_violations: Callable[[dict[str, Any]], list[str]],
) -> None:
    """A request that uses most of an estimator keeps to the API's model and says all it should."""
    silent_arguments |= {"instance_type": "ml.g5.12xlarge", "instance_count": 2}
    own = {"Name": "f1", "Regex": "f1=([0-9.]+);"}
    estimator = sift_estimator(
        CONFIG,
        **silent_arguments,
        launcher="run",
        hyperparameters={"epochs": 3, "note": "it's fine", "layers": [64, 64]},
        metric_definitions=[own],
        distribution={"torch_distributed": {"enabled": True}},
        use_spot_instances=True,
        max_run=3600,
        max_wait=7200,
        max_retry_attempts=3,
        checkpoint_s3_uri="s3://sift-tests/checkpoints",
        environment={"LEVEL": "1"},
        tags={"team": "a b"},
        subnets=["subnet-1"],
        security_group_ids=["sg-1"],
        output_kms_key="alias/key",
    )
    estimator.fit({"training": "s3://sift-tests/data"}, wait=False)
    request = aws.request()

    assert api_violations(request) == []
    assert {
        "epochs": "3",
        "note": '"it\'s fine"',
        "layers": "[64, 64]",
        "sagemaker_sift_keep": "0.5",
        "sagemaker_sift_script": '"train.py"',
        "sagemaker_program": '"sift_toolkit/entry_points/run.py"',
        "sagemaker_torch_distributed_enabled": "true",
    }.items() <= request["HyperParameters"].items()
    assert SiftConfig.from_hyperparameters(request["HyperParameters"]) == CONFIG
    expected = [*(metric.definition for metric in METRICS), own]
    assert request["AlgorithmSpecification"]["MetricDefinitions"] == expected
    assert request["EnableManagedSpotTraining"] is True
    assert request["StoppingCondition"]["MaxWaitTimeInSeconds"] == 7200
    assert request["CheckpointConfig"]["S3Uri"] == "s3://sift-tests/checkpoints"
    assert request["Environment"] == {"LEVEL": "1"}


def test_uploaded_code(aws: Any, job_arguments: dict[str, Any]) -> None:
    """The archive in S3 holds the user's files and the whole toolkit, and no junk."""
    estimator = sift_estimator(CONFIG, **job_arguments, launcher="train")
    estimator.prepare_workflow_for_training("job")
    files = sent_code(aws, estimator.hyperparameters())
    assert files["train.py"] == b"print('training')\n"
    assert {
        "model/net.py",
        "sift_toolkit/__init__.py",
        "sift_toolkit/py.typed",
        "sift_toolkit/config/_config.py",
        "sift_toolkit/entry_points/run.py",
        "sift_toolkit/entry_points/train.py",
    } < set(files)
    assert not [name for name in files if "__pycache__" in name or name.endswith(".pyc")]


def test_refused_before_anything_is_sent(
    aws: Any, job_arguments: dict[str, Any], tmp_path: Path
) -> None:
    """What went wrong after the estimator was made stops fit() before any call to AWS."""
    estimator = sift_estimator(CONFIG, **job_arguments)
    estimator.metric_definitions.append({"Name": "f1", "Regex": "("})
    estimator.environment = {"A-B": "1"}
    (Path(job_arguments["source_dir"]) / "train.py").unlink()
    with pytest.raises(SiftRequestError) as caught:
        estimator.fit({"a b": "file:///data"}, wait=False, job_name="a_b")
    assert len(caught.value.problems) == 6
    with pytest.raises(SiftRequestError):
        estimator.prepare_workflow_for_training("job")
    assert aws.calls == []
    assert staged_folders(tmp_path) == []


def test_each_job_has_fresh_code(aws: Any, job_arguments: dict[str, Any], tmp_path: Path) -> None:
    """A second job of one estimator sends what the user has edited since; nothing is left here."""
    estimator = sift_estimator(CONFIG, **job_arguments, launcher="train")
    given = estimator.source_dir, estimator.entry_point, estimator.dependencies
    for job, text in (("first", b"x = 1\n"), ("second", b"x = 2\n")):
        (Path(job_arguments["source_dir"]) / "train.py").write_bytes(text)
        estimator.prepare_workflow_for_training(job)
        hyperparameters = estimator.hyperparameters()
        assert sent_code(aws, hyperparameters)["train.py"] == text
        assert hyperparameters["sagemaker_program"] == '"sift_toolkit/entry_points/train.py"'
        assert hyperparameters["sagemaker_job_name"] == f'"{job}"'
        assert given == (estimator.source_dir, estimator.entry_point, estimator.dependencies)
    assert staged_folders(tmp_path) == []


def test_model_is_served_by_the_users_file(aws: Any, job_arguments: dict[str, Any]) -> None:
    """What deploy() would serve is the user's file, not the entry point that trained."""
    estimator = sift_estimator(CONFIG, **job_arguments, launcher="train")
    estimator.prepare_workflow_for_training("job")
    assert estimator.uploaded_code.script_name == "train.py"
    assert estimator.uploaded_code.s3_prefix.startswith("s3://sift-tests/")


def test_failed_upload_leaves_nothing(
    aws: Any, job_arguments: dict[str, Any], tmp_path: Path
) -> None:
    """When the upload fails, the staged copy goes and the estimator is as it was."""
    estimator = sift_estimator(CONFIG, **job_arguments, output_path="s3://no-such-bucket-of-ours/x")
    given = estimator.source_dir, estimator.entry_point
    with pytest.raises(Exception, match="NoSuchBucket"):
        estimator.prepare_workflow_for_training("job")
    assert given == (estimator.source_dir, estimator.entry_point)
    assert staged_folders(tmp_path) == []


def test_toolkit_left_at_home(aws: Any, job_arguments: dict[str, Any]) -> None:
    """With ship_toolkit=False a script's archive is exactly the SDK's own."""
    estimator = sift_estimator(CONFIG, **job_arguments, ship_toolkit=False)
    estimator.prepare_workflow_for_training("job")
    files = set(sent_code(aws, estimator.hyperparameters()))
    assert {"train.py", "model/net.py", "old.pyc"} < files
    assert not [name for name in files if name.startswith("sift_toolkit")]


def test_tuner_ships_the_toolkit(aws: Any, silent_arguments: dict[str, Any]) -> None:
    """Jobs of a HyperparameterTuner get the toolkit, the config and the metrics as well."""
    from sagemaker.tuner import ContinuousParameter, HyperparameterTuner

    estimator = sift_estimator(CONFIG, **silent_arguments, hyperparameters={"lr": 0.1})
    tuner = HyperparameterTuner(
        estimator,
        "sift:validation_accuracy",
        {"lr": ContinuousParameter(0.01, 0.1)},
        estimator.metric_definitions,
    )
    tuner.fit({"training": "s3://sift-tests/data"}, wait=False)
    definition = aws.request("CreateHyperParameterTuningJob")["TrainingJobDefinition"]
    static = definition["StaticHyperParameters"]
    assert SiftConfig.from_hyperparameters(static) == CONFIG
    assert len(definition["AlgorithmSpecification"]["MetricDefinitions"]) == len(METRICS)
    assert "sift_toolkit/entry_points/train.py" in sent_code(aws, static)


def test_attached_job(
    aws: Any, silent_arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An estimator attached to a finished job reads its config back and ships nothing anew."""
    monkeypatch.setattr("sagemaker.session.time.sleep", lambda _: None)
    estimator = sift_estimator(CONFIG, **silent_arguments, output_kms_key="alias/key")
    estimator.fit(wait=False)
    attached = SiftPyTorch.attach(estimator.latest_training_job.name, aws.session)
    assert attached.sift_config == CONFIG
    aws.calls.clear()
    attached.prepare_workflow_for_training("again")
    assert "PutObject" not in [operation for operation, _ in aws.calls]
    assert attached.hyperparameters()["sagemaker_program"] == '"train.py"'


@pytest.fixture
def local_session() -> Any:
    """The SDK's own local mode, with code used in place."""
    from sagemaker.local import LocalSession

    session = LocalSession(boto_session=boto3.Session(region_name="us-west-2"))
    session.config = {"local": {"local_code": True}}
    return session


def test_local_code_lives_as_long_as_the_estimator(
    local_session: Any, user_code: Path, tmp_path: Path
) -> None:
    """With local code each job runs in a staged folder of its own, gone with the estimator."""
    estimator = sift_estimator(
        CONFIG,
        entry_point="model/net.py",
        source_dir=user_code,
        launcher="run",
        role="any",
        instance_type="local",
        instance_count=1,
        image_uri="image",
        sagemaker_session=local_session,
    )
    folders = []
    for job in ("first", "second"):
        estimator.prepare_workflow_for_training(job)
        hyperparameters = estimator.hyperparameters()
        folder = Path(urlparse(json.loads(hyperparameters["sagemaker_submit_directory"])).path)
        assert (folder / json.loads(hyperparameters["sagemaker_program"])).is_file()
        assert (folder / json.loads(hyperparameters["sagemaker_sift_script"])).is_file()
        assert estimator.source_dir == str(user_code)
        folders.append(folder)
    assert len(set(folders)) == 2
    assert all(folder.is_dir() for folder in folders)
    del estimator
    gc.collect()
    assert staged_folders(tmp_path) == []


def test_local_script_below_the_root(local_session: Any, user_code: Path) -> None:
    """A script in a subfolder keeps its path, which the SDK's local mode would cut off."""
    estimator = sift_estimator(
        CONFIG,
        entry_point="model/net.py",
        source_dir=user_code,
        role="any",
        instance_type="local",
        instance_count=1,
        image_uri="image",
        sagemaker_session=local_session,
    )
    estimator.prepare_workflow_for_training("job")
    assert estimator.hyperparameters()["sagemaker_program"] == '"model/net.py"'
