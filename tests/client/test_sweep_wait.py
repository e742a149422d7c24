"""Jobs that run side by side are looked after until they have ended."""

from __future__ import annotations

from typing import Any

import pytest

from sift_toolkit import SiftConfig
from sift_toolkit.client._sweep_wait import JobsUnderWay
from sift_toolkit.errors import SiftJobError, SiftUsageError
from sift_toolkit.testing import FakeJob, MockedAws, record_job

JOB = FakeJob(SiftConfig(keep=0.5))


class Launcher:
    """What an estimator looks like once it has launched a job."""

    def __init__(self, aws: MockedAws, name: str) -> None:
        self.latest_training_job = type("Job", (), {"name": name})
        self.sagemaker_session = aws.session


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_seconds_between_two_looks(seconds: Any) -> None:
    """There is no looking without a pause."""
    with pytest.raises(SiftUsageError, match="poll_seconds must be above 0"):
        JobsUnderWay(seconds)


def test_what_failed_is_told(aws: MockedAws) -> None:
    """All are waited for; those that failed are told with their reason, if they gave one."""
    under_way = JobsUnderWay(0.001)
    for name, status, reason in (
        ("fine", "Completed", None),
        ("stopped", "Stopped", None),
        ("broken", "Failed", "AlgorithmError: boom"),
        ("silent", "Failed", None),
    ):
        record_job(
            aws.boto_session,
            name,
            JOB,
            status=status,  # type: ignore[arg-type] # one of those there are
            failure_reason=reason,
            logged=False,
            charted=False,
        )
        under_way.add(name, Launcher(aws, name))
    under_way.wait(at_most=0)
    assert under_way.failures == {"broken": "AlgorithmError: boom", "silent": "it gave no reason"}


def test_a_job_that_nobody_knows(aws: MockedAws) -> None:
    """What AWS cannot tell is an error at once, for no waiting would mend it."""
    under_way = JobsUnderWay(0.001)
    under_way.add("lost", Launcher(aws, "never-launched"))
    with pytest.raises(SiftJobError, match="'never-launched' could not be looked at"):
        under_way.wait(at_most=0)
