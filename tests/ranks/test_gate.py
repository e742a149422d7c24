"""Ranks decide together whether sifting pays."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch.distributed as dist
from torch import Tensor, nn

from tests.ranks.pool import RankPools
from tests.ranks.training import Case, Net, losses, sifted, wrapped

SLOW = 0.02
"""Seconds of a slow scoring pass; those of a training step here are a tenth of it."""


def slow_on_some(ranks: tuple[int, ...]) -> Any:
    """Return a loss that takes its time on some ranks, when nothing is trained."""

    def loss(model: nn.Module, batch: list[Tensor]) -> Tensor:
        if dist.get_rank() in ranks and not model.training:
            time.sleep(SLOW)
        return losses(model, batch)

    return loss


def epochs_of(case: Case, slow: tuple[int, ...], pause: float) -> list[int]:
    """Train; return the number of batches of each epoch."""
    model = wrapped(Net("layer norm"), case.wrap)
    loader = sifted(case, model, [], slow_on_some(slow))
    counts = []
    for _ in range(case.epochs):
        counts.append(0)
        for batch in loader:
            loader.reduce(losses(model, batch)).backward()
            time.sleep(pause)
            counts[-1] += 1
    return counts


@pytest.mark.parametrize("slow", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("wrap", ["none", "ddp"])
def test_one_slow_rank_closes_the_gate_of_all(
    rank_pool: RankPools, slow: tuple[int, ...], wrap: str
) -> None:
    """In the same epoch; also where the others wait for it in the middle of their training."""
    case = Case("fresh", (("gate", "on"),), rows=400, epochs=3, wrap=wrap)
    for counts in rank_pool(2).run(epochs_of, case, slow, 0.0):
        assert counts == [13, 13, 25]


def test_it_stays_open_while_all_together_gain(rank_pool: RankPools) -> None:
    """One rank's loss is outweighed where steps take longer than scores save."""
    case = Case("fresh", (("gate", "on"),), rows=400, epochs=3)
    for counts in rank_pool(2).run(epochs_of, case, (), SLOW):
        assert counts == [13, 13, 13]
