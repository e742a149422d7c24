"""SIGTERM waits for who asks about it, and for nobody else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sift_toolkit.container._interruption import Interruption


@pytest.fixture(autouse=True)
def _own_handler() -> Iterator[None]:
    """Should a test send too many, they do not end the tests."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def deaths() -> list[int]:
    """Signals that would have ended this process."""
    got: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: got.append(number))
    return got


def send() -> None:
    """Send this process SIGTERM."""
    os.kill(os.getpid(), signal.SIGTERM)


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class TestNoticing:
    """What happens to the signals."""

    def test_one_that_is_awaited_is_noted(self, deaths: list[int]) -> None:
        """Whoever asks learns of it, and goes on."""
        interruption = Interruption()
        with interruption.noticed():
            assert not interruption.received
            send()
            assert interruption.received
            assert interruption.received

        assert deaths == []

    def test_one_that_nobody_asks_about_ends_the_process(self, deaths: list[int]) -> None:
        """A script without checkpoints ends as it would without the toolkit."""
        with Interruption().noticed():
            send()

        assert deaths == [signal.SIGTERM]

    def test_a_second_one_ends_the_process(self, deaths: list[int]) -> None:
        """Whoever does not want to wait is not kept waiting."""
        clock = Clock()
        interruption = Interruption(clock)
        with interruption.noticed():
            assert not interruption.received
            send()
            clock.now = 3.0
            send()

        assert deaths == [signal.SIGTERM]

    def test_an_echo_is_no_second_one(self, deaths: list[int]) -> None:
        """A launcher passes on what all processes of the group got already."""
        clock = Clock()
        interruption = Interruption(clock)
        with interruption.noticed():
            assert not interruption.received
            for clock.now in (0.0, 0.1, 1.9):
                send()

        assert deaths == []

    def test_what_was_before_is_afterwards(self) -> None:
        """The handler of before is put back, also where it was noticed."""
        before = signal.getsignal(signal.SIGTERM)
        interruption = Interruption()
        with interruption.noticed():
            assert signal.getsignal(signal.SIGTERM) != before
            assert not interruption.received
            send()

        assert signal.getsignal(signal.SIGTERM) is before

    def test_a_scripts_own_handler_stays(self) -> None:
        """A script that takes care itself is left to it."""

        def own(*_: Any) -> None:
            """Take care."""

        with Interruption().noticed():
            signal.signal(signal.SIGTERM, own)

        assert signal.getsignal(signal.SIGTERM) is own

    def test_a_new_start_begins_anew(self, deaths: list[int]) -> None:
        """What was received before is no news."""
        interruption = Interruption()
        with interruption.noticed():
            assert not interruption.received
            send()
        with interruption.noticed():
            assert not interruption.received

    def test_other_threads_have_no_say(self) -> None:
        """Only the main thread may set handlers; elsewhere nothing happens, and no error."""
        seen: list[object] = []

        def work() -> None:
            with Interruption().noticed():
                seen.append(signal.getsignal(signal.SIGTERM))

        before = signal.getsignal(signal.SIGTERM)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

        assert seen == [before]


def run(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


BEGIN = """
    import multiprocessing, os, signal, time
    from sift_toolkit.container._interruption import interruption
    def send(): os.kill(os.getpid(), signal.SIGTERM)
    def sleep(): time.sleep(60)
"""


@pytest.mark.parametrize("asks", [False, True])
def test_forked_processes_can_be_terminated(asks: bool) -> None:
    """A pool, or workers of a loader, that inherit the handler end when they are told to."""
    result = run(
        BEGIN
        + f"""
    with interruption.noticed():
        {asks} and interruption.received
        child = multiprocessing.get_context("fork").Process(target=sleep)
        child.start()
        child.terminate()
        child.join(30)
        print(child.exitcode)
    """
    )

    assert result.stdout == f"{-signal.SIGTERM}\n", result.stderr


def test_a_process_that_nobody_asks_in_ends_with_a_status() -> None:
    """Not of the signal, of which a job may end with status 0, as if it were complete."""
    result = run(BEGIN + "    with interruption.noticed(): send()\n    print('alive')")

    assert (result.returncode, result.stdout) == (143, "")


def test_importing_sets_no_handler() -> None:
    """A library leaves signals alone; entry points do not."""
    result = run(BEGIN + "    print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)")

    assert result.stdout == "True\n", result.stderr
