"""A training job's log streams: found, read on, and read whole."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sift_toolkit.client._job_log import LOG_GROUP, HostLog, LogLine, log_streams
from sift_toolkit.metrics import KEPT_SHARE, LOAD_SECONDS, read_lines
from sift_toolkit.testing import MockedAws

COUNT = itertools.count()


@pytest.fixture
def logs(aws: MockedAws) -> Any:
    """A client in the mocked account, which has the log group of training jobs."""
    client = aws.boto_session.client("logs")
    with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
        client.create_log_group(logGroupName=LOG_GROUP)
    return client


@pytest.fixture
def stubbed() -> Iterator[Stubber]:
    """A client whose answers a test writes; all of them must be asked for."""
    client = boto3.client(
        "logs", region_name="us-west-2", aws_access_key_id="a", aws_secret_access_key="b"
    )
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def new_job() -> str:
    """Return the name of a job that no other test has."""
    return f"job-{next(COUNT)}"


def add(logs: Any, stream: str, *messages: str) -> None:
    """Add events to a stream, made if absent, in the order given."""
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName=stream)
    now = int(time.time() * 1000)
    events = [
        {"timestamp": now + index, "message": message} for index, message in enumerate(messages)
    ]
    if events:
        logs.put_log_events(logGroupName=LOG_GROUP, logStreamName=stream, logEvents=events)


def texts(lines: Iterator[LogLine]) -> list[str]:
    """Return what the lines say."""
    return [line.text for line in lines]


def test_hosts_and_starts_are_in_order(logs: Any) -> None:
    """algo-2 comes before algo-10, a host's second start after its first, other jobs not at all."""
    job = new_job()
    for stream in (f"{job}/algo-10-5", f"{job}/algo-2-5", f"{job}/algo-1-20", f"{job}/algo-1-5"):
        add(logs, stream)
    add(logs, f"{job}-other/algo-1-1")
    assert [(stream.host, stream.started) for stream in log_streams(logs, job)] == [
        ("algo-1", 5),
        ("algo-1", 20),
        ("algo-2", 5),
        ("algo-10", 5),
    ]


def test_more_streams_than_a_page_holds(logs: Any) -> None:
    """All hosts of a large job are found."""
    job = new_job()
    for host in range(1, 56):
        add(logs, f"{job}/algo-{host}-1")
    assert [stream.number for stream in log_streams(logs, job)] == [*range(1, 56)]


def test_without_a_log_group_there_is_no_log(stubbed: Stubber) -> None:
    """An account whose first job has not printed yet has no log group: that is no error."""
    stubbed.add_client_error("describe_log_streams", "ResourceNotFoundException")
    assert log_streams(stubbed.client, "job") == []


def test_a_stream_of_another_name_is_read_too(logs: Any) -> None:
    """A stream that is not named as SageMaker names them is taken for a host's."""
    job = new_job()
    add(logs, f"{job}/something", "hello")
    assert texts(HostLog(lambda: logs, job).new_lines()) == ["hello"]


def test_only_what_is_new_comes(logs: Any) -> None:
    """Before the stream is there nothing comes; then all of it; then what was added since."""
    job = new_job()
    log = HostLog(lambda: logs, job)
    stream = f"{job}/algo-1-5"
    assert texts(log.new_lines()) == []
    add(logs, stream, "one", "two")
    assert texts(log.new_lines()) == ["one", "two"]
    assert texts(log.new_lines()) == []
    add(logs, stream, "three")
    assert texts(log.new_lines()) == ["three"]


def test_a_host_that_starts_anew_is_followed(logs: Any) -> None:
    """After an interruption on spot the lines of the new stream come, and still those before."""
    job = new_job()
    log = HostLog(lambda: logs, job)
    add(logs, f"{job}/algo-1-5", "before")
    assert texts(log.new_lines()) == ["before"]
    add(logs, f"{job}/algo-1-9", "after")
    assert texts(log.new_lines()) == ["after"]
    assert texts(HostLog(lambda: logs, job).new_lines()) == ["before", "after"]


def test_lines_carry_their_time(logs: Any) -> None:
    """A line knows when it was printed, in seconds since 1970."""
    job = new_job()
    add(logs, f"{job}/algo-1-5", "hello")
    (line,) = HostLog(lambda: logs, job).new_lines()
    assert abs(line.seconds - time.time()) < 60


