"""`watch`: a job is followed to its end, and its end is the exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from sift_toolkit import SiftConfig
from sift_toolkit.testing import FakeJob, MockedAws, record_job

Call = Callable[..., Result]

JOB = FakeJob(SiftConfig(keep=0.5, scores="fresh", log_every=10))


@pytest.mark.parametrize(("status", "code"), [("Completed", 0), ("Failed", 1), ("Stopped", 1)])
def test_the_end_is_the_exit_code(sift_aws: MockedAws, call: Call, status: Any, code: int) -> None:
    """0 for a job that completed, 1 for one that did not; what it did is shown."""
    record_job(sift_aws.boto_session, "job", JOB, status=status, failure_reason="no luck")
    answer = call("watch", "job", "--every", "0.05")
    assert answer.exit_code == code, answer.output
    assert status in answer.stdout
    assert "kept" in answer.stdout
    assert "\x1b" not in answer.stdout


def test_json(sift_aws: MockedAws, call_json: Callable[..., Any]) -> None:
    """The facts stand alone on standard output; the progress is elsewhere."""
    record_job(sift_aws.boto_session, "job", JOB)
    content = call_json("watch", "job", "--every", "0.05")
    assert content["status"] == "Completed"
    assert content["figures"]["kept_share"] == pytest.approx(0.5)


def test_no_such_job(sift_aws: MockedAws, call: Call) -> None:
    """A job that AWS does not know is said in words."""
    answer = call("watch", "nobody", "--region", "us-west-2")
    assert answer.exit_code == 1
    assert "'nobody'" in answer.stderr


def test_a_file_does_not_run(call: Call) -> None:
    """What has ended long ago cannot be watched."""
    answer = call("watch", "no_such_job")
    assert answer.exit_code == 2
