"""The processes of one world of ranks: started, asked for their stacks, killed by their id.

They are forked from a server that has torch imported and runs one thread, so a rank starts in
milliseconds rather than the seconds that importing torch takes.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

from tests.ranks.worker import DUMP_SIGNAL, Post, serve

GROUP_TIMEOUT = 30.0
START_TIMEOUT = 60.0

# What nearly every rank needs; an optimizer's first step imports _dynamo. None starts a thread.
PRELOADED = [
    "torch",
    "torch._dynamo",
    "torch.distributed.fsdp",
    "torch.nn.parallel",
    "torch.utils.data",
    "pytest",
]

# Threads do not survive a fork; a library's pool of them would be a trap for the ranks.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Surroundings:
    """What the ranks take over from the pytest session."""

    folder: Path
    """For the files of output and stacks."""
    warning_filters: tuple[str, ...] = ("error",)
    coverage_file: str | None = None
    group_timeout: float = GROUP_TIMEOUT


class RanksError(Exception):
    """A rank raised, died or did not answer in time.

    Attributes:
        accounts: What is known of each rank that gave no result, the first to fail first: its
            traceback, or how it ended, or its stacks.
    """

    def __init__(self, world_size: int, accounts: dict[int, str]) -> None:
        parts = [f"rank {rank} {account}" for rank, account in accounts.items()]
        rule = "\n" + "-" * 60 + "\n"
        super().__init__(rule.join([f"{len(accounts)} of {world_size} ranks failed", *parts]))
        self.accounts = accounts


@contextlib.contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables in a block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class RankProcesses:
    """The ranks' processes of one world, all started and connected.

    Args:
        world_size: Number of ranks.
        surroundings: What they take over from the session.

    Raises:
        RanksError: A rank did not start; the message has its output.
    """

    def __init__(self, world_size: int, surroundings: Surroundings) -> None:
        self.world_size = world_size
        self._posts = [self._post(rank, world_size, surroundings) for rank in range(world_size)]
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        with environment(ONE_THREAD):
            forkserver.ensure_running()
        pipes = [context.Pipe() for _ in self._posts]
        self.connections: list[Connection] = [ours for ours, _ in pipes]
        self.processes = [
            # Daemons could not have loaders with workers.
            context.Process(target=serve, args=(post, theirs), daemon=False)
            for post, (_, theirs) in zip(self._posts, pipes, strict=True)
        ]
        try:
            for process, (_, theirs) in zip(self.processes, pipes, strict=True):
                process.start()
                theirs.close()
            self._introduce()
        except BaseException:
            self.kill()
            raise

    @staticmethod
    def _post(rank: int, world_size: int, surroundings: Surroundings) -> Post:
        """Return what a rank is told, with empty files for what it writes."""
        files = [surroundings.folder / f"rank_{rank}.{kind}" for kind in ("output", "stacks")]
        for file in files:
            file.write_bytes(b"")
        return Post(
            rank=rank,
            world_size=world_size,
            output=str(files[0]),
            stacks=str(files[1]),
            warning_filters=surroundings.warning_filters,
            coverage_file=surroundings.coverage_file,
            start_method=multiprocessing.get_start_method(),
            group_timeout=surroundings.group_timeout,
        )

    def _introduce(self) -> None:
        """Tell the ranks where rank 0 keeps the store."""
        port = self._number_from(0, time.monotonic() + START_TIMEOUT)
        for rank in range(1, self.world_size):
            self._send(rank, port)

    def join_group(self, number: int) -> None:
        """Make every rank a member of a new group.

        Raises:
            RanksError: One did not join, or had died; the message has its output.
        """
        for rank in range(self.world_size):
            self._send(rank, number)
        deadline = time.monotonic() + START_TIMEOUT
        for rank in range(self.world_size):
            assert self._number_from(rank, deadline) == number

    def _send(self, rank: int, number: int) -> None:
        """Send a rank a number."""
        try:
            self.connections[rank].send(number)
        except BrokenPipeError:
            raise self._absence_of(rank) from None

    def _number_from(self, rank: int, deadline: float) -> int:
        """Return the number that a rank sends."""
        seconds = max(0.0, deadline - time.monotonic())
        if not self.connections[rank].poll(seconds):
            raise self._absence_of(rank)
        try:
            number: int = self.connections[rank].recv()
        except (EOFError, ConnectionResetError):
            raise self._absence_of(rank) from None
        return number

    def _absence_of(self, rank: int) -> RanksError:
        """Return the error for a rank that is not there when a group meets."""
        account = f"did not join the group\n{self.output(rank)}{self.stacks([rank]).get(rank, '')}"
        return RanksError(self.world_size, {rank: account})

    def pid(self, rank: int) -> int:
        """Return the id of a rank's process."""
        pid = self.processes[rank].pid
        assert pid is not None
        return pid

    def output(self, rank: int) -> str:
        """Return the end of what a rank wrote to its standard streams."""
        return Path(self._posts[rank].output).read_text(errors="replace")[-4000:]

    def stacks(self, ranks: Sequence[int]) -> dict[int, str]:
        """Return the stacks of the threads of those of *ranks* that live, asked from them now."""
        living = [rank for rank in ranks if self.processes[rank].is_alive()]
        for rank in living:
            os.kill(self.pid(rank), DUMP_SIGNAL)
        return {rank: self._written_stacks(rank) for rank in living}

    def _written_stacks(self, rank: int, patience: float = 2.0) -> str:
        """Return a rank's file of stacks once it holds something and has stopped growing."""
        file = Path(self._posts[rank].stacks)
        deadline = time.monotonic() + patience
        size = 0
        while time.monotonic() < deadline and self.processes[rank].is_alive():
            time.sleep(0.1)
            before, size = size, file.stat().st_size
            if size and size == before:
                break
        return file.read_text(errors="replace")

    def close(self) -> None:
        """Let the ranks end by themselves, and kill those that do not."""
        for end in self.connections:
            end.close()
        deadline = time.monotonic() + 10
        for process in self.processes:
            process.join(max(0.0, deadline - time.monotonic()))
        self.kill()

    def kill(self) -> None:
        """Kill what is left of every rank, the workers of its loaders with it."""
        for process in self.processes:
            if process.pid is None:
                continue
            # A rank leads the group of its workers, and may not have got so far.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if process.is_alive():
                process.kill()
        for process in self.processes:
            if process.pid is not None:
                process.join()
        for end in self.connections:
            end.close()
