"""The session of an SDK v2 job, and what it knows of a job that failed on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest

from sift_toolkit import HostSession, SiftConfig, compare, sift_estimator
from sift_toolkit.client._estimator_session import failed_host_job, place_of, session_problems
from sift_toolkit.errors import SiftJobError


def test_sessions(aws: Any, tmp_path: Path) -> None:
    """The SDK's sessions, or none, pass; jobs run where they or the instance type say."""
    for session in (None, aws.session, HostSession(tmp_path)):
        assert session_problems(session) == []
    assert place_of(aws.session, "ml.m5.xlarge") == "sagemaker"
    assert place_of(aws.session, "local_gpu") == place_of(None, "local") == "local"
    assert place_of(HostSession(tmp_path), "local") == "host"
    assert failed_host_job(aws.session, "a-job") is None


@pytest.mark.parametrize("session", ["us-west-2", boto3.Session(region_name="us-west-2")])
def test_a_session_that_is_none(session: object) -> None:
    """A region, or a session of boto3, is refused in words."""
    (problem,) = session_problems(session)
    assert problem.startswith("sagemaker_session must be a sagemaker.Session, got a ")


def test_a_job_that_failed_here(tmp_path: Path) -> None:
    """The estimator leads to it, as to one that failed on SageMaker."""
    script = tmp_path / "train.py"
    script.write_text("raise ValueError('boom')\n")
    session = HostSession(tmp_path / "jobs", on_line=lambda _: None)
    estimator = sift_estimator(
        SiftConfig(keep=0.5), entry_point=script, role="any", sagemaker_session=session
    )
    with pytest.raises(SiftJobError, match="boom"):
        estimator.fit(job_name="a-job")
    (record,) = compare([estimator]).records()
    assert (record["training_job_name"], record["status"]) == ("a-job", "Failed")
