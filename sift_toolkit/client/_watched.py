"""Jobs that can be looked at again and again: those AWS knows, and those on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from sift_toolkit.client._aws_access import AwsAccess
from sift_toolkit.client._host_job import HostJob
from sift_toolkit.client._job_facts import JobFacts
from sift_toolkit.client._job_log import HostLog, LogLine
from sift_toolkit.client._job_reading import describe, read_described_job
from sift_toolkit.client._job_source import AwsJob, host_facts

__all__ = ["Watched", "watched"]


class Watched(Protocol):
    """A job that is being watched."""

    name: str

    def describe(self) -> Mapping[str, Any]:
        """Return what DescribeTrainingJob says."""

    def new_lines(self) -> Iterator[LogLine]:
        """Yield what its log has got since it was read last."""

    def renew(self) -> bool:
        """Look for fresh credentials; False: there can be none."""

    def facts(self, description: Mapping[str, Any], now: datetime) -> JobFacts:
        """Return what is known of it, metrics wherever they are."""


def watched(job: AwsJob | HostJob) -> Watched:
    """Return what to look at to watch *job*."""
    return _OnHost(job) if isinstance(job, HostJob) else _OnAws(job.name, job.access)


class _OnAws:
    def __init__(self, name: str, access: AwsAccess) -> None:
        self.name = name
        self._access = access
        # The client is asked for each time, for renewed credentials come with another one.
        self._log = None if access.is_local else HostLog(lambda: access.logs, name)

    def describe(self) -> Mapping[str, Any]:
        return describe(self.name, self._access)

    def new_lines(self) -> Iterator[LogLine]:
        return iter(()) if self._log is None else self._log.new_lines()

    def renew(self) -> bool:
        return self._access.renew()

    def facts(self, description: Mapping[str, Any], now: datetime) -> JobFacts:
        return read_described_job(self.name, self._access, description, now)


class _OnHost:
    def __init__(self, job: HostJob) -> None:
        self.name = job.name
        self._job = job
        self._num_read = 0

    def describe(self) -> Mapping[str, Any]:
        return self._job.describe()

    def new_lines(self) -> Iterator[LogLine]:
        for line in islice(self._job.lines(), self._num_read, None):
            self._num_read += 1
            yield LogLine(time.time(), line)

    def renew(self) -> bool:
        return False

    def facts(self, description: Mapping[str, Any], now: datetime) -> JobFacts:  # noqa: ARG002 - its own
        return host_facts(self._job, now)
