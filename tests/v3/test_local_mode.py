"""SDK v3's local mode, with a stub in the place of Docker."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit import SiftRequestError, sift_model_trainer
from sift_toolkit.client._staging import STAGED_PREFIX
from sift_toolkit.testing import MockedAws
from tests.one_job import CONFIG, ENVIRONMENT, HYPERPARAMETERS, SCRIPT, check_seen
from tests.v3.played import image_bin

# The SDK does not close what it reads docker's output from.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

STUB = Path(__file__).with_name("stub_docker.py")


@pytest.fixture
def _docker(_playing: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A docker on the PATH, whose images all are the environment that has torch."""
    programs = tmp_path / "bin"
    programs.mkdir()
    docker = programs / "docker"
    docker.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STUB}" "$@"\n')
    docker.chmod(0o755)
    monkeypatch.setenv("IMAGE_PATH", os.pathsep.join([str(image_bin()), os.environ["PATH"]]))
    monkeypatch.setenv("PATH", os.pathsep.join([str(programs), os.environ["PATH"]]))
    yield
    gc.collect()


@pytest.fixture
def local_arguments(job_arguments: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """What a job in local mode needs beside its config."""
    for name in ("framework_version", "py_version", "sagemaker_session"):
        del job_arguments[name]
    output = {"output_path": f"file://{tmp_path / 'output'}"}
    return {**job_arguments, **output, "instance_type": "local", "image_uri": "image:1"}


def staged(tmp_path: Path) -> list[Path]:
    """The staged folders that are left."""
    return list((tmp_path / "temporary").glob(f"{STAGED_PREFIX}*"))


@pytest.mark.usefixtures("_docker")
def test_a_job(
    aws: MockedAws,
    local_arguments: dict[str, Any],
    source: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It runs here without a call to AWS, and leaves its model and no keys."""
    (source / "train.py").write_text(
        SCRIPT + "\nopen(os.environ['SM_MODEL_DIR'] + '/model.txt', 'w').write('trained')\n"
        "print(sorted(os.listdir(os.environ['SM_CHANNEL_TRAINING'])))\n"
    )
    trainer = sift_model_trainer(
        CONFIG, **local_arguments, hyperparameters=HYPERPARAMETERS, environment=ENVIRONMENT
    )
    trainer.train({"training": f"file://{source}"})
    lines = [line.split("| ", 1)[-1] for line in capfd.readouterr().out.splitlines()]
    check_seen(lines)
    assert "['beside.py', 'train.py']" in lines
    output = tmp_path / "output"
    assert (output / "compressed_artifacts" / "model.tar.gz").is_file()
    assert not list(output.rglob("docker-compose.yaml"))
    assert staged(tmp_path) == []
    assert aws.calls == []


@pytest.mark.usefixtures("_docker")
def test_a_job_that_fails(local_arguments: dict[str, Any], source: Path, tmp_path: Path) -> None:
    """Keys and code go then too; a job without an output path has a folder of its own."""
    (source / "train.py").write_text("raise ValueError('no column age')")
    del local_arguments["output_path"]
    trainer = sift_model_trainer(CONFIG, **local_arguments)
    with pytest.raises(RuntimeError):
        trainer.train()
    root = Path(trainer.local_container_root)
    assert root.parent == tmp_path / "temporary"
    assert not list(root.rglob("docker-compose.yaml"))
    assert staged(tmp_path) == []


def test_what_it_cannot_do(local_arguments: dict[str, Any]) -> None:
    """Spot instances, checkpoints in S3 and an output in S3 are refused."""
    wrong = {
        "use_spot_instances": True,
        "checkpoint_s3_uri": "s3://bucket/checkpoints",
        "output_path": "s3://bucket/models",
    }
    with pytest.raises(SiftRequestError) as caught:
        sift_model_trainer(CONFIG, **{**local_arguments, **wrong})
    assert len(caught.value.problems) == 3


def test_it_can_be_described(local_arguments: dict[str, Any]) -> None:
    """The request is what SageMaker would be sent, by this name of an instance."""
    described = sift_model_trainer(CONFIG, **local_arguments).describe_request()
    assert described["ResourceConfig"]["InstanceType"] == "local"
