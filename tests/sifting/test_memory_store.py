"""The memory itself: last losses by id, and the counters of each sample."""

from __future__ import annotations

import io

import pytest
import torch
from torch import Tensor

from sift_toolkit.errors import SiftStateError
from sift_toolkit.sifting._memory_store import SampleMemory


def ids(*numbers: int) -> Tensor:
    """Return ids."""
    return torch.tensor(numbers, dtype=torch.int64)


def test_a_sample_nobody_spoke_of_is_unknown() -> None:
    """Its loss is NaN."""
    assert SampleMemory(3).losses(ids(0, 2)).isnan().all()
    assert len(SampleMemory(3)) == 3


def test_the_last_loss_counts() -> None:
    """Of two learned one after the other, and of two in one lesson."""
    memory = SampleMemory(5)
    memory.learn(ids(1, 3), torch.tensor([1.0, 3.0]))
    memory.learn(ids(3, 4, 3, 3), torch.tensor([5.0, 6.0, 7.0, 8.0]))
    assert memory.losses(ids(1, 3, 4)).tolist() == [1.0, 8.0, 6.0]


def test_the_last_of_very_many_counts() -> None:
    """Also where torch writes from several threads."""
    memory = SampleMemory(3)
    many = torch.arange(300_000)
    memory.learn(many % 3, many.double())
    assert memory.losses(ids(0, 1, 2)).tolist() == [299_997.0, 299_998.0, 299_999.0]


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf, 1e300])
def test_losses_that_are_not_finite_only_mark_their_sample(bad: float) -> None:
    """They are counted and stand in no percentile; a later loss takes the mark away."""
    memory = SampleMemory(4)
    lesson = torch.tensor([1.0, bad, 3.0], dtype=torch.float64)
    assert memory.learn(ids(0, 1, 2), lesson) == 1
    assert memory.losses(ids(1)).tolist() == [torch.inf]
    ties = memory.ties(0.95)
    assert ties.losses.tolist() == [1.0, 3.0]
    assert ties.groups.tolist() == [0, -1, 1, -1]
    assert memory.learn(ids(1), torch.tensor([2.0])) == 0
    assert memory.ties(0.95).losses.tolist() == [1.0, 2.0, 3.0]


def test_values_of_the_users_own_are_kept_to_three_digits() -> None:
    """As bfloat16; one that is not finite marks its sample and is not taken over."""
    memory = SampleMemory(3, with_values=True)
    bad = memory.learn(ids(0, 1), torch.ones(2), torch.tensor([0.3, torch.nan]))
    assert bad == 1
    assert memory.all_values.tolist() == pytest.approx([0.3, 0.0, 0.0], rel=0.004)
    assert memory.losses(ids(0, 1)).tolist() == [1.0, torch.inf]


def test_values_are_not_kept_where_nobody_needs_them() -> None:
    """They may come all the same."""
    memory = SampleMemory(2)
    assert memory.learn(ids(0), torch.ones(1), torch.ones(1)) == 0
    assert memory.state_dict()["values"] is None


@pytest.mark.parametrize("visits", [1, 3, 255])
def test_a_sample_is_due_after_so_many_visits_in_vain(visits: int) -> None:
    """Counted from the last time it was chosen, up to 255."""
    memory = SampleMemory(3)
    everyone = ids(0, 1, 2)
    for visit in range(visits):
        assert not memory.is_due(visits)[:2].any(), visit
        memory.visit(everyone, ids(2))
    assert memory.is_due(visits).tolist() == [True, True, False]
    memory.visit(everyone, ids(0, 2))
    assert memory.is_due(visits).tolist() == [False, True, False]


def test_a_sample_that_stands_twice_in_an_epoch_is_visited_once() -> None:
    """And it was chosen if it was chosen at either place."""
    memory = SampleMemory(3)
    memory.visit(ids(0, 1, 1, 0), ids(2))
    assert memory.is_due(1).tolist() == [True, False, False]
    assert not memory.is_due(2).any()


def test_samples_not_in_the_epoch_are_not_visited() -> None:
    """A sampler of a part of the data leaves the others as they are."""
    memory = SampleMemory(3)
    memory.visit(ids(0), ids())
    assert memory.is_due(1).tolist() == [True, False, False]


