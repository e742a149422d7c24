"""All ranks hand out the same number of batches, whatever they choose by."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch.utils.data import DataLoader, default_collate
from torch.utils.data.distributed import DistributedSampler

from sift_toolkit import SiftBatchError, SiftConfig, SiftingDataloader, SiftRankError
from tests.ranks.pool import RankPools
from tests.ranks.training import Case, Net, losses, rows, train

SEVERAL = (2, 4, 8)


def counts(outcomes: list[Any]) -> list[list[int]]:
    """Return the number of batches of each epoch, by rank."""
    return [[len(epoch) for epoch in outcome.batches] for outcome in outcomes]


@pytest.mark.parametrize("world_size", SEVERAL)
@pytest.mark.parametrize("scores", ["fresh", "memory"])
@pytest.mark.parametrize("selection", ["quota", "bernoulli"])
def test_a_distributed_sampler(
    rank_pool: RankPools, world_size: int, scores: str, selection: str
) -> None:
    """Training ends on all ranks, after equally many batches, with the same weights."""
    case = Case(scores, (("selection", selection),), rows=26 * world_size - 1)
    outcomes = rank_pool(world_size).run(train, case)
    assert len({str(each) for each in counts(outcomes)}) == 1
    assert all(torch.equal(each.weights, outcomes[0].weights) for each in outcomes)
    assert all(len(batch) <= 8 for each in outcomes for epoch in each.batches for batch in epoch)
    if selection == "quota":
        assert outcomes[0].lengths == counts(outcomes)[0]
        assert outcomes[0].total_steps == sum(counts(outcomes)[0])
    if scores == "fresh" or selection == "quota":
        assert sum(counts(outcomes)[0]) < 3 * 4


@pytest.mark.parametrize("world_size", SEVERAL)
@pytest.mark.parametrize("scores", ["fresh", "memory"])
@pytest.mark.parametrize("selection", ["quota", "bernoulli"])
@pytest.mark.parametrize("drop_last", [False, True])
def test_datasets_of_different_lengths(
    rank_pool: RankPools, world_size: int, scores: str, selection: str, *, drop_last: bool
) -> None:
    """The rank with the least data sets the length of the epoch for all."""
    sizes = tuple(40 + 7 * (rank % 3) for rank in range(world_size))
    case = Case(scores, (("selection", selection),), rows_of_rank=sizes, drop_last=drop_last)
    outcomes = rank_pool(world_size).run(train, case)
    assert len({str(each) for each in counts(outcomes)}) == 1
    for outcome in outcomes:
        if selection == "quota":
            assert outcome.lengths == counts(outcomes)[0]
        for epoch in outcome.batches:
            assert sum(len(batch) for batch in epoch) <= 40


@pytest.mark.parametrize("world_size", [2, 4])
@pytest.mark.parametrize("selection", ["quota", "bernoulli"])
def test_streams(rank_pool: RankPools, world_size: int, selection: str) -> None:
    """Nobody knows their lengths; the first that ends, ends the epoch for all."""
    sizes = tuple(48 + 20 * rank for rank in range(world_size))
    case = Case("fresh", (("selection", selection),), rows_of_rank=sizes, streams=True)
    outcomes = rank_pool(world_size).run(train, case)
    assert len({str(each) for each in counts(outcomes)}) == 1
    assert sum(counts(outcomes)[0]) > 0


@pytest.mark.parametrize("scores", ["fresh", "memory"])
@pytest.mark.parametrize(
    "fields",
    [
        {"nonfinite": "drop"},
        {"keep_end": 0.2, "anneal": 0.3},
        {"sift_delay": 3},
        {"sift_delay": 1, "repeat_delay_per_epoch": True},
        {"leftover": "carry"},
        {"leftover": "drop", "selection": "bernoulli"},
        {"score_every": 2},
        {"correction": 1.0, "min_probability": 0.1},
        {"law": "proportional", "value": "loss"},
        {"sift_delay": 3, "selection": "bernoulli"},
        {"keep_end": 0.2, "anneal": 0.3, "selection": "bernoulli"},
    ],
    ids=str,
)
def test_any_config(rank_pool: RankPools, scores: str, fields: dict[str, Any]) -> None:
    """Delays, falling shares, leftovers and weights keep step as well, on uneven data."""
    case = Case(scores, tuple(fields.items()), rows_of_rank=(50, 43), epochs=4)
    outcomes = rank_pool(2).run(train, case)
    assert counts(outcomes)[0] == counts(outcomes)[1]
    assert torch.equal(outcomes[0].weights, outcomes[1].weights)


def test_leftovers_are_never_more_than_a_batch(rank_pool: RankPools) -> None:
    """Where coins give one rank many more rows than the other, they wait."""
    case = Case("fresh", (("selection", "bernoulli"),), rows=2000, epochs=2)
    for outcome in rank_pool(2).run(train, case):
        assert all(len(batch) <= 8 for epoch in outcome.batches for batch in epoch)


@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_a_schedule_made_too_early_is_said(rank_pool: RankPools, scores: str) -> None:
    """Its length was this rank's own; from the first epoch on it is that of all."""
    for outcome in rank_pool(2).run(train, Case(scores, rows_of_rank=(50, 36))):
        told = "ranks have different numbers of rows" in "".join(outcome.notes)
        assert told == (outcome.total_steps != sum(map(len, outcome.batches)))


