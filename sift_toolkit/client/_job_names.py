"""Names of jobs that were given none: a base and the time, as SDK v2 writes them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sift_toolkit.client import _limits

TIMESTAMP: Final = "YYYY-MM-DD-HH-MM-SS-mmm"
"""Ends the name of a described job that was given none; as long as the SDK's own."""


def described_name(base: str) -> str:
    """Return the name of a job as the SDK makes it, with a stand-in for the time."""
    return _joined(base, TIMESTAMP)


def timed_name(base: str, time: datetime) -> str:
    """Return a name for the job that starts now; two of one millisecond get the same."""
    milliseconds = time.microsecond // 1000
    return _joined(base, f"{time:%Y-%m-%d-%H-%M-%S}-{milliseconds:03d}")


def labelled_name(base: str, label: str, time: datetime) -> str:
    """Return a name that keeps its label however long the base is."""
    return timed_name(
        f"{base[: _limits.JOB_NAME_MAX - len(label) - len(TIMESTAMP) - 2]}-{label}", time
    )


def tuning_job_name(base: str, time: datetime) -> str:
    """Return a name for the tuning job that starts now, which has 32 characters at most."""
    return f"{base[:14].rstrip('-')}-{time:%y%m%d-%H%M%S}-{time.microsecond // 1000:03d}"


def _joined(base: str, ending: str) -> str:
    return f"{base[: _limits.JOB_NAME_MAX - len(ending) - 1]}-{ending}"
