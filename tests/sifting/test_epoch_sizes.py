"""How the rows of an epoch are cut into batches."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.sifting._epoch_sizes import epoch_sizes, refill_sizes, split_sizes
from sift_toolkit.sifting._rebuild import EpochOrder


@pytest.mark.parametrize(
    ("rows", "flush", "expected"),
    [(0, True, []), (5, False, []), (5, True, [5]), (16, True, [8, 8]), (20, True, [8, 8, 4])],
)
def test_full_batches_and_a_smaller_last_one_if_asked(
    rows: int, flush: bool, expected: list[int]
) -> None:
    """What is left over fills no batch, or a smaller one."""
    assert split_sizes(rows, 8, flush=flush) == expected


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=12),
    data=st.data(),
    flush=st.booleans(),
)
def test_no_refilled_batch_holds_more_than_it_may(
    sizes: list[int], data: st.DataObject, flush: bool
) -> None:
    """Each row takes its share of the batch it was meant for; batches are as full as can be."""
    total = sum(sizes)
    flags = data.draw(st.lists(st.booleans(), min_size=total, max_size=total))
    places = [place for place, flag in enumerate(flags) if flag]
    shares = [1 / size for size in sizes for _ in range(size)]
    refilled = refill_sizes(torch.tensor(places, dtype=torch.int64), sizes, flush=flush)
    assert all(size > 0 for size in refilled)
    ends = list(itertools.accumulate(refilled, initial=0))
    for start, end in itertools.pairwise(ends):
        assert sum(shares[place] for place in places[start:end]) <= 1.001
        following = places[end : end + 1]
        if following:
            assert sum(shares[place] for place in [*places[start:end], *following]) > 1
    left = places[ends[-1] :]
    assert not (flush and left)
    assert sum(shares[place] for place in left) < 1


def test_all_rows_of_uneven_batches_make_the_same_batches() -> None:
    """Nothing chosen away, nothing moved."""
    sizes = [10, 3, 7, 1]
    assert refill_sizes(torch.arange(21), sizes, flush=False) == sizes


def test_uneven_batches_leave_nothing_waiting() -> None:
    """But for what is dropped as configured."""
    order = EpochOrder(torch.arange(12), [8, 4], None)
    places = torch.tensor([0, 1, 2, 9])
    assert epoch_sizes(order, places, 0, "carry") == [4]
    assert epoch_sizes(order, places, 0, "flush") == [4]
    assert epoch_sizes(order, places, 0, "drop") == []


@pytest.mark.parametrize(
    ("rule", "waiting", "expected"),
    [("flush", 0, [4, 4, 2]), ("flush", 3, [4, 4, 4]), ("carry", 0, [4, 4]), ("drop", 1, [4, 4])],
)
def test_even_batches_follow_the_rule(rule: str, waiting: int, expected: list[int]) -> None:
    """Rows that waited come first; a single row is no batch."""
    order = EpochOrder(torch.arange(12), [4, 4, 4], 4)
    assert epoch_sizes(order, torch.arange(10), waiting, rule) == expected  # type: ignore[arg-type] # a word