def counted(case: Case, keeps: int) -> list[int] | str:
    """Train with a collate function that leaves rows out on rank 1; return batches or the error."""

    def collate(given: list[Any]) -> Any:
        return default_collate(given if dist.get_rank() == 0 else given[:keeps])

    data = rows(80)
    inner = DataLoader(data, 8, sampler=DistributedSampler(data), collate_fn=collate)
    config = SiftConfig(keep=0.5, scores="fresh", **dict(case.fields))
    model = Net("layer norm")
    loader = SiftingDataloader(
        sift_config=config, orig_dataloader=inner, loss_impl=losses, model=model
    )
    try:
        return [sum(1 for _ in loader) for _ in range(2)]
    except (SiftBatchError, SiftRankError) as error:
        return str(error)


def test_a_collate_function_that_drops_rows(rank_pool: RankPools) -> None:
    """Coins keep step all the same; under quota, which counts on the rows, it is refused."""
    first, second = rank_pool(2).run(counted, Case(fields=(("selection", "bernoulli"),)), 6)
    assert first == second
    assert isinstance(first, list)
    _, told = rank_pool(2).run(counted, Case(), 6)
    assert "the sampler gave 8 samples, the batch has 6" in told


def test_one_rank_is_as_none(rank_pool: RankPools) -> None:
    """A group of one exchanges nothing."""
    (outcome,) = rank_pool(1).run(train, Case(rows=48))
    assert outcome.traffic == {}
    assert outcome.lengths == [len(epoch) for epoch in outcome.batches]


def halves(case: Case) -> tuple[list[list[int]], str]:
    """Train in two groups of half the ranks each, and save once the groups are gone."""
    size, rank = dist.get_world_size(), dist.get_rank()
    groups = [dist.new_group(range(size // 2)), dist.new_group(range(size // 2, size))]
    group = groups[rank * 2 // size]
    sampler = DistributedSampler(
        rows(case.rows + 20 * (rank * 2 // size)), size // 2, dist.get_rank(group)
    )
    loader = SiftingDataloader(
        sift_config=SiftConfig(keep=0.5, scores="memory"),
        orig_dataloader=DataLoader(sampler.dataset, case.batch_size, sampler=sampler),
        loss_impl=losses,
        model=(model := Net("layer norm")),
        epochs=case.epochs,
        process_group=group,
    )
    seen = []
    for _ in range(case.epochs):
        for batch in loader:
            loader.reduce(losses(model, batch)).backward()
            seen.append(batch[2].tolist())
    dist.destroy_process_group()
    data = loader.state_dict()["data"]
    return seen, f"{data['rank']} of {data['ranks']}"


def test_groups_train_models_of_their_own(rank_pool: RankPools) -> None:
    """Each keeps step within itself only; a state can be saved when the group is gone."""
    outcomes = rank_pool(4).run(halves, Case(rows=64))
    counts = [len(seen) for seen, _ in outcomes]
    assert counts[0] == counts[1] < counts[2] == counts[3]
    assert [who for _, who in outcomes] == ["0 of 2", "1 of 2", "0 of 2", "1 of 2"]
