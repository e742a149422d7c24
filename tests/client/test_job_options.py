"""Each thing that an estimator can be asked for, as it stands in the request that is sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit import SiftConfig, sift_estimator
from sift_toolkit.contract import JobDescription, launch

CONFIG = SiftConfig(keep=0.5)
TORCH = {"distribution": {"torch_distributed": {"enabled": True}}}
SPOT = {
    "use_spot_instances": True,
    "max_run": 3600,
    "max_wait": 7200,
    "checkpoint_s3_uri": "s3://sift-tests/checkpoints/job-1",
}
VPC = {"subnets": ["subnet-0a"], "security_group_ids": ["sg-0a"]}
OPTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "torch_distributed": (
        {**TORCH, "instance_type": "ml.g5.12xlarge"},
        {
            "HyperParameters.sagemaker_torch_distributed_enabled": "true",
            "HyperParameters.sagemaker_instance_type": '"ml.g5.12xlarge"',
        },
    ),
    "several hosts": (
        {**TORCH, "instance_type": "ml.g5.12xlarge", "instance_count": 3},
        {"ResourceConfig.InstanceCount": 3},
    ),
    "spot": (
        SPOT,
        {
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
            "CheckpointConfig": {"S3Uri": "s3://sift-tests/checkpoints/job-1"},
        },
    ),
    "checkpoints elsewhere": (
        {**SPOT, "checkpoint_local_path": "/data/checkpoints"},
        {"CheckpointConfig.LocalPath": "/data/checkpoints"},
    ),
    "retries": ({"max_retry_attempts": 5}, {"RetryStrategy.MaximumRetryAttempts": 5}),
    "warm pool": (
        {"keep_alive_period_in_seconds": 1800},
        {"ResourceConfig.KeepAlivePeriodInSeconds": 1800},
    ),
    "VPC": (
        {**VPC, "encrypt_inter_container_traffic": True},
        {
            "VpcConfig": {"Subnets": ["subnet-0a"], "SecurityGroupIds": ["sg-0a"]},
            "EnableInterContainerTrafficEncryption": True,
        },
    ),
    "keys": (
        {"output_kms_key": "alias/output", "volume_kms_key": "alias/volume"},
        {
            "OutputDataConfig.KmsKeyId": "alias/output",
            "ResourceConfig.VolumeKmsKeyId": "alias/volume",
        },
    ),
    "tags": (
        {"tags": {"team": "vision", "cost": "a b"}},
        {"Tags": [{"Key": "team", "Value": "vision"}, {"Key": "cost", "Value": "a b"}]},
    ),
    "environment": ({"environment": {"LEVEL": "ü'"}}, {"Environment": {"LEVEL": "ü'"}}),
    "framework": (
        {"framework_version": "2.7", "py_version": "py312", "instance_type": "ml.g5.xlarge"},
        {
            "AlgorithmSpecification.TrainingImage": "763104351884.dkr.ecr.us-west-2.amazonaws.com/"
            "pytorch-training:2.7-gpu-py312"
        },
    ),
    "own image": (
        {"framework_version": None, "py_version": None, "image_uri": "1.ecr/mine:2"},
        {"AlgorithmSpecification.TrainingImage": "1.ecr/mine:2"},
    ),
    "volume": ({"volume_size": 200}, {"ResourceConfig.VolumeSizeInGB": 200}),
    "output": (
        {"output_path": "s3://sift-tests/models", "disable_output_compression": True},
        {"OutputDataConfig": {"S3OutputPath": "s3://sift-tests/models", "CompressionType": "NONE"}},
    ),
    "code elsewhere": (
        {"code_location": "s3://sift-tests/code"},
        {
            "HyperParameters.sagemaker_submit_directory": '"s3://sift-tests/code/the-job/source/'
            'sourcedir.tar.gz"'
        },
    ),
    "network isolation": (
        {"enable_network_isolation": True},
        {
            "EnableNetworkIsolation": True,
            "HyperParameters.sagemaker_submit_directory": '"/opt/ml/input/data/code/'
            'sourcedir.tar.gz"',
            "InputDataConfig.1.ChannelName": "code",
            "InputDataConfig.1.DataSource.S3DataSource.S3Uri": "s3://sift-tests/the-job/source/"
            "sourcedir.tar.gz",
        },
    ),
}
INPUTS = {"training": "s3://sift-tests/data"}


def at(request: Any, path: str) -> Any:
    """Return what stands at a dotted path in a request."""
    for name in path.split("."):
        request = request[int(name) if isinstance(request, list) else name]
    return request


@pytest.fixture
def sent(aws: Any, job_arguments: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """A function that sends a job of some options, and returns its request."""

    def send(options: dict[str, Any], launcher: Any = "run") -> dict[str, Any]:
        arguments = {**job_arguments, **options}
        estimator = sift_estimator(CONFIG, launcher=launcher, **arguments)
        estimator.fit(INPUTS, wait=False, job_name="the-job")
        request: dict[str, Any] = aws.request()
        return request

    return send


@pytest.mark.parametrize("name", OPTIONS)
def test_option(
    sent: Callable[..., dict[str, Any]],
    api_violations: Callable[[dict[str, Any]], list[str]],
    name: str,
) -> None:
    """An option arrives in the request, which the API's own model accepts, beside the config."""
    options, expected = OPTIONS[name]
    request = sent(options)
    assert {path: at(request, path) for path in expected} == expected
    assert api_violations(request) == []
    assert SiftConfig.from_hyperparameters(request["HyperParameters"]) == CONFIG


