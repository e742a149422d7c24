"""Scales: round ticks that hold all numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.display import thinned
from sift_toolkit.display._scales import scale_of, tick_text


@given(st.lists(st.floats(-1e15, 1e15)), st.booleans(), st.booleans())
def test_a_scale_holds_its_numbers(values: list[float], zero: bool, logarithmic: bool) -> None:
    """Its ends are ticks, there are few of them, and every number lies between the ends."""
    scale = scale_of(values, from_zero=zero, may_be_logarithmic=logarithmic)
    assert 2 <= len(scale.ticks) <= 9
    assert list(scale.ticks) == sorted(set(scale.ticks))
    for value in values:
        assert 0 <= scale.place(value) <= 1
    assert scale.place(scale.ticks[0]) == 0
    assert scale.place(scale.ticks[-1]) == 1


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([], (0, 1)),
        ([0], (0, 0.2, 0.4, 0.6, 0.8, 1)),
        ([47.5, 100], (0, 20, 40, 60, 80, 100)),
        ([0.3], (0, 0.1, 0.2, 0.3)),
    ],
)
def test_ticks_are_round(values: list[float], ticks: tuple[float, ...]) -> None:
    """Ticks are what a person would choose."""
    assert scale_of(values).ticks == ticks


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (0.5, "0.5"), (12000, "12,000"), (2e6, "2e6"), (1e-5, "1e-5"), (-3, "-3")],
)
def test_numbers_at_ticks(value: float, words: str) -> None:
    """Large and small numbers stay short."""
    assert tick_text(value) == words


@given(st.lists(st.integers(), max_size=200), st.integers(2, 60))
def test_thinned(points: list[int], most: int) -> None:
    """No more than so many are left, in order, the first and the last among them."""
    left = thinned(points, most)
    assert len(left) == min(len(points), most)
    remaining = iter(points)
    assert all(point in remaining for point in left)
    assert left[:1] == points[:1]
    assert left[-1:] == points[-1:]
