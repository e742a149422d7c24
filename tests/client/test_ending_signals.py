"""A signal that ends this process ends the job it runs first; what is handled elsewhere stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit.client._ending_signals import EndedBySignal, ended_by_signals
from sift_toolkit.client._trial_folder import TrialFolder
from tests.cli.test_run import SLEEPER, wait_until_gone

NUMBERS = (signal.SIGTERM, signal.SIGHUP)
TRIAL = """
from sift_toolkit import HostSession, SiftConfig, sift_estimator, trial

session = HostSession("jobs", on_line=lambda line: print(line, flush=True))
estimator = sift_estimator(
    SiftConfig(keep=0.5), entry_point="sleeper.py", source_dir="src", launcher="run", role="any",
    sagemaker_session=session,
)
trial(estimator, epochs=4, seeds=2, arms={"half": SiftConfig(keep=0.5)}, output="trial")
"""


@pytest.fixture
def handlers() -> Iterator[None]:
    """What signals do is put back."""
    before: list[Any] = [signal.getsignal(number) for number in NUMBERS]
    yield
    for number, handler in zip(NUMBERS, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_that_would_end_at_once_is_raised(handlers: None, number: signal.Signals) -> None:
    """With the code that a shell would tell; afterwards the signal does what it did."""
    signal.signal(number, signal.SIG_DFL)
    with pytest.raises(EndedBySignal) as caught, ended_by_signals():
        signal.raise_signal(number)
    assert caught.value.code == 128 + number
    assert caught.value.number == number
    assert signal.getsignal(number) is signal.SIG_DFL


def test_what_is_ignored_stays_ignored(handlers: None) -> None:
    """Under nohup a closed terminal ends nothing."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with ended_by_signals():
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_handler_of_ones_own_stays(handlers: None) -> None:
    """Who handles a signal is not ended by it, so the job need not be."""
    came = []
    signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    with ended_by_signals():
        signal.raise_signal(signal.SIGTERM)
    assert came == [signal.SIGTERM]


def test_in_another_thread_nothing_changes() -> None:
    """Only the main thread may set handlers, and is not asked to."""
    seen: list[Any] = []

    def look() -> None:
        with ended_by_signals():
            seen.append([signal.getsignal(number) for number in NUMBERS])

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [[signal.getsignal(number) for number in NUMBERS]]


def test_a_trial_by_a_host_session_leaves_no_job(tmp_path: Path) -> None:
    """A polite kill ends the trial's job and all that it started, then the trial; no copy stays."""
    script = tmp_path / "src" / "sleeper.py"
    script.parent.mkdir()
    script.write_text(textwrap.dedent(SLEEPER))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", TRIAL],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(Path.cwd()),
            "AWS_EC2_METADATA_DISABLED": "true",
            "TMPDIR": str(temporary),
        },
    )
    assert process.stdout is not None
    line = next(line for line in process.stdout if line.startswith("processes "))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    for text in line.split()[1:]:
        wait_until_gone(int(text))
    assert not list(temporary.glob("sift-*"))
    folder = TrialFolder(tmp_path / "trial")
    with folder.claimed():
        assert [path.name for path in (folder.path / "launched").iterdir()] == ["plain-s0.json"]