def test_ids_stay_stuck_as_long_as_each_new_loss_is_at_the_top() -> None:
    """Counted by losses learned, not by epochs passed; one below the top ends it."""
    memory = SampleMemory(100)
    everyone = torch.arange(100)
    memory.learn(everyone, everyone.float())
    assert memory.stuck_ids(1, 10) == []
    memory.ties(0.95)
    for _ in range(3):
        memory.learn(everyone, everyone.float())
    memory.learn(ids(99), torch.tensor([200.0]))
    assert memory.stuck_ids(3, 10) == [99, 95, 96, 97, 98]
    assert memory.stuck_ids(4, 10) == [99]
    assert memory.stuck_ids(3, 2) == [99, 95]
    memory.learn(ids(99, 98, 97), torch.tensor([1.0, torch.nan, 97.0]))
    assert memory.stuck_ids(3, 10) == [97, 95, 96]


@pytest.mark.parametrize("parts", [[slice(0, 6)], [slice(0, 2), slice(2, 5), slice(5, 6)]])
def test_losses_of_one_sample_count_each_however_many_come_at_once(parts: list[slice]) -> None:
    """Of three at the top, one below it and two more, the last two are those in a row."""
    memory = SampleMemory(100)
    memory.learn(torch.arange(100), torch.arange(100.0))
    memory.ties(0.95)
    numbers, losses = ids(99, 99, 99, 99, 99, 99), torch.tensor([99.0, 99, 99, 0, 97, 98])
    for part in parts:
        memory.learn(numbers[part], losses[part])
    assert memory.losses(ids(99)).tolist() == [98.0]
    assert (memory.stuck_ids(2, 1), memory.stuck_ids(3, 1)) == ([99], [])


def test_nothing_is_at_the_top_where_all_are_equal() -> None:
    """Ties over the border of the top are not in it, and an empty memory has no top."""
    memory = SampleMemory(50)
    memory.ties(0.95)
    everyone = torch.arange(50)
    for _ in range(4):
        memory.learn(everyone, torch.ones(50))
        memory.ties(0.95)
    assert memory.stuck_ids(1, 10) == []


def test_the_counters_stop() -> None:
    """At 255, instead of beginning anew."""
    memory = SampleMemory(2)
    memory.learn(ids(0, 1), torch.tensor([1.0, 2.0]))
    memory.ties(0.5)
    for _ in range(300):
        memory.learn(ids(1), torch.tensor([2.0]))
        memory.visit(ids(0), ids())
    assert memory.stuck_ids(1000, 5) == [1]
    assert memory.is_due(255).tolist() == [True, False]
    assert memory.is_due(256).tolist() == [False, False]


def test_the_state_is_all_there_is() -> None:
    """Saved, loaded without running code, and independent of the memory it was taken from."""
    memory = SampleMemory(6, with_values=True)
    everyone = torch.arange(6)
    memory.learn(everyone, everyone.float(), everyone.float())
    memory.ties(0.5)
    memory.learn(everyone, everyone.float(), everyone.float())
    memory.visit(everyone, ids(3))
    file = io.BytesIO()
    torch.save(memory.state_dict(), file)
    memory.learn(everyone, -everyone.float(), everyone.float())
    file.seek(0)
    other = SampleMemory(6, with_values=True)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert other.losses(everyone).tolist() == [0, 1, 2, 3, 4, 5]
    assert other.all_values.tolist() == [0, 1, 2, 3, 4, 5]
    assert other.is_due(1).tolist() == [True, True, True, False, True, True]
    other.learn(everyone, everyone.float(), everyone.float())
    assert other.stuck_ids(2, 5) == [3, 4, 5]


def test_a_memory_of_other_data_is_refused() -> None:
    """Both numbers of samples are named."""
    with pytest.raises(SiftStateError, match="of 3 samples, this dataset has 4"):
        SampleMemory(4).load_state_dict(SampleMemory(3).state_dict())


@pytest.mark.parametrize(("with_values", "most"), [(False, 6), (True, 8)])
def test_a_sample_takes_eight_bytes_at_most(with_values: bool, most: int) -> None:
    """All tensors of the state together, by the number of samples."""
    state = SampleMemory(1000, with_values=with_values).state_dict().values()
    tensors = [each for each in state if isinstance(each, Tensor)]
    assert sum(each.numel() * each.element_size() for each in tensors) == most * 1000
