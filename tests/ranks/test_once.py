"""What became of ranks that end, raise, leave, die or hang."""

from __future__ import annotations

import os
import signal
import sys
import time

import torch.distributed as dist

from tests.ranks.once import RunRanksOnce


def differing(how_rank_1_ends: str) -> int:
    if dist.get_rank() == 1:
        match how_rank_1_ends:
            case "raise":
                msg = "rank 1 has had enough"
                raise ValueError(msg)
            case "exit":
                sys.exit(3)
            case "leave":
                os._exit(4)
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                print("going to sleep", flush=True)
                time.sleep(1000)
    dist.barrier()
    return dist.get_rank()


def test_ranks_that_return(run_ranks_once: RunRanksOnce) -> None:
    """Every rank has its result and exit code 0."""
    ends = run_ranks_once(differing, 4, "not", timeout=30.0)
    assert [(end.code, end.result, end.error) for end in ends] == [(0, r, "") for r in range(4)]
    assert min(end.seconds_after_first for end in ends) == 0.0


def test_a_rank_that_raises(run_ranks_once: RunRanksOnce) -> None:
    """Its traceback is there, and the other rank's, whose collective has lost its peer."""
    ends = run_ranks_once(differing, 2, "raise", timeout=30.0)
    assert [end.code for end in ends] == [1, 1]
    assert "ValueError: rank 1 has had enough" in ends[1].error
    assert "in barrier" in ends[0].error
    assert ends[1].seconds_after_first == 0.0
    assert not any(end.killed for end in ends)


def test_ranks_that_leave_or_die(run_ranks_once: RunRanksOnce) -> None:
    """Their exit codes are what they gave, or minus the signal."""
    for how, code in [("exit", 3), ("leave", 4), ("die", -9)]:
        ends = run_ranks_once(differing, 2, how, timeout=30.0)
        assert [end.code for end in ends] == [1, code], how


def test_ranks_that_hang(run_ranks_once: RunRanksOnce) -> None:
    """They are killed at the timeout, which the result says, with their stacks and output."""
    ends = run_ranks_once(differing, 2, "hang", timeout=3.0)
    assert [(end.code, end.killed) for end in ends] == [(-9, True)] * 2
    assert "in differing" in ends[1].stacks
    assert "in barrier" in ends[0].stacks
    assert "going to sleep" in ends[1].output
