"""What sifting saves by the pace of the same run, and what it would save at another share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.sifting._time_spent import TimeSpent

FRESH = TimeSpent(seen=100, kept=50, loaded=100, load_seconds=2, score_seconds=1, train_seconds=5)
MEMORY = TimeSpent(seen=100, kept=50, loaded=50, load_seconds=2, score_seconds=1, train_seconds=5)


def test_all_that_is_dropped_would_have_been_trained_on() -> None:
    """And loaded, where it was not; scoring would not have been."""
    assert (FRESH.seconds, FRESH.unsifted_seconds) == (8, 2 + 10)
    assert (MEMORY.seconds, MEMORY.unsifted_seconds) == (8, 4 + 10)
    assert FRESH.saving == pytest.approx(1 - 8 / 12)


@pytest.mark.parametrize("rows", [{}, {"seen": 5, "loaded": 5}, {"seen": 5, "kept": 5}])
def test_without_a_pace_nothing_is_claimed(rows: dict[str, float]) -> None:
    """Before anything was loaded and trained on, nothing is saved and nothing lost."""
    spent = TimeSpent(**rows, score_seconds=3)
    assert (spent.unsifted_seconds, spent.saving) == (0, 0)


@pytest.mark.parametrize(("spent", "load"), [(FRESH, 2.0), (MEMORY, 0.5)])
def test_another_share_at_the_same_pace(spent: TimeSpent, load: float) -> None:
    """A quarter of the rows takes a quarter of the training; loading, if only they are loaded."""
    less = spent.with_kept(0.25)
    assert (less.kept, less.train_seconds, less.load_seconds) == (12.5, 1.25, load)
    assert (less.seen, less.score_seconds) == (spent.seen, spent.score_seconds)


@given(share=st.floats(0.01, 1))
def test_unsifted_it_would_take_the_same(share: float) -> None:
    """What share was kept says nothing of what all rows take."""
    for spent in (FRESH, MEMORY):
        unsifted = spent.with_kept(share).unsifted_seconds
        assert unsifted == pytest.approx(spent.unsifted_seconds)
