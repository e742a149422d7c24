"""A world of ranks answers in rank order, or fails in time and in words."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import warnings
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from tests.ranks.pool import WORLD_SIZES, RankPools
from tests.ranks.processes import RanksError


def summed(factor: int) -> tuple[int, float, int]:
    value = torch.tensor(float(dist.get_rank() + 1))
    dist.all_reduce(value)
    return dist.get_rank(), factor * value.item(), torch.get_num_threads()


def raising(rank: int) -> None:
    if dist.get_rank() == rank:
        msg = f"no more on {rank}"
        raise ValueError(msg)
    dist.barrier()


def raising_everywhere() -> None:
    msg = f"no more on {dist.get_rank()}"
    raise ValueError(msg)


def stuck(rank: int) -> None:
    if dist.get_rank() == rank:
        time.sleep(1000)
    dist.barrier()


def dying(rank: int) -> None:
    if dist.get_rank() == rank:
        os.kill(os.getpid(), signal.SIGKILL)
    dist.barrier()


def warning() -> None:
    warnings.warn("careful", UserWarning, stacklevel=1)


def losing_an_exception() -> None:
    thread = threading.Thread(target=raising_everywhere)
    thread.start()
    thread.join()


def drawn() -> float:
    return float(torch.rand(()))


def start_method() -> str:
    return multiprocessing.get_start_method()


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize("world_size", WORLD_SIZES)
def test_results_come_in_rank_order(rank_pool: RankPools, world_size: int) -> None:
    """Each rank has its number, the group reduces, and each computes on one thread."""
    total = 10.0 * sum(range(1, world_size + 1))
    assert rank_pool(world_size).run(summed, 10) == [(rank, total, 1) for rank in range(world_size)]


def test_processes_are_kept(rank_pool: RankPools) -> None:
    """Later calls find the processes of the first, the same random state, and a group at once."""
    pool = rank_pool(8)
    first = pool.run(drawn)
    pids = pool.pids
    assert [pool.run(drawn) for _ in range(8)] == [first] * 8
    assert pool.pids == pids


def test_loaders_start_workers_as_they_do_here(rank_pool: RankPools) -> None:
    """How a rank itself was started says nothing about its children."""
    assert rank_pool(1).run(start_method) == [start_method()]


def test_a_rank_that_raises(rank_pool: RankPools) -> None:
    """The failure has its traceback, and the next call works."""
    with pytest.raises(RanksError, match=r"raising_everywhere\n(.*\n)*ValueError: no more on 1"):
        rank_pool(2).run(raising_everywhere)
    assert len(rank_pool(2).run(summed, 1)) == 2


def test_a_rank_that_raises_while_another_waits(rank_pool: RankPools) -> None:
    """One rank's failure is told at once, with where the other one waits for it."""
    pool = rank_pool(2)
    with pytest.raises(RanksError) as caught:
        pool.run(raising, 1)
    assert "ValueError: no more on 1" in caught.value.accounts[1]
    assert "barrier" in caught.value.accounts[0]


def test_a_rank_that_hangs(rank_pool: RankPools) -> None:
    """The call ends at its timeout with everybody's stacks, nobody is left, the next call works."""
    pool = rank_pool(4)
    pool.run(summed, 1)
    pids = pool.pids
    with pytest.raises(RanksError) as caught:
        pool.run(stuck, 2, timeout=3.0)
    assert sorted(caught.value.accounts) == [0, 1, 2, 3]
    assert "in stuck" in caught.value.accounts[2]
    assert "in barrier" in caught.value.accounts[0]
    assert gone(pids)
    assert pool.pids == []
    assert len(pool.run(summed, 1)) == 4


def test_a_rank_that_dies(rank_pool: RankPools) -> None:
    """The failure has its exit code, nobody is left, the next call works."""
    pool = rank_pool(2)
    pool.run(summed, 1)
    pids = pool.pids
    with pytest.raises(RanksError, match="rank 1 died with exit code -9"):
        pool.run(dying, 1)
    assert gone(pids)
    assert len(pool.run(summed, 1)) == 2


def test_a_rank_that_died_between_calls(rank_pool: RankPools) -> None:
    """It is told, and the next call works."""
    pool = rank_pool(2)
    pool.run(summed, 1)
    os.kill(pool.pids[0], signal.SIGKILL)
    with pytest.raises(RanksError, match="rank 0 did not join the group"):
        pool.run(summed, 1)
    assert len(pool.run(summed, 1)) == 2


@pytest.mark.parametrize(
    ("function", "message"),
    [(warning, "UserWarning: careful"), (losing_an_exception, "got lost:\n(.*\n)*ValueError")],
)
def test_what_is_an_error_here_is_one_there(
    rank_pool: RankPools, function: object, message: str
) -> None:
    """Warnings fail a call, and exceptions in threads."""
    assert callable(function)
    with pytest.raises(RanksError, match=message):
        rank_pool(1).run(function)


def test_a_function_nobody_can_import(rank_pool: RankPools) -> None:
    """A function inside a function is refused before any rank is asked."""
    with pytest.raises(ValueError, match="<lambda> does not stand at the top"):
        rank_pool(1).run(lambda: None)
