"""SageMaker's part of a job, played on this machine: channels from S3, /opt/ml, the container.

The request is the one that the SDK sent, its channels hold what the SDK uploaded, and its entry
point is started as it stands there. No Docker: a mount namespace shows the job its own /opt/ml.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sift_toolkit.contract import JobTree

ROOT = Path(__file__).parents[2]
IMAGE_PYTHON = ROOT / ".venv" / "bin" / "python"
"""The interpreter that stands for the one in the image: torch, and no SDK v3."""

JOB_FOLDER = Path("/opt/ml")
"""Where a job's own files are mounted."""

_MOUNT = 'mount --bind "$1" /opt/ml && shift && exec "$@"'


@dataclass(frozen=True)
class PlayedJob:
    """A job that has ended."""

    tree: JobTree
    exit_code: int
    lines: list[str]
    """All it printed."""


def image_bin() -> Path:
    """Return the folder of the image's programs."""
    return IMAGE_PYTHON.parent if IMAGE_PYTHON.exists() else Path(sys.executable).parent


def why_not() -> str | None:
    """Return what keeps jobs from being played here, None if nothing does."""
    try:
        JOB_FOLDER.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"no folder for a job's files: {error}"
    tried = subprocess.run(
        [*_namespace(), "bash", "-c", _MOUNT, "bash", "/tmp", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no mount namespace: {tried.stderr.strip()}" if tried.returncode else None


def play(request: dict[str, Any], s3: Any, base: Path) -> PlayedJob:
    """Run the job of a CreateTrainingJob request under *base*, to its end.

    Args:
        request: As it was sent.
        s3: A boto3 client that knows the channels' buckets.
        base: The job's /opt/ml; made here.
    """
    tree = JobTree(base)
    _lay_out(request, s3, tree)
    algorithm = request["AlgorithmSpecification"]
    done = subprocess.run(
        [
            *(*_namespace(), "bash", "-c", _MOUNT, "bash", str(base)),
            *algorithm["ContainerEntrypoint"],
            *algorithm["ContainerArguments"],
        ],
        env={
            "PATH": os.pathsep.join([str(image_bin()), os.environ["PATH"]]),
            "HOME": os.environ["HOME"],
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **request.get("Environment", {}),
            "TRAINING_JOB_NAME": request["TrainingJobName"],
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return PlayedJob(tree, done.returncode, done.stdout.splitlines())


def _namespace() -> list[str]:
    own_user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--mount", *own_user]


def _lay_out(request: dict[str, Any], s3: Any, tree: JobTree) -> None:
    for folder in (tree.config_dir, tree.data_dir, tree.model_dir, tree.output_data_dir):
        folder.mkdir(parents=True)
    channels = request["InputDataConfig"]
    for channel in channels:
        address = channel["DataSource"]["S3DataSource"]["S3Uri"]
        _download(s3, address, tree.data_dir / channel["ChannelName"])
    files = {
        tree.hyperparameters_file: request["HyperParameters"],
        tree.channels_file: {
            channel["ChannelName"]: {"TrainingInputMode": "File"} for channel in channels
        },
        tree.resources_file: {
            "current_host": "algo-1",
            "hosts": ["algo-1"],
            "network_interface_name": "lo",
            "current_instance_type": request["ResourceConfig"]["InstanceType"],
        },
    }
    for file, content in files.items():
        file.write_text(json.dumps(content), encoding="utf-8")


def _download(s3: Any, address: str, folder: Path) -> None:
    bucket, prefix = address.removeprefix("s3://").split("/", 1)
    folder.mkdir()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            below = entry["Key"].removeprefix(prefix).lstrip("/")
            target = folder / (below or Path(prefix).name)
            target.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, entry["Key"], str(target))
