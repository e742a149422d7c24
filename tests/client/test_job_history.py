"""A job's course from its log: observations as far as lines can tell them."""

from __future__ import annotations

from sift_toolkit import SiftConfig
from sift_toolkit.client._job_history import history_of
from sift_toolkit.metrics import read_lines
from sift_toolkit.testing import FakeJob


def test_a_log_tells_what_the_report_does() -> None:
    """Each observation has the same values; what stands in no line is missing."""
    job = FakeJob(SiftConfig(keep=0.5, log_every=7))
    history = history_of(read_lines(job.lines()))
    assert history is not None
    assert [dict(each.values) for each in history.observations] == [
        dict(each.values) for each in job.observations()
    ]
    assert history.stuck_ids == []


def test_no_lines_are_no_history() -> None:
    """A log without metrics tells nothing."""
    assert history_of(read_lines(["Epoch 1", ""])) is None
