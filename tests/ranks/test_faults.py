"""A rank that raises, ends or leaves early: the others stop with a reason, within seconds."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from sift_toolkit.errors import SiftRankError
from tests.ranks.once import RankEnd, RunRanksOnce
from tests.ranks.pool import RankPools
from tests.ranks.training import Case, Net, losses, sifted, train, wrapped

SECONDS = 15.0
"""In which all must be over; a rank that waits looks round every second."""


SCORING_FAILED = ValueError("no score today")
USERS_MISTAKE = KeyError("a mistake of the user")


class Sabotage:
    """What rank 1 does wrong at one batch of the second epoch."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.armed = False

    def losses(self, model: nn.Module, batch: list[Tensor]) -> Tensor:
        """Return one loss a sample, or fail in scoring."""
        if self.armed and self.kind == "scoring" and not model.training:
            raise SCORING_FAILED
        return losses(model, batch)

    @staticmethod
    def spoilt(kind: str, each: Tensor) -> Tensor:
        """Return the losses of a training step, or do not return."""
        if kind == "training":
            raise USERS_MISTAKE
        if kind == "dying":
            os._exit(7)
        return each / 0 if kind == "loss" else each


class Printed(list[str]):
    """Notes that are written down at once: a rank that hangs returns none."""

    def append(self, note: str) -> None:
        """Write a note."""
        print(note, flush=True)


def train_with(kind: str, case: Case) -> None:
    """Train, rank 1 in its own way."""
    sabotage = Sabotage(kind)
    torch.manual_seed(0)
    model = wrapped(Net(), "ddp")
    loader = sifted(case, model, Printed(), sabotage.losses)
    if kind == "dying before it begins" and dist.get_rank() == 1:
        os._exit(7)
    for epoch in range(case.epochs):
        sabotage.armed = epoch == 1 and dist.get_rank() == 1
        for index, batch in enumerate(loader):
            now = kind if sabotage.armed and index == 1 else ""
            each = sabotage.spoilt(now, sabotage.losses(model, batch))
            if now == "leaving at once":
                break
            loader.reduce(each).backward()
            if now == "leaving":
                break
        if sabotage.armed and kind == "dying between epochs":
            os._exit(7)


def stopped(ends: list[RankEnd]) -> None:
    """All ranks are over, by themselves, soon after the first."""
    assert not any(end.killed for end in ends), [end.stacks for end in ends]
    assert max(end.seconds_after_first for end in ends) < SECONDS
    assert all(end.code for end in ends)


@pytest.mark.parametrize("selection", ["quota", "bernoulli"])
def test_scoring_fails(run_ranks_once: RunRanksOnce, selection: str) -> None:
    """With its own error where it failed; elsewhere with the reason, where ranks talk."""
    case = Case("fresh", (("selection", selection),))
    ends = run_ranks_once(train_with, 2, "scoring", case, timeout=90.0)
    stopped(ends)
    assert "ValueError: no score today" in ends[1].error
    if selection == "bernoulli":
        assert "SiftRankError: rank 1: ValueError: no score today" in ends[0].error


@pytest.mark.parametrize(
    "kind",
    ["training", "dying", "dying between epochs", "dying before it begins", "leaving"],
)
@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_a_rank_is_lost(run_ranks_once: RunRanksOnce, kind: str, scores: str) -> None:
    """By an error of the user's, by its end, or because it left the epoch before the others."""
    ends = run_ranks_once(train_with, 2, kind, Case(scores), timeout=90.0)
    stopped(ends)
    if kind == "leaving":
        assert "SiftRankError" in ends[1].error
        told = "rank 0 took batch 3 of epoch 2, another rank left that epoch after 2"
        assert told in ends[1].error
    if kind in {"dying between epochs", "dying before it begins"}:
        assert "SiftRankError: rank 1 has ended" in ends[0].error


def test_a_rank_that_waits_says_for_whom(run_ranks_once: RunRanksOnce) -> None:
    """Where both took the same batch, nobody can tell a slow rank from one that hangs.

    The process group's own timeout ends that; long before, the words say where to look.
    """
    ends = run_ranks_once(train_with, 2, "leaving at once", Case("fresh"), timeout=15.0)
    told = "waiting for ranks to begin epoch 3: rank 0 is at batch 2 of epoch 2"
    assert told in ends[1].output


def test_a_loss_is_not_finite(run_ranks_once: RunRanksOnce) -> None:
    """Where that is an error on one rank, it ends all."""
    case = Case("memory", (("nonfinite", "raise"),))
    ends = run_ranks_once(train_with, 2, "loss", case, timeout=90.0)
    stopped(ends)
    assert "SiftLossError" in ends[1].error


def train_with_a_file(folder: str) -> int:
    """Train in a group whose store is a file, as a cluster without torchrun may have it."""
    rank, size = dist.get_rank(), dist.get_world_size()
    dist.destroy_process_group()
    store = dist.FileStore(f"{folder}/store", size)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=size)
    return sum(map(len, train(Case("memory")).batches))


def test_any_kind_of_store_will_do(run_ranks_once: RunRanksOnce, tmp_path: Path) -> None:
    """Ranks meet in a file as well."""
    ends = run_ranks_once(train_with_a_file, 2, str(tmp_path), timeout=60.0)
    assert [end.error for end in ends] == ["", ""]
    assert ends[0].result == ends[1].result > 0


def differ(case: Case, fields: dict[str, Any]) -> str:
    """Begin an epoch, rank 1 with something else."""
    if dist.get_rank() == 1:
        case = dataclasses.replace(case, **fields)
    try:
        next(iter(sifted(case, Net(), [])))
    except SiftRankError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"fields": (("beta_value", 3.0),)}, "the same sift configs"),
        ({"scores": "memory"}, "the same ways to score: 'fresh' on rank 0, 'memory' on rank 1"),
        ({"batch_size": 4}, "the same batch sizes: 8 on rank 0, 4 on rank 1"),
        ({"drop_last": True}, "the same drop_last"),
    ],
    ids=str,
)
def test_ranks_that_differ(rank_pool: RankPools, fields: dict[str, Any], told: str) -> None:
    """They are refused before the first batch, on all ranks, in words."""
    for message in rank_pool(2).run(differ, Case(), fields):
        assert told in message
