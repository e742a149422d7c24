"""A mocked AWS account as `sift_toolkit.testing` makes it, and what a user has to launch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from botocore.model import Shape

from sift_toolkit.testing import MockedAws, request_violations
from sift_toolkit.testing._request_model import request_shape
from sift_toolkit.testing.plugin import sift_aws, sift_aws_account

__all__ = ["sift_aws", "sift_aws_account"]

REGION = "us-west-2"
BUCKET = "sift-tests"
ROLE = "arn:aws:iam::123456789012:role/sift-tests"


@pytest.fixture(scope="session", autouse=True)
def _quiet_sdk() -> Iterator[None]:
    """The SDK v2 announces its end of support on every import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
        yield


@pytest.fixture(scope="session", autouse=True)
def _checks_once() -> Iterator[None]:
    """The SDK holds its settings against a huge schema at each of the dozens of looks at them.

    Each look takes a tenth of a second; here each settings are checked once.
    """
    check = jsonschema.validate
    checked: set[tuple[int, str]] = set()

    def check_once(instance: Any, schema: Any) -> None:
        key = id(schema), repr(instance)
        if key not in checked:
            check(instance, schema)
            checked.add(key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonschema, "validate", check_once)
        yield


@pytest.fixture(scope="module")
def mocked_aws(sift_aws_account: MockedAws) -> Iterator[MockedAws]:
    """An account with one bucket, in which nothing reaches the network or is reported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "sagemaker.telemetry.telemetry_logging._send_telemetry_request", lambda *_, **__: None
        )
        yield sift_aws_account


@pytest.fixture
def aws(mocked_aws: MockedAws) -> MockedAws:
    """The mocked account, with the calls of earlier tests forgotten."""
    mocked_aws.calls.clear()
    return mocked_aws


@pytest.fixture
def user_code(tmp_path: Path) -> Path:
    """A folder as users have it: a script, a module, and what no job needs."""
    folder = tmp_path / "src"
    files = {
        "train.py": "print('training')\n",
        "model/net.py": "LAYERS = 2\n",
        "model/__pycache__/net.cpython-311.pyc": "junk",
        "old.pyc": "junk",
        ".git/HEAD": "junk",
        "venv/pyvenv.cfg": "junk",
        ".ipynb_checkpoints/train-checkpoint.py": "junk",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def job_arguments(aws: MockedAws, user_code: Path) -> dict[str, Any]:
    """What every job on SageMaker needs beside its config."""
    return {
        "entry_point": "train.py",
        "source_dir": user_code,
        "role": ROLE,
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
        "framework_version": "2.8.0",
        "py_version": "py312",
        "sagemaker_session": aws.session,
    }


@pytest.fixture(scope="session")
def pipeline_variable() -> Any:
    """A value that is only known when a SageMaker pipeline runs."""
    from sagemaker.workflow.parameters import ParameterInteger

    return ParameterInteger(name="Later", default_value=3)


@pytest.fixture(scope="session")
def training_request_model() -> Shape:
    """The request of CreateTrainingJob as botocore describes it."""
    return request_shape()


@pytest.fixture(scope="session")
def api_violations() -> Callable[[dict[str, Any]], list[str]]:
    """A function that names everything in a request that the API's own model forbids."""
    return request_violations


@pytest.fixture
def on(aws: Any) -> Iterator[Callable[[str, Callable[..., Any]], None]]:
    """Register a handler of botocore's events for the time of a test."""
    events = aws.session.sagemaker_client.meta.events
    registered = []

    def register(event: str, handler: Callable[..., Any]) -> None:
        events.register(event, handler)
        registered.append((event, handler))

    yield register
    for event, handler in registered:
        events.unregister(event, handler)
