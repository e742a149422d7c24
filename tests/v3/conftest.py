"""A mocked AWS account under SDK v3, and jobs in it that are really run.

These tests have an environment of their own, for SDK v2 and v3 exclude each other: `make test-v3`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit.client._sdks import installed
from sift_toolkit.testing import MockedAws, mocked_aws
from tests.v3.played import JOB_FOLDER, PlayedJob, play, why_not

collect_ignore_glob = [] if installed(3) else ["test_*.py"]

OF_THE_SDK = (
    "ignore:sagemaker.train.configs has been moved:DeprecationWarning",
    # Where Python has not compiled the SDK yet.
    "ignore:invalid escape sequence:DeprecationWarning",
    "ignore:invalid escape sequence:SyntaxWarning",
)
"""What SDK v3's own modules are warned of when they are imported."""


def pytest_configure(config: pytest.Config) -> None:
    """Let SDK v3 have its warnings."""
    for rule in OF_THE_SDK:
        config.addinivalue_line("filterwarnings", rule)


@pytest.fixture(scope="session", autouse=True)
def _quick_sdk() -> Iterator[None]:
    """SDK v3 checks its defaults against their schema nine times a job, which takes seconds."""
    from sagemaker.core.config.config_manager import SageMakerConfig

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SageMakerConfig, "validate_sagemaker_config", lambda *_: None)
        yield


@pytest.fixture(scope="session")
def account() -> Iterator[MockedAws]:
    """An account with one bucket, in which nothing reaches the network."""
    with mocked_aws() as found:
        yield found


@pytest.fixture
def aws(account: MockedAws) -> MockedAws:
    """The mocked account, with the calls of earlier tests forgotten."""
    account.calls.clear()
    return account


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is staged here can be told from what other processes stage."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with a script and a module beside it."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "train.py").write_text("print('training')\n")
    (folder / "beside.py").write_text("VALUE = 7\n")
    return folder


@pytest.fixture
def job_arguments(aws: MockedAws, source: Path) -> dict[str, Any]:
    """What every job on SageMaker needs beside its config, by the names of SDK v2."""
    return {
        "entry_point": "train.py",
        "source_dir": source,
        "role": aws.role,
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
        "framework_version": "2.8.0",
        "py_version": "py312",
        "sagemaker_session": aws.silent_session,
    }


@pytest.fixture(scope="session")
def _playing() -> Iterator[None]:
    """Jobs can be played here; what that needs goes afterwards."""
    was_there = JOB_FOLDER.exists()
    if reason := why_not():
        pytest.skip(reason)
    yield
    if not was_there:
        with contextlib.suppress(OSError):
            JOB_FOLDER.rmdir()


@pytest.fixture
def run(aws: MockedAws, tmp_path: Path, _playing: None) -> Callable[..., PlayedJob]:
    """Launch a trainer's job, and play it as SageMaker would: to its end, on this machine."""

    def job(trainer: Any, inputs: Any = None) -> PlayedJob:
        trainer.fit(inputs, wait=False)
        base = tmp_path / trainer.latest_training_job.training_job_name
        return play(aws.request(), aws.boto_session.client("s3"), base)

    return job
