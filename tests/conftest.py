"""What all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from sift_toolkit.client._sdks import installed

# A slow or busy machine is no failure; in CI a commit is judged by the same examples each time.
settings.register_profile("patient", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("patient")


def pytest_configure() -> None:
    """Have signals as they are in a terminal, whatever runs the tests: nohup ignores them.

    What is ignored here would be ignored by every process that a test starts and signals.
    """
    for name, usual in (("SIGHUP", signal.SIG_DFL), ("SIGINT", signal.default_int_handler)):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


def pytest_report_header() -> str | None:
    """Say what is left out, and why."""
    if installed(3):
        return None
    return "tests/v3 is left out: it needs SDK v3, which excludes v2; see make test-v3"


NO_TELEMETRY = """\
SchemaVersion: "1.0"
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The SageMaker SDKs report nothing, whichever session a test or its processes make."""
    file = tmp_path_factory.mktemp("sagemaker") / "config.yaml"
    file.write_text(NO_TELEMETRY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", str(file))
        yield