def test_dependencies(
    aws: Any, sent: Callable[..., dict[str, Any]], tmp_path: Path, user_code: Path
) -> None:
    """The source folder and the dependencies travel in one archive, the toolkit beside them."""
    library = tmp_path / "library"
    library.mkdir()
    (library / "tools.py").write_text("TOOLS = 1\n")
    request = sent({"source_dir": user_code, "dependencies": [library]})
    address = at(request, "HyperParameters.sagemaker_submit_directory").strip('"')
    assert {
        "train.py",
        "model/net.py",
        "library/tools.py",
        "sift_toolkit/entry_points/run.py",
    } <= set(aws.code_at(address))


def test_code_of_an_isolated_job(aws: Any, sent: Callable[..., dict[str, Any]]) -> None:
    """What a job under network isolation finds in its code channel is user and toolkit together."""
    request = sent({"enable_network_isolation": True}, launcher="train")
    address = at(request, "InputDataConfig.1.DataSource.S3DataSource.S3Uri")
    files = set(aws.code_at(address))
    assert {"train.py", "sift_toolkit/entry_points/train.py"} <= files
    assert at(request, "HyperParameters.sagemaker_program").strip('"') in files


HOOKS = """
import os
from pathlib import Path
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ROWS = torch.linspace(-1, 1, 32).unsqueeze(1)

def epochs(job): return 3
def model(job): return nn.Linear(1, 2)
def train_data(job): return DataLoader(TensorDataset(ROWS, (ROWS[:, 0] > 0).long()), batch_size=8)
def test_data(job): return train_data(job)
def optimizer(model, job): return torch.optim.SGD(model.parameters(), lr=0.1)
def loss(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")
def correct(model, batch):
    marker = Path(os.environ["MARKER"])
    reached = marker.read_text() if marker.exists() else ""
    marker.write_text(reached + ".")
    if len(reached) == 4:
        os.kill(os.getpid(), 9)
    return model(batch[0]).argmax(dim=1) == batch[1]
"""


def test_interrupted_spot_job_goes_on(
    aws: Any, sent: Callable[..., dict[str, Any]], user_code: Path, tmp_path: Path
) -> None:
    """What a spot job saved before it was killed is where it looks when it starts again.

    SageMaker copies the request's checkpoint folder to S3 and back; here a folder stands for both.
    """
    (user_code / "hooks.py").write_text(HOOKS)
    request = sent({**SPOT, "entry_point": "hooks.py"}, launcher="train")
    assert "LocalPath" not in request["CheckpointConfig"]
    hyperparameters = request["HyperParameters"]
    archive = tmp_path / "sourcedir.tar.gz"
    address = hyperparameters["sagemaker_submit_directory"].strip('"').removeprefix("s3://")
    aws.session.s3_client.download_file(*address.split("/", 1), str(archive))
    description = JobDescription(
        name="the-job",
        hyperparameters={**hyperparameters, "sagemaker_submit_directory": str(archive)},
        checkpoints=tmp_path / "in-s3",
        environment={"MARKER": str(tmp_path / "marker")},
    )
    first = launch(description, tmp_path / "first")
    assert first.failure is not None
    second = launch(description, tmp_path / "second")
    log = list(second.tree.log_lines())
    assert second.failure is None, "\n".join(log)
    assert any("going on from" in line for line in log)
