"""Functions called on every rank of a gloo group at once, from a test, bounded in time.

Two fixtures (tests/ranks/conftest.py) give them. `rank_pool(W)` is a world of W processes that live
as long as the session; a function of a test module runs on all of them and the results come back
in rank order::

    def sum_of_ranks(factor: int) -> float:            # at the top of the test module
        value = torch.tensor(float(dist.get_rank()))   # the group is there, fresh for this call
        dist.all_reduce(value)
        return factor * value.item()

    @pytest.mark.parametrize("world_size", WORLD_SIZES)
    def test_the_sum(rank_pool: RankPools, world_size: int) -> None:
        \"\"\"Every rank has the sum.\"\"\"
        sums = rank_pool(world_size).run(sum_of_ranks, 10, timeout=20.0)
        assert sums == [10 * sum(range(world_size))] * world_size

If a rank raises, dies or does not answer in time, `run` raises RanksError with the traceback or
the stacks of every rank concerned; the processes are killed and the next call gets new ones.

`run_ranks_once(function, W, *arguments, timeout=...)` is for faults: new processes for one call,
and what became of each (tests/ranks/once.py). It never raises for what a rank did::

    def test_a_rank_that_raises(run_ranks_once: RunRanksOnce) -> None:
        \"\"\"The others stop within seconds.\"\"\"
        ends = run_ranks_once(train_but_rank_1_raises, 4, timeout=30.0)
        assert [end.code for end in ends] == [1, 1, 1, 1]
        assert all("SiftRankError" in end.error for end in ends)
        assert max(end.seconds_after_first for end in ends) < 10

Functions and their arguments and results are pickled: functions at the top of a module, tensors by
value. Each call starts with the same random seed on every rank, on one thread, warnings are errors.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Sequence
from multiprocessing import connection
from typing import Any, Protocol, TypeVar

from tests.ranks.processes import RankProcesses, RanksError, Surroundings
from tests.ranks.worker import Answer, Call

Result = TypeVar("Result")

WORLD_SIZES = (1, 2, 4, 8)

CALL_TIMEOUT = 60.0

GRACE = 5.0
"""Seconds the other ranks may still take once one has failed."""


class RankPools(Protocol):
    """Gives the session's pool of a world size."""

    def __call__(self, world_size: int) -> RankPool:
        """Return the pool of *world_size* ranks."""
        ...


class RankPool:
    """Processes that wait for functions to call, started when first asked.

    Args:
        world_size: Number of ranks.
        surroundings: What the ranks take over from the session.
    """

    def __init__(self, world_size: int, surroundings: Surroundings) -> None:
        self.world_size = world_size
        self._surroundings = surroundings
        self._processes: RankProcesses | None = None
        self._calls = 0

    @property
    def pids(self) -> list[int]:
        """The ids of the ranks' processes; empty where none run."""
        if self._processes is None:
            return []
        return [self._processes.pid(rank) for rank in range(self.world_size)]

    def run(
        self,
        function: Callable[..., Result],
        *arguments: Any,
        timeout: float = CALL_TIMEOUT,
    ) -> list[Result]:
        """Return what *function* returns on each rank, in rank order.

        Args:
            function: A function at the top of a module.
            arguments: The same for every rank.
            timeout: Seconds until the ranks that have not answered count as hanging.

        Raises:
            RanksError: A rank raised, died or did not answer in time.
        """
        self._calls += 1
        request = request_of(Call(function, arguments, timeout, last=False))
        if self._processes is None:
            self._processes = RankProcesses(self.world_size, self._surroundings)
        try:
            return self._results(self._processes, request, timeout)
        except BaseException:
            self._processes.kill()
            self._processes = None
            raise

    def _results(self, processes: RankProcesses, request: bytes, timeout: float) -> list[Result]:
        """Send the request and collect the results."""
        processes.join_group(self._calls)
        for end in processes.connections:
            end.send_bytes(request)
        answers = collect(processes, timeout)
        accounts = {
            rank: f"raised\n{answer.error}"
            for rank, answer in answers.items()
            if answer.error is not None
        } | accounts_of_missing(processes, answers, timeout)
        if accounts:
            raise RanksError(self.world_size, accounts)
        return [answers[rank].result for rank in range(self.world_size)]

    def close(self) -> None:
        """Let the processes end."""
        if self._processes is not None:
            self._processes.close()
            self._processes = None


def request_of(call: Call) -> bytes:
    """Return a call as it travels.

    Raises:
        ValueError: The function is not one that another process can find by its name.
    """
    name = getattr(call.function, "__qualname__", repr(call.function))
    if "<" in name:
        msg = f"{name} does not stand at the top of a module: ranks cannot import it"
        raise ValueError(msg)
    return pickle.dumps(call)


def collect(processes: RankProcesses, timeout: float) -> dict[int, Answer]:
    """Return the answers by rank that come in time; once a rank fails the others get GRACE."""
    deadline = time.monotonic() + timeout
    answers: dict[int, Answer] = {}
    waiting = dict(enumerate(processes.connections))
    while waiting and (seconds := deadline - time.monotonic()) > 0:
        ready = connection.wait(list(waiting.values()), seconds)
        for rank in [rank for rank, end in waiting.items() if end in ready]:
            answer = answer_from(waiting.pop(rank))
            if answer is not None:
                answers[rank] = answer
            if answer is None or answer.error is not None:
                deadline = min(deadline, time.monotonic() + GRACE)
    return answers


def answer_from(end: connection.Connection) -> Answer | None:
    """Return the answer that waits in a connection; None if the rank died instead."""
    try:
        answer: Answer = pickle.loads(end.recv_bytes())
    except (EOFError, ConnectionResetError):
        return None
    return answer


def accounts_of_missing(
    processes: RankProcesses, answers: dict[int, Answer], timeout: float
) -> dict[int, str]:
    """Return, for each rank without an answer, how it died or where it hangs."""
    missing = [rank for rank in range(processes.world_size) if rank not in answers]
    return died(processes, missing) | hanging(processes, missing, timeout)


def died(processes: RankProcesses, ranks: Sequence[int]) -> dict[int, str]:
    """Return how those of *ranks* ended that are dead."""
    accounts = {}
    for rank in ranks:
        process = processes.processes[rank]
        process.join(0.5 if not process.is_alive() else 0.0)
        if process.exitcode is not None:
            accounts[rank] = f"died with exit code {process.exitcode}\n{processes.output(rank)}"
    return accounts


def hanging(processes: RankProcesses, ranks: Sequence[int], timeout: float) -> dict[int, str]:
    """Return the stacks of those of *ranks* that still run."""
    running = [rank for rank in ranks if processes.processes[rank].is_alive()]
    return {
        rank: f"did not answer (timeout {timeout:g} s; {GRACE:g} s once a rank failed)\n{stacks}"
        for rank, stacks in processes.stacks(running).items()
    }
