"""What the trainer's processes tell each other, and how one that fails takes the others along."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from sift_toolkit import SiftUsageError
from sift_toolkit.container import _company
from sift_toolkit.container._company import Company
from sift_toolkit.container._place import Place
from sift_toolkit.container._processes import Processes
from sift_toolkit.contract import JobTree
from tests.ranks.once import RunRanksOnce
from tests.ranks.pool import RankPools


def company_of(folder: str) -> Company:
    """Return the company of this rank, whose job is laid out in a folder of its own."""
    rank = dist.get_rank()
    store = dist.distributed_c10d._get_default_store()
    return Company(dist.new_group(backend="gloo"), store, rank, JobTree(Path(folder) / str(rank)))


@contextlib.contextmanager
def together(folder: str) -> Iterator[Processes]:
    """Be one of the processes of a job."""
    company = company_of(folder)
    place = Place(dist.get_rank(), dist.get_world_size(), dist.get_rank())
    yield Processes(place, torch.device("cpu"), company)
    company.leave()


def talk(folder: str) -> dict[str, Any]:
    """Return what one rank hears."""
    with together(folder) as processes:
        own = {"rank": processes.rank, "rows": torch.arange(processes.rank)}
        gathered = processes.to_first(own)
        processes.wait_for_all()
        return {
            "sums": processes.sums([1, processes.rank]),
            "greatest": processes.greatest([-processes.rank, processes.rank]),
            "from first": processes.from_first(own)["rank"],
            "nothing": processes.from_first(None),
            "gathered": [len(each["rows"]) for each in gathered],
            "own": processes.own_of(gathered)["rows"].tolist(),
        }


@pytest.mark.parametrize("world_size", [2, 4])
def test_they_talk(rank_pool: RankPools, tmp_path: Path, world_size: int) -> None:
    """Sums are exact, the first one gathers and gives out, each by its rank."""
    for rank, heard in enumerate(rank_pool(world_size).run(talk, str(tmp_path))):
        assert heard == {
            "sums": [world_size, sum(range(world_size))],
            "greatest": [0, world_size - 1],
            "from first": 0,
            "nothing": None,
            "gathered": [] if rank else list(range(world_size)),
            "own": list(range(rank)),
        }


def train(folder: str) -> tuple[bool, bool, bool, list[float], list[float]]:
    """Return whether weights are the same before and after going ways of one's own; and buffers."""
    torch.manual_seed(0)
    with together(folder) as processes:
        plain = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        model = processes.together(plain)
        processes.part_ways(7)
        rows = torch.randn(4, 2)
        model(rows).sum().backward()
        torch.optim.SGD(plain.parameters(), 0.1).step()
        after_ddp = processes.are_same(plain)
        means = plain[1].running_mean
        assert isinstance(means, torch.Tensor)
        own = means.tolist()
        processes.take_first_buffers(plain)
        with torch.no_grad():
            plain[0].bias += processes.rank
        return (
            isinstance(model, DistributedDataParallel),
            after_ddp,
            processes.are_same(plain),
            own,
            means.tolist(),
        )


def test_they_train_one_model(rank_pool: RankPools, tmp_path: Path) -> None:
    """Gradients are averaged; statistics are each one's own until they take the first one's."""
    first, second = rank_pool(2).run(train, str(tmp_path))
    for wrapped, after_ddp, after_drift, _, _ in (first, second):
        assert (wrapped, after_ddp, after_drift) == (True, True, False)
    assert first[3] != second[3]
    assert first[3] == first[4] == second[4]


def untrainable(folder: str) -> str:
    """Return what is said of a model without weights."""
    with together(folder) as processes:
        try:
            processes.together(nn.ReLU())
        except SiftUsageError as error:
            return str(error)
    return ""


def test_a_model_without_weights(rank_pool: RankPools, tmp_path: Path) -> None:
    """It is refused in words."""
    assert all("without weights" in said for said in rank_pool(2).run(untrainable, str(tmp_path)))


def fail(folder: str, kind: str) -> None:
    """Let rank 1 fail while rank 0 waits for it, in one way or another."""
    _company._GRACE_SECONDS = 1.0
    company = company_of(folder)
    with company.failing_together():
        if dist.get_rank() == 1:
            msg = "mine"
            raise ValueError(msg)
        if kind == "collective":
            dist.all_reduce(torch.zeros(1))
        time.sleep(600)


def test_one_that_waits_is_told_why(run_ranks_once: RunRanksOnce, tmp_path: Path) -> None:
    """Its connection breaks off, and the reason is the other one's."""
    ends = run_ranks_once(fail, 2, str(tmp_path), "collective", timeout=60.0)

    assert "ValueError: mine" in ends[1].error
    assert "SiftRankError: rank 1: ValueError: mine" in ends[0].error


def test_one_that_hears_nothing_is_ended(run_ranks_once: RunRanksOnce, tmp_path: Path) -> None:
    """A process that hangs elsewhere is ended from inside, its failure file written."""
    ends = run_ranks_once(fail, 2, str(tmp_path), "elsewhere", timeout=60.0)

    assert (ends[0].code, ends[0].killed, ends[0].error) == (1, False, "")
    told = JobTree(tmp_path / "0").read_failure()
    assert told == "SiftRankError: a rank has failed: rank 1: ValueError: mine"
