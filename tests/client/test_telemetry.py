"""The switch that keeps the SageMaker SDK from reporting jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from sift_toolkit import HostSession, SiftConfig, SiftJobError, sift_estimator
from sift_toolkit.client import without_telemetry
from sift_toolkit.client._telemetry import opted_out
from sift_toolkit.testing import MockedAws

SWITCH = {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that the SDK sends reports to, which reach nobody."""
    seen: list[str] = []
    monkeypatch.setattr(
        "sagemaker.telemetry.telemetry_logging._requests_helper",
        lambda url, _: seen.append(url),
    )
    return seen


@pytest.fixture
def session(sift_aws_account: MockedAws) -> Iterator[Any]:
    """A session of the SDK, whose defaults say nothing."""
    session = sift_aws_account.session
    before = session.sagemaker_config
    yield session
    session.sagemaker_config = before


def fit(arguments: dict[str, Any], session: Any) -> None:
    """Start a job in a session."""
    estimator = sift_estimator(
        SiftConfig(keep=0.5), **{**arguments, "sagemaker_session": session}, ship_toolkit=False
    )
    estimator.fit({"training": "s3://sift-tests/data"}, wait=False)


@pytest.fixture
def arguments(sift_aws_account: MockedAws, user_code: Any) -> dict[str, Any]:
    """What every job on SageMaker needs."""
    return {
        "entry_point": "train.py",
        "source_dir": user_code,
        "role": sift_aws_account.role,
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
        "framework_version": "2.8.0",
        "py_version": "py312",
    }


def test_switch(session: Any, arguments: dict[str, Any], reports: list[str]) -> None:
    """A fit() is reported as long as the switch is not used, and never after."""
    fit(arguments, session)
    assert len(reports) == 1
    assert "x-accountId=" in reports[0]
    assert without_telemetry(session) is session
    fit(arguments, session)
    assert len(reports) == 1


def test_new_session(sift_aws_account: MockedAws) -> None:
    """Without a session of the user's own one of the SDK is made."""
    from sagemaker import Session

    session = without_telemetry()
    assert isinstance(session, Session)
    assert session.sagemaker_config["SageMaker"] == SWITCH


def test_host_session() -> None:
    """A HostSession reports nothing by itself."""
    assert HostSession().sagemaker_config["SageMaker"] == SWITCH


def test_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that cannot be made is said in words, as everywhere else."""
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SiftJobError, match="no AWS region is set"):
        without_telemetry()


def test_tests_report_nothing() -> None:
    """In these tests every session of the SDK that is made without defaults has the switch off."""
    from sagemaker import Session
    from sagemaker.local import LocalSession

    boto_session = boto3.Session(region_name="us-west-2")
    for session in (Session(boto_session=boto_session), LocalSession(boto_session=boto_session)):
        assert session.sagemaker_config["SageMaker"] == SWITCH


@pytest.mark.parametrize("defaults", [None, {}, {"SageMaker": None}])
def test_no_defaults(defaults: dict[str, Any] | None) -> None:
    """Where there are no defaults, the switch is all there is, in a form the SDK accepts."""
    from sagemaker.config import validate_sagemaker_config

    changed = opted_out(defaults)
    assert changed == {"SchemaVersion": "1.0", "SageMaker": SWITCH}
    validate_sagemaker_config(changed)


def test_other_defaults() -> None:
    """The user's own defaults stay as they were, and so does what was given."""
    others = {"RemoteFunction": {"IncludeLocalWorkDir": True}}
    modules = {"Session": {"DefaultS3Bucket": "mine"}}
    defaults = {
        "SchemaVersion": "1.0",
        "CustomParameters": {"a": "b"},
        "SageMaker": {**others, "PythonSDK": {"Modules": {**modules, "TelemetryOptOut": False}}},
    }
    changed = opted_out(defaults)
    assert changed == {
        "SchemaVersion": "1.0",
        "CustomParameters": {"a": "b"},
        "SageMaker": {**others, "PythonSDK": {"Modules": {**modules, "TelemetryOptOut": True}}},
    }
    assert defaults["SageMaker"]["PythonSDK"]["Modules"]["TelemetryOptOut"] is False  # type: ignore[index] # set above
