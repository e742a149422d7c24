"""A mocked AWS account, the requests made in it, and the API's own model to hold them against."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.model import Shape
from moto import mock_aws

REGION = "us-west-2"
BUCKET = "sift-tests"
ROLE = "arn:aws:iam::123456789012:role/sift-tests"
NO_TELEMETRY = {
    "SchemaVersion": "1.0",
    "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
}

# Java's character classes, as Python's regular expressions have them.
JAVA_CLASSES = {r"\p{L}\p{Z}\p{N}_": r"\w\s", r"\p{Alnum}": "a-zA-Z0-9"}


@dataclass
class MockedAws:
    """SDK sessions in a mocked account, and every call their clients made."""

    session: Any
    """For all but fit(): the SDK is quicker with no defaults, but then reports each fit()."""

    silent_session: Any
    """For fit(): without telemetry."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def request(self, operation: str = "CreateTrainingJob") -> dict[str, Any]:
        """Return the parameters of the last call of an operation."""
        return next(parameters for name, parameters in reversed(self.calls) if name == operation)

    def code_at(self, address: str) -> dict[str, bytes]:
        """Return the files of the archive at an s3:// address, by name."""
        bucket, key = address.removeprefix("s3://").split("/", 1)
        body = self.session.s3_client.get_object(Bucket=bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            files = {member.name: archive.extractfile(member) for member in archive.getmembers()}
            return {name: content.read() for name, content in files.items() if content is not None}


@pytest.fixture(scope="session", autouse=True)
def _quiet_sdk() -> Iterator[None]:
    """The SDK v2 announces its end of support on every import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
        yield


@pytest.fixture(scope="module")
def mocked_aws() -> Iterator[MockedAws]:
    """An account with one bucket, in which nothing reaches the network."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        from sagemaker import Session

        boto_session = boto3.Session(region_name=REGION)
        boto_session.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        calls: list[tuple[str, dict[str, Any]]] = []
        boto_session.events.register(
            "provide-client-params",
            lambda params, model, **_: calls.append((model.name, dict(params))),
        )
        session, silent_session = (
            Session(boto_session=boto_session, default_bucket=BUCKET, sagemaker_config=NO_TELEMETRY)
            for _ in range(2)
        )
        session.sagemaker_config = {}
        yield MockedAws(session, silent_session, calls)


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
    service = botocore.session.get_session().get_service_model("sagemaker")
    shape = service.operation_model("CreateTrainingJob").input_shape
    assert shape is not None
    return shape


@pytest.fixture(scope="session")
def api_violations(training_request_model: Shape) -> Callable[[dict[str, Any]], list[str]]:
    """A function that names everything in a request that the API's own model forbids."""
    return lambda request: list(_violations(training_request_model, request, "request"))


def _violations(shape: Shape, value: Any, place: str) -> Iterator[str]:
    """Walk *value* beside its shape; Booleans and the like have nothing to violate."""
    look = {
        "structure": _structure_violations,
        "list": _list_violations,
        "map": _map_violations,
        "string": _text_violations,
        "integer": _number_violations,
        "long": _number_violations,
    }.get(shape.type_name)
    return look(shape, value, place) if look else iter(())


def _structure_violations(shape: Any, value: dict[str, Any], place: str) -> Iterator[str]:
    yield from (
        f"{place}.{name} is missing" for name in shape.required_members if name not in value
    )
    for name, item in value.items():
        if name in shape.members:
            yield from _violations(shape.members[name], item, f"{place}.{name}")
        else:
            yield f"{place}.{name} is unknown"


def _list_violations(shape: Any, value: list[Any], place: str) -> Iterator[str]:
    yield from _size_violations(shape, len(value), place)
    for index, item in enumerate(value):
        yield from _violations(shape.member, item, f"{place}[{index}]")


def _map_violations(shape: Any, value: dict[str, Any], place: str) -> Iterator[str]:
    yield from _size_violations(shape, len(value), place)
    for key, item in value.items():
        yield from _violations(shape.key, key, f"{place} key {key!r}")
        yield from _violations(shape.value, item, f"{place}[{key!r}]")


def _number_violations(shape: Shape, value: Any, place: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield f"{place} is no whole number: {value!r}"
    else:
        yield from _size_violations(shape, value, place)


def _text_violations(shape: Shape, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{place} is no string: {value!r}"
        return
    yield from _size_violations(shape, len(value), place)
    if (allowed := shape.metadata.get("enum")) and value not in allowed:
        yield f"{place} is none of the allowed words: {value!r}"
    pattern = shape.metadata.get("pattern", r"[\S\s]*")
    for java, python in JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    if re.fullmatch(pattern, value) is None:
        yield f"{place} does not match {pattern}: {value!r}"


def _size_violations(shape: Shape, size: int, place: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield f"{place}: {size} is below {least}"
    if most is not None and size > most:
        yield f"{place}: {size} is above {most}"
