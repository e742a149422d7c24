"""A training job's log in CloudWatch: its streams, and what has come since it was read last."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sift_toolkit.client._log_lines import LineJoiner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["HostLog", "LogLine", "LogStream", "log_streams"]

LOG_GROUP: Final = "/aws/sagemaker/TrainingJobs"
_STREAM: Final = re.compile(r"(?P<host>[^/]*?(?P<number>\d*))-(?P<started>\d+)")


class LogLine(NamedTuple):
    """One line that a job printed."""

    seconds: float
    """When, in seconds since 1970."""
    text: str


class LogStream(NamedTuple):
    """One host's log from one start; a host that starts anew, as on spot, begins another."""

    number: int
    host: str
    started: int
    name: str


def log_streams(logs: Any, job_name: str) -> list[LogStream]:
    """Return a job's log streams: algo-1's first, each host's in the order they began.

    Empty where there are none yet.
    """
    try:
        pages = list(
            logs.get_paginator("describe_log_streams").paginate(
                logGroupName=LOG_GROUP, logStreamNamePrefix=f"{job_name}/"
            )
        )
    except logs.exceptions.ResourceNotFoundException:
        # The account's first job: the group itself comes with the first line.
        return []
    return sorted(_stream(entry["logStreamName"]) for page in pages for entry in page["logStreams"])


def _stream(name: str) -> LogStream:
    found = _STREAM.fullmatch(name.rpartition("/")[2])
    if found is None:
        return LogStream(0, name, 0, name)
    return LogStream(int(found["number"] or 0), found["host"], int(found["started"]), name)


@dataclass
class _Place:
    """How far a stream was read."""

    token: str | None = None
    milliseconds: int = 0
    """The time of the last event, since 1970."""
    joiner: LineJoiner = field(default_factory=LineJoiner)


class HostLog:
    """The log of one host, over all its starts; remembers how far it was read.

    Args:
        logs: Returns the boto3 client, which may be another one at another time.
        job_name: The training job.
        known: Streams of one host. Default: those of the first host there is, once it is there;
            its first process is the one that reports the metrics.
    """

    def __init__(
        self, logs: Callable[[], Any], job_name: str, known: Sequence[LogStream] = ()
    ) -> None:
        self._logs = logs
        self._job_name = job_name
        self._host = known[0].host if known else None
        self._places = {stream.name: _Place() for stream in known}

    def new_lines(self) -> Iterator[LogLine]:
        """Yield the lines that have come since, all of them the first time."""
        came = False
        for line in self._read_known():
            came = True
            yield line
        if not came and self._find_streams():
            yield from self._read_known()

    def _find_streams(self) -> bool:
        """Look for streams that were not there before; whether there are any."""
        streams = log_streams(self._logs(), self._job_name)
        if self._host is None and streams:
            self._host = streams[0].host
        new = [s.name for s in streams if s.host == self._host and s.name not in self._places]
        self._places.update((name, _Place()) for name in new)
        return bool(new)

    def _read_known(self) -> Iterator[LogLine]:
        for name, place in self._places.items():
            yield from self._read(name, place)

    def _read(self, name: str, place: _Place) -> Iterator[LogLine]:
        while True:
            page = self._page(name, place)
            # Before the lines go out: whoever takes them may not come back for the next page.
            token, place.token = place.token, page["nextForwardToken"]
            for event in page["events"]:
                place.milliseconds = event["timestamp"]
                for text in place.joiner.take(event["message"]):
                    yield LogLine(event["timestamp"] / 1000, text)
            # A page may be empty before the end: only a token that comes back ends a stream.
            if page["nextForwardToken"] == token:
                return

    def _page(self, name: str, place: _Place) -> Any:
        logs = self._logs()
        request = {"logGroupName": LOG_GROUP, "logStreamName": name, "startFromHead": True}
        if place.token is None:
            return logs.get_log_events(**request)
        try:
            return logs.get_log_events(**request, nextToken=place.token)
        except logs.exceptions.InvalidParameterException:
            # A token lasts a day: a laptop has slept longer. A few lines may come twice.
            place.token = None
            return logs.get_log_events(**request, startTime=place.milliseconds)
