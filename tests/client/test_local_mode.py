"""What a job in the SDK's local mode leaves behind: its results, and nothing else.

Docker's place takes a script that shows what the containers would be started with.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import boto3
import pytest

from sift_toolkit import SiftConfig, sift_estimator
from sift_toolkit.errors import SiftJobError

# The SDK does not close the pipe that it reads Docker's output from.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"
DOCKER = """#!/bin/sh
case "$*" in
  "compose version") echo "Docker Compose version v2.29.0"; exit 0 ;;
esac
cp "$3" "{seen}"
exit {status}
"""


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    """Where the stand-in for Docker puts the compose file it was given."""
    return tmp_path / "compose.yaml"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def start_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: Path, *, status: int = 0, **options: Any
) -> Any:
    """Run a job with Docker's stand-in, which ends with a status; return its estimator."""
    tools = tmp_path / "bin"
    tools.mkdir()
    docker = tools / "docker"
    docker.write_text(DOCKER.format(seen=seen, status=status))
    docker.chmod(docker.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    from sagemaker.local import LocalSession

    session = LocalSession(
        boto_session=boto3.Session(
            aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-west-2"
        )
    )
    # The SDK is quicker without defaults, but then would report the job.
    session.sagemaker_config = {}
    monkeypatch.setattr(
        "sagemaker.telemetry.telemetry_logging._send_telemetry_request", lambda *_, **__: None
    )
    session.config = {"local": {"local_code": True, **options.pop("local", {})}}
    script = tmp_path / "train.py"
    script.touch()
    estimator = sift_estimator(
        SiftConfig(keep=0.5),
        entry_point=script,
        ship_toolkit=False,
        role="arn:aws:iam::123456789012:role/any",
        instance_type="local",
        instance_count=1,
        image_uri="image",
        sagemaker_session=session,
        **options,
    )
    estimator.fit()
    return estimator


def files_with_keys(folder: Path) -> list[Path]:
    """The files below a folder that hold a credential."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and any(word.encode() in path.read_bytes() for word in (KEY, SECRET))
    ]


def test_keys_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: Path, temporary: Path
) -> None:
    """The compose file, in which the SDK had written the keys, does not outlive the job."""
    output = tmp_path / "models"
    output.mkdir()
    estimator = start_job(tmp_path, monkeypatch, seen, output_path=f"file://{output}")
    assert SECRET in seen.read_text()
    seen.unlink()
    assert files_with_keys(tmp_path) == []
    assert list(temporary.iterdir()) == []
    assert (output / "model.tar.gz").is_file()
    assert estimator.sagemaker_session.config == {"local": {"local_code": True}}


def test_model_that_stays_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: Path, temporary: Path
) -> None:
    """Without an output path the SDK leaves the model in its temporary folder: that is kept."""
    estimator = start_job(tmp_path, monkeypatch, seen)
    model = Path(estimator.model_data.removeprefix("file://"))
    assert model.is_file()
    assert temporary in model.parents
    seen.unlink()
    assert files_with_keys(tmp_path) == []


def test_failed_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: Path, temporary: Path
) -> None:
    """A job that fails leaves no keys either."""
    with pytest.raises((RuntimeError, SiftJobError)):
        start_job(tmp_path, monkeypatch, seen, status=1)
    assert SECRET in seen.read_text()
    seen.unlink()
    assert files_with_keys(tmp_path) == []


def test_folder_of_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: Path, temporary: Path
) -> None:
    """Where the user has set the folder of the containers' files, it is used, and left empty."""
    own = tmp_path / "containers"
    own.mkdir()
    output = tmp_path / "models"
    output.mkdir()
    options: dict[str, Any] = {
        "local": {"container_root": str(own)},
        "output_path": f"file://{output}",
    }
    estimator = start_job(tmp_path, monkeypatch, seen, **options)
    assert str(own) in seen.read_text()
    assert list(own.iterdir()) == []
    assert estimator.sagemaker_session.config["local"]["container_root"] == str(own)
