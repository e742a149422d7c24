"""What the package for users' tests is from outside: its names, and what importing it costs."""

from __future__ import annotations

import json
import subprocess
import sys

import boto3
import pytest

from sift_toolkit import SiftConfig, SiftUsageError, testing
from sift_toolkit.testing import FakeJob, record_job

HEAVY = {"boto3", "botocore", "moto", "sagemaker", "torch", "pytest", "rich"}


@pytest.mark.parametrize("name", testing.__all__)
def test_each_name_resolves(name: str) -> None:
    """Every promised name is there, and stands in `dir()`."""
    assert getattr(testing, name) is not None
    assert name in dir(testing)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as it does in any module."""
    with pytest.raises(AttributeError, match=r"'sift_toolkit\.testing' has no attribute 'faker'"):
        testing.faker  # noqa: B018 - reading it is the test


@pytest.mark.parametrize(
    "statement",
    [
        "import sift_toolkit.testing",
        "from sift_toolkit.testing import FakeJob, request_violations, record_job, mocked_aws",
    ],
)
def test_importing_it_is_cheap(statement: str) -> None:
    """Nothing heavy is imported until something is asked of a mocked account."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = [sys.executable, "-c", code]
    names = json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout)
    assert HEAVY.isdisjoint(names)


def test_no_real_job_is_ever_made() -> None:
    """Outside of a mock nothing is called, and the mend is said."""
    session = boto3.Session("key", "other", region_name="us-west-2")
    with pytest.raises(SiftUsageError, match="mocked account only: call it inside of mocked_aws"):
        record_job(session, "name", FakeJob(SiftConfig(keep=0.5)))
