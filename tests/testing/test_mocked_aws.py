"""The mocked account: nothing leaves it, calls are noted, bad requests refused as by AWS."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from sift_toolkit import (
    SiftConfig,
    SiftJobError,
    SiftRequestError,
    SiftUsageError,
    sift_estimator,
)
from sift_toolkit.testing import MockedAws, mocked_aws, request_violations


@pytest.fixture
def arguments(sift_aws: MockedAws, tmp_path: Path) -> dict[str, Any]:
    """What an estimator needs."""
    script = tmp_path / "train.py"
    script.write_text("print('training')\n")
    return {
        "entry_point": str(script),
        "role": sift_aws.role,
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
        "framework_version": "2.8.0",
        "py_version": "py312",
        "sagemaker_session": sift_aws.session,
    }


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The hosts that something looks up in the network, which is not there."""
    hosts: list[object] = []

    def refuse(host: object, *_: object, **__: object) -> None:
        hosts.append(host)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return hosts


def test_a_launched_job(
    sift_aws: MockedAws, arguments: dict[str, Any], asked_for: list[object]
) -> None:
    """A real estimator's job is captured, sound by the API's model, with the code it would run."""
    sift_estimator(SiftConfig(keep=0.5), **arguments).fit(wait=False)
    request = sift_aws.request()
    assert request_violations(request) == []
    assert request["HyperParameters"]["sagemaker_sift_keep"] == "0.5"
    address = request["HyperParameters"]["sagemaker_submit_directory"].strip('"')
    assert sift_aws.code_at(address)["train.py"] == b"print('training')\n"
    assert address.startswith(f"s3://{sift_aws.bucket}/")
    assert asked_for == []


def test_a_launch_that_fails(
    sift_aws: MockedAws, arguments: dict[str, Any], asked_for: list[object]
) -> None:
    """What the SDK reports of it to its makers stays in the mock too."""
    estimator = sift_estimator(SiftConfig(keep=0.5), output_path="s3://not-there", **arguments)
    with pytest.raises(SiftJobError, match="no such bucket"):
        estimator.fit(wait=False)
    assert asked_for == []


@pytest.mark.parametrize(
    ("operation", "request_", "problem"),
    [
        ("create_training_job", {"HyperParameters": {"x": "v" * 2501}}, "2501 is above 2500"),
        ("create_hyper_parameter_tuning_job", {}, "HyperParameterTuningJobConfig is missing"),
    ],
)
def test_a_request_that_aws_would_refuse(
    sift_aws: MockedAws, operation: str, request_: dict[str, Any], problem: str
) -> None:
    """It is noted, and refused with every reason, where moto would take it."""
    client = sift_aws.boto_session.client("sagemaker")
    with pytest.raises(SiftRequestError, match=problem):
        getattr(client, operation)(**request_)
    assert [parameters for _, parameters in sift_aws.calls] == [request_]


def test_calls_by_operation(sift_aws: MockedAws) -> None:
    """Calls are kept in order and found by their operation; a missing one is said in words."""
    s3 = sift_aws.boto_session.client("s3")
    for key in ("a", "b"):
        s3.put_object(Bucket=sift_aws.bucket, Key=key, Body=b"")
    assert [call["Key"] for call in sift_aws.requests("PutObject")] == ["a", "b"]
    assert sift_aws.request("PutObject")["Key"] == "b"
    with pytest.raises(SiftUsageError) as caught:
        sift_aws.request()
    assert str(caught.value) == "no CreateTrainingJob was asked for; the calls were PutObject"


def test_each_test_has_an_empty_account(sift_aws: MockedAws) -> None:
    """A reset leaves the bucket, and nothing in it; the calls are forgotten."""
    s3 = sift_aws.boto_session.client("s3")
    s3.put_object(Bucket=sift_aws.bucket, Key="left", Body=b"")
    sift_aws.reset()
    assert sift_aws.calls == []
    assert s3.list_objects_v2(Bucket=sift_aws.bucket)["KeyCount"] == 0


def test_both_sessions(sift_aws: MockedAws) -> None:
    """One session is quick, the other has the SDK's telemetry off; both are made once."""
    assert sift_aws.session is sift_aws.session
    assert sift_aws.session.sagemaker_config == {}
    modules = sift_aws.silent_session.sagemaker_config["SageMaker"]["PythonSDK"]["Modules"]
    assert modules["TelemetryOptOut"] is True


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_region(region: str) -> None:
    """The account is in the region that was asked for, the one without a constraint too."""
    with mocked_aws(region) as account:
        assert account.region == region
        location = account.boto_session.client("s3").get_bucket_location(Bucket=account.bucket)
        assert (location["LocationConstraint"] or "us-east-1") == region


@pytest.mark.parametrize("package", ["boto3", "moto"])
def test_what_is_not_installed(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """What brings a missing package is said."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SiftUsageError, match=rf"needs {package}: pip install 'sift_toolkit\[test"):
        mocked_aws().__enter__()


def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile of the user's own is neither read nor lost."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    before = dict(os.environ)
    with mocked_aws() as account:
        assert "AWS_PROFILE" not in os.environ
        assert account.boto_session.profile_name == "default"
        assert boto3.Session().get_credentials().access_key != "production"
    assert dict(os.environ) == before
