"""Names of jobs that were given none."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from sift_toolkit.client._job_names import (
    TIMESTAMP,
    described_name,
    labelled_name,
    timed_name,
    tuning_job_name,
)
from sift_toolkit.client._limits import JOB_NAME, TUNING_JOB_NAME

NOON = datetime(2026, 11, 23, 12, 0, 1, 7_900, tzinfo=timezone.utc)


def test_sdk_v2_writes_them_so() -> None:
    """The name has the form of the SDK's own."""
    from sagemaker.utils import name_from_base

    ours, theirs = timed_name("pytorch", NOON), name_from_base("pytorch")
    assert ours == "pytorch-2026-11-23-12-00-01-007"
    assert len(ours) == len(theirs) == len(described_name("pytorch"))


@pytest.mark.parametrize("base", ["a", "b" * 39, "b" * 40, "b" * 63, "b" * 38 + "--c"])
def test_they_fit(base: str) -> None:
    """A long base is cut, never the time."""
    name = timed_name(base, NOON)
    assert JOB_NAME.fullmatch(name)
    assert name.endswith("-2026-11-23-12-00-01-007")
    assert described_name(base).endswith(TIMESTAMP)


@pytest.mark.parametrize("base", ["a", "b" * 63, "b" * 30 + "--c"])
def test_a_label_is_never_cut(base: str) -> None:
    """Of a long base less is left, for the label tells a sweep's jobs apart."""
    name = labelled_name(base, "keep-12p5", NOON)
    assert JOB_NAME.fullmatch(name)
    assert name.endswith("-keep-12p5-2026-11-23-12-00-01-007")


@pytest.mark.parametrize("base", ["a", "b" * 32, "b" * 12 + "--c"])
def test_tuning_jobs_have_shorter_names(base: str) -> None:
    """They fit with the time to the thousandth of a second."""
    name = tuning_job_name(base, NOON)
    assert TUNING_JOB_NAME.fullmatch(name)
    assert name.endswith("-261123-120001-007")
