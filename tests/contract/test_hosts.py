"""Hosts that cannot be found are named within the time given, not after a quarter of an hour."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sift_toolkit.contract._hosts import hosts_of, why_unknown

NOWHERE = "no-such-host.invalid"
"""A name that by RFC 6761 never resolves."""


def refuse(host: str) -> str:
    """Know one host only, whatever the machine's resolver thinks of the others."""
    if host == "localhost":
        return "127.0.0.1"
    raise socket.gaierror(-2, "Name or service not known")


def test_hosts_that_are_known() -> None:
    """Names and addresses alike; where there are none, there is nothing to say."""
    assert why_unknown(["localhost", "127.0.0.1", "::1"], seconds=1) is None
    assert why_unknown([]) is None


def test_a_host_that_is_not_known() -> None:
    """The sentence names it, and says what the resolver said."""
    reason = why_unknown([NOWHERE, "localhost", "algo-2"], seconds=0.1, look_up=refuse)

    assert reason == (
        f"no address is known for '{NOWHERE}', 'algo-2', 2 of the job's 3 hosts, after 0 s "
        "([Errno -2] Name or service not known): a host has not started, or its name service "
        "does not know it"
    )


def test_a_host_that_starts_late() -> None:
    """It is looked up again."""
    answers = iter([False, True])

    def late(host: str) -> str:
        if not next(answers):
            raise socket.gaierror(-2, "Name or service not known")
        return "10.0.0.2"

    assert why_unknown(["algo-2"], seconds=30, look_up=late) is None


@pytest.fixture
def dead_resolver() -> Iterator[threading.Event]:
    """An event that look-ups hang on until the test is over."""
    over = threading.Event()
    yield over
    over.set()


def test_a_resolver_that_does_not_answer(dead_resolver: threading.Event) -> None:
    """It cannot hold anybody up for longer than asked."""

    def hang(host: str) -> None:
        dead_resolver.wait()

    reason = why_unknown(["algo-2"], seconds=0.1, look_up=hang)

    assert "no address is known for 'algo-2', 1 of the job's 1 hosts" in (reason or "")
    assert "(no answer)" in (reason or "")


def test_a_name_that_is_none() -> None:
    """What no resolver takes is unknown too."""
    assert "'a..b'" in (why_unknown(["a..b"], seconds=0.1) or "")


def test_the_hosts_of_a_job(tmp_path: Path) -> None:
    """They stand in the job's resource config."""
    file = tmp_path / "resourceconfig.json"
    file.write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]}))

    assert hosts_of(file) == ["algo-1", "algo-2"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"hosts": 3}', '{"hosts": null}'])
def test_a_job_that_names_no_hosts(tmp_path: Path, content: str) -> None:
    """Nothing is known of them, so nothing is asked."""
    file = tmp_path / "resourceconfig.json"
    assert hosts_of(file) == []
    file.write_text(content)
    assert hosts_of(file) == []
