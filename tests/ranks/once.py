"""A function on new ranks, once, and what became of each: for ranks that raise, die or hang."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any, Protocol

from tests.ranks.pool import answer_from, request_of
from tests.ranks.processes import RankProcesses, Surroundings
from tests.ranks.worker import Answer, Call


@dataclass(frozen=True)
class RankEnd:
    """How one rank's process ended."""

    code: int
    """Exit code: 0, 1 if it raised, what it gave to sys.exit or os._exit, minus its signal."""
    result: Any
    """What the function returned; None if it did not."""
    error: str
    """The traceback if the function raised; empty if not."""
    seconds_after_first: float
    """From the end of the first process to end, to this one's end."""
    killed: bool
    """Whether it still ran at the timeout and was killed."""
    stacks: str
    """Of its threads, just before it was killed; empty if it was not."""
    output: str
    """The end of what it wrote to its standard streams."""


class RunRanksOnce(Protocol):
    """Runs a function on new ranks."""

    def __call__(
        self, function: Callable[..., Any], world_size: int, *arguments: Any, timeout: float
    ) -> list[RankEnd]:
        """Return how each rank ended; kill those that still run after *timeout* seconds."""
        ...


def run_ranks_once(
    function: Callable[..., Any],
    world_size: int,
    *arguments: Any,
    timeout: float,
    surroundings: Surroundings,
) -> list[RankEnd]:
    """Call *function* on new ranks, each of which ends after it as a script does.

    Rank 0 keeps the store, as it does without an agent of torchrun: the store ends with it.

    Args:
        function: A function at the top of a module; it may do anything to its process.
        world_size: Number of ranks.
        arguments: The same for every rank.
        timeout: Seconds after which ranks that still run are killed.
        surroundings: What the ranks take over from the session.
    """
    request = request_of(Call(function, arguments, timeout, last=True))
    processes = RankProcesses(world_size, surroundings)
    try:
        processes.join_group(1)
        for end in processes.connections:
            end.send_bytes(request)
        answers, ends = await_ends(processes, time.monotonic() + timeout)
        running = [rank for rank in range(world_size) if rank not in ends]
        stacks = processes.stacks(running)
    finally:
        processes.kill()
    now = time.monotonic()
    ends |= dict.fromkeys(running, now)
    first = min(ends.values())
    return [
        RankEnd(
            code=exit_code(processes, rank),
            result=answers.get(rank, Answer()).result,
            error=answers.get(rank, Answer()).error or "",
            seconds_after_first=ends[rank] - first,
            killed=rank in stacks,
            stacks=stacks.get(rank, ""),
            output=processes.output(rank),
        )
        for rank in range(world_size)
    ]


def exit_code(processes: RankProcesses, rank: int) -> int:
    """Return the exit code of a rank that has ended."""
    code = processes.processes[rank].exitcode
    assert code is not None
    return code


def await_ends(
    processes: RankProcesses, deadline: float
) -> tuple[dict[int, Answer], dict[int, float]]:
    """Return the answers and the times of the ends that come before *deadline*, by rank."""
    answers: dict[int, Answer] = {}
    ends: dict[int, float] = {}
    talking = dict(enumerate(processes.connections))
    running = {rank: process.sentinel for rank, process in enumerate(processes.processes)}
    while running and (seconds := deadline - time.monotonic()) > 0:
        ready = connection.wait([*talking.values(), *running.values()], seconds)
        for rank in [rank for rank, end in talking.items() if end in ready]:
            answer = answer_from(talking.pop(rank))
            if answer is not None:
                answers[rank] = answer
        for rank in [rank for rank, sentinel in running.items() if sentinel in ready]:
            del running[rank]
            ends[rank] = time.monotonic()
    return answers, ends