def test_half_a_metric_waits_for_its_other_half(logs: Any) -> None:
    """The beginning of a metric is held back until the next look has its end."""
    job = new_job()
    log = HostLog(lambda: logs, job)
    line = KEPT_SHARE.line(0.5)
    add(logs, f"{job}/algo-1-5", line[:12])
    assert texts(log.new_lines()) == []
    add(logs, f"{job}/algo-1-5", line[12:])
    assert texts(log.new_lines()) == [line]


def page(token: str, *messages: str) -> dict[str, Any]:
    """Return an answer of GetLogEvents."""
    events = [
        {"timestamp": 1000 + index, "message": text, "ingestionTime": 0}
        for index, text in enumerate(messages)
    ]
    return {"events": events, "nextForwardToken": token, "nextBackwardToken": "b"}


def asked(token: str | None = None, **others: Any) -> dict[str, Any]:
    """Return the request that an answer belongs to."""
    request = {"logGroupName": LOG_GROUP, "logStreamName": "job/algo-1-5", "startFromHead": True}
    return {**request, **({"nextToken": token} if token else {}), **others}


STREAMS = {"logStreams": [{"logStreamName": "job/algo-1-5"}]}


def test_an_empty_page_is_not_the_end(stubbed: Stubber) -> None:
    """Pages are read until a token comes back, those without events too."""
    stubbed.add_response("describe_log_streams", STREAMS)
    stubbed.add_response("get_log_events", page("f1", "one"), asked())
    stubbed.add_response("get_log_events", page("f2"), asked("f1"))
    stubbed.add_response("get_log_events", page("f3", "two"), asked("f2"))
    stubbed.add_response("get_log_events", page("f3"), asked("f3"))
    assert texts(HostLog(lambda: stubbed.client, "job").new_lines()) == ["one", "two"]


def test_a_log_is_read_on_after_an_error(stubbed: Stubber) -> None:
    """Where AWS fails between two pages the next look begins after the last page that came."""
    log = HostLog(lambda: stubbed.client, "job")
    stubbed.add_response("describe_log_streams", STREAMS)
    stubbed.add_response("get_log_events", page("f1", "one"), asked())
    stubbed.add_client_error("get_log_events", "ThrottlingException")
    stubbed.add_response("get_log_events", page("f2", "two"), asked("f1"))
    stubbed.add_response("get_log_events", page("f2"), asked("f2"))
    lines = log.new_lines()
    assert next(lines).text == "one"
    with pytest.raises(Exception, match="ThrottlingException"):
        next(lines)
    assert texts(log.new_lines()) == ["two"]


def test_a_token_that_has_expired(stubbed: Stubber) -> None:
    """After more than a day, as on a laptop that slept, reading goes on from the last line."""
    log = HostLog(lambda: stubbed.client, "job")
    stubbed.add_response("describe_log_streams", STREAMS)
    stubbed.add_response("get_log_events", page("f1", "one", "two"), asked())
    stubbed.add_response("get_log_events", page("f1"), asked("f1"))
    assert texts(log.new_lines()) == ["one", "two"]
    stubbed.add_client_error("get_log_events", "InvalidParameterException")
    stubbed.add_response("get_log_events", page("f9", "three"), asked(startTime=1001))
    stubbed.add_response("get_log_events", page("f9"), asked("f9"))
    assert texts(log.new_lines()) == ["three"]


@given(order=st.permutations([1, 1, 1, 2, 2, 3, 3]), cut=st.integers(1, 20))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_hosts_that_print_at_once_are_kept_apart(logs: Any, order: list[int], cut: int) -> None:
    """However hosts take turns, lines of algo-1 come in its order, and pieces are not mixed."""
    job = new_job()
    totals = dict.fromkeys(order, 0.0)
    for host in order:
        totals[host] += host
        line = LOAD_SECONDS.line(totals[host])
        add(logs, f"{job}/algo-{host}-5", line[:cut])
        add(logs, f"{job}/algo-{host}-5", line[cut:])
    lines = texts(HostLog(lambda: logs, job).new_lines())
    assert list(read_lines(lines)) == [(LOAD_SECONDS, float(value)) for value in (1, 2, 3)]
