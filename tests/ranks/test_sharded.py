"""Sharded models: scored in lockstep, trained on after it, as DDP would."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.ranks.pool import RankPools
from tests.ranks.training import Case, train


@pytest.mark.parametrize("selection", ["quota", "bernoulli"])
@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_a_sharded_model_trains_as_a_replicated_one(
    rank_pool: RankPools, scores: str, selection: str
) -> None:
    """The same rows are chosen, and the weights are the same within rounding."""
    outcomes = {}
    for wrap in ("ddp", "fsdp"):
        case = Case(scores, (("selection", selection),), wrap=wrap, net="layer norm")
        outcomes[wrap] = rank_pool(2).run(train, case)
    for replicated, sharded in zip(outcomes["ddp"], outcomes["fsdp"], strict=True):
        assert sharded.batches == replicated.batches
        assert sum(map(len, sharded.batches)) < 3 * 6
        torch.testing.assert_close(sharded.weights, replicated.weights, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sizes", [(48, 68), (68, 48)])
def test_shards_score_as_often_on_streams(rank_pool: RankPools, sizes: Any) -> None:
    """The rank at its end scores no less often than the one that has more."""
    case = Case("fresh", rows_of_rank=sizes, streams=True, wrap="fsdp", net="layer norm")
    outcomes = rank_pool(2).run(train, case)
    assert list(map(len, outcomes[0].batches)) == list(map(len, outcomes[1].batches))


@pytest.mark.parametrize("sizes", [(50, 43), (43, 50)])
def test_shards_score_as_often_on_uneven_data(rank_pool: RankPools, sizes: Any) -> None:
    """A forward pass more on one rank would hang all of them."""
    outcomes = rank_pool(2).run(train, Case("fresh", rows_of_rank=sizes, wrap="fsdp"))
    assert [len(each) for each in outcomes[0].batches] == [
        len(each) for each in outcomes[1].batches
    ]
