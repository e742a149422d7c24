"""The mocked account's session under SDK v3 reports nothing to anybody."""

from __future__ import annotations

from sift_toolkit.testing import MockedAws


def test_its_session_is_silent(account: MockedAws) -> None:
    """SDK v3 reports from a thread that would outlive the mock, and reach the network."""
    modules = account.session.sagemaker_config["SageMaker"]["PythonSDK"]["Modules"]
    assert modules["TelemetryOptOut"] is True
