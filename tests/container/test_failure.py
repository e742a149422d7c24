"""Why a job failed, in one short sentence, whatever happened."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from types import FrameType

import pytest
import torch

from sift_toolkit.container._failure import FailureWritten, reason_of
from sift_toolkit.contract import JobTree

MakeJob = Callable[..., JobTree]


BOOM = ValueError("boom")
RESET = ConnectionResetError("reset")
WORKER = RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed.")


class UnprintableError(Exception):
    """An error whose message cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("no column age"), "ValueError: no column age"),
        (KeyError("age"), "KeyError: 'age'"),
        (AssertionError(), "AssertionError"),
        (MemoryError(), "MemoryError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (SystemExit("no data"), "SystemExit: no data"),
        (UnprintableError(), "UnprintableError: <exception str() failed>"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_the_reason_is_the_error(make_job: MakeJob, error: BaseException, reason: str) -> None:
    """The failure file holds the error's name and message, and the error goes on."""
    tree = make_job()
    with pytest.raises(type(error)) as caught, FailureWritten(tree):
        raise error

    assert caught.value is error
    assert tree.read_failure() == reason


def test_a_long_reason_is_cut(make_job: MakeJob) -> None:
    """SageMaker shows 1024 characters."""
    tree = make_job()
    with pytest.raises(ValueError, match="xxx"), FailureWritten(tree):
        raise ValueError("x" * 5000)

    assert len(tree.failure_file.read_text(encoding="utf-8")) == 1024


@pytest.mark.parametrize("code", [0, None, 3])
def test_exit_codes_go_by(make_job: MakeJob, code: int | None) -> None:
    """A script that ends with a code is no error of ours: sagemaker-training tells what it said."""
    tree = make_job()
    with pytest.raises(SystemExit), FailureWritten(tree):
        raise SystemExit(code)

    assert tree.read_failure() is None


class InterruptedTree(JobTree):
    """A tree in whose first writing torch tells of a worker's end."""

    def write_failure(self, reason: str) -> None:
        """Fail as torch has it, but for what it said."""
        if "worker" not in reason:
            raise WORKER
        super().write_failure(reason)


def test_a_workers_end_that_is_told_in_the_middle_is_the_reason(make_job: MakeJob) -> None:
    """What broke off before torch saw the worker dead is a consequence of it."""
    tree = InterruptedTree(make_job().base)
    with pytest.raises(ValueError, match="boom"), FailureWritten(tree):
        raise BOOM

    assert tree.read_failure() == f"RuntimeError: {WORKER}"


def test_no_failure_no_file(make_job: MakeJob) -> None:
    """A job that goes well writes nothing."""
    tree = make_job()
    with FailureWritten(tree):
        pass

    assert not tree.failure_file.exists()


def test_outside_of_a_job_nothing_is_written() -> None:
    """On a laptop an error is an error, and makes no folders."""
    tree = JobTree.current()
    with pytest.raises(ValueError, match="boom"), FailureWritten(tree):
        raise BOOM

    assert not tree.base.exists()


def test_a_full_disk_hides_nothing(make_job: MakeJob) -> None:
    """Where the reason cannot be written, the error still is the one that happened."""
    tree = make_job()
    tree.output_dir.touch()
    with pytest.raises(ValueError, match="boom"), FailureWritten(tree):
        raise BOOM


def test_the_toolkits_own_errors_go_by_their_names() -> None:
    """The reason says SiftUsageError, not where that is defined."""
    from sift_toolkit import SiftUsageError

    assert reason_of(SiftUsageError("call it once")) == "SiftUsageError: call it once"


class TestWorkers:
    """A loader's worker that was killed is the reason, whatever of it is noticed first."""

    @pytest.fixture
    def told(self) -> Iterator[list[str]]:
        """What was said at the end of a child: raised wherever it finds this process, as torch."""
        told: list[str] = []

        def raise_it(number: int, frame: FrameType | None) -> None:
            told.append("a worker is killed")
            raise RuntimeError(told[-1])

        before = signal.signal(signal.SIGCHLD, raise_it)
        yield told
        signal.signal(signal.SIGCHLD, before)

    @pytest.mark.parametrize("error", [RESET, EOFError()], ids=repr)
    def test_a_connection_that_broke_off(
        self, make_job: MakeJob, told: list[str], error: Exception
    ) -> None:
        """It is a consequence: the reason is waited for."""
        tree = make_job()
        child = subprocess.Popen(["sleep", "0.1"])
        with pytest.raises(type(error)), FailureWritten(tree):
            raise error
        child.wait()

        assert told
        assert tree.read_failure() == "RuntimeError: a worker is killed"

    def test_news_in_between(
        self, make_job: MakeJob, told: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The file is written to its end."""
        tree = make_job()
        write = JobTree.write_failure

        def slowly(tree: JobTree, reason: str) -> None:
            subprocess.run(["true"], check=True)
            time.sleep(0.05)
            write(tree, reason)

        monkeypatch.setattr(JobTree, "write_failure", slowly)
        with pytest.raises(ValueError, match="boom"), FailureWritten(tree):
            raise BOOM

        assert tree.read_failure() == "ValueError: boom"
        assert told == []

    def test_other_connections(self, make_job: MakeJob) -> None:
        """Where no worker was killed, the error is its own reason, torch or not."""
        assert torch.utils.data
        tree = make_job()
        with pytest.raises(ConnectionResetError), FailureWritten(tree):
            raise RESET

        assert tree.read_failure() == "ConnectionResetError: reset"
