"""Every rank knows every sample's last loss in the next epoch, whichever rank saw it."""

from __future__ import annotations

import pytest

from tests.ranks.pool import RankPools
from tests.ranks.training import Case, train

ROWS = 96
BYTES_A_SAMPLE = 10
"""Its id 4, its loss 4, two counters."""
SIZE_OF_A_MESSAGE = 8


@pytest.mark.parametrize("world_size", [2, 4, 8])
def test_ranks_know_the_same(rank_pool: RankPools, world_size: int) -> None:
    """Nothing in the first epoch, all samples in the second and the third, the same losses."""
    outcomes = rank_pool(world_size).run(train, Case("memory", rows=ROWS))
    first, second, third = outcomes[0].known
    assert first == {}
    assert set(second) == set(third) == set(range(ROWS))
    assert second != third
    assert all(outcome.known == outcomes[0].known for outcome in outcomes)


@pytest.mark.parametrize("world_size", [2, 4, 8])
def test_bytes_are_ten_a_sample(rank_pool: RankPools, world_size: int) -> None:
    """Of the dataset and epoch, however many ranks there are, and eight for a message's length."""
    outcomes = rank_pool(world_size).run(train, Case("memory", rows=ROWS))
    told = 2 * ROWS // world_size * BYTES_A_SAMPLE
    for outcome in outcomes:
        messages, sent, received = outcome.traffic["memory"]
        # Before the first epoch there is nothing to tell; in each, first what was only had, then
        # what was learnt.
        assert messages == 6
        assert sent == told + 6 * SIZE_OF_A_MESSAGE
        assert received == world_size * sent


def test_own_values_are_told_as_well(rank_pool: RankPools) -> None:
    """Two more bytes a sample."""
    case = Case("memory", (("law", "proportional"), ("value", "own")), rows=ROWS)
    outcomes = rank_pool(2).run(train, case)
    _, sent, _ = outcomes[0].traffic["memory"]
    assert sent == ROWS * (BYTES_A_SAMPLE + 2) + 6 * SIZE_OF_A_MESSAGE
    assert outcomes[0].known == outcomes[1].known


def test_datasets_of_their_own_stay_so(rank_pool: RankPools) -> None:
    """Where ranks bring other data, an id says nothing on another rank: nothing is exchanged."""
    outcomes = rank_pool(2).run(train, Case("memory", rows_of_rank=(48, 48)))
    assert "memory" not in outcomes[0].traffic
    assert outcomes[0].known[1] != outcomes[1].known[1]


@pytest.mark.parametrize("shares", [True, False])
def test_the_user_may_know_better(rank_pool: RankPools, *, shares: bool) -> None:
    """`shares_samples` overrules what the sampler suggests."""
    case = Case("memory", rows=ROWS, shares_samples=shares)
    outcomes = rank_pool(2).run(train, case)
    assert ("memory" in outcomes[0].traffic) == shares
