"""Means and intervals of a few seeds."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.client._trial_statistics import Estimate, pooled_deviation, t_quantile

VALUES = st.lists(st.floats(-1, 1), min_size=2, max_size=6)


@pytest.mark.parametrize(
    ("confidence", "freedom", "quantile"),
    # Two-sided, from any table of Student's t.
    [
        (0.95, 1, 12.706),
        (0.9, 2, 2.920),
        (0.95, 2, 4.303),
        (0.95, 3, 3.182),
        (0.99, 5, 4.032),
        (0.9, 10, 1.812),
        (0.95, 30, 2.042),
        (0.95, 1000, 1.962),
    ],
)
def test_quantiles(confidence: float, freedom: int, quantile: float) -> None:
    """They are those of the tables."""
    assert t_quantile(confidence, freedom) == pytest.approx(quantile, abs=6e-4)


@given(freedom=st.integers(1, 60), confidence=st.floats(0.5, 0.999))
def test_more_freedom_is_less_reach(freedom: int, confidence: float) -> None:
    """An interval shrinks with what is known, and grows with what is asked."""
    reach = t_quantile(confidence, freedom)
    assert t_quantile(confidence, freedom + 1) < reach
    assert t_quantile(confidence / 2 + 0.5, freedom) > reach > 0


@given(values=VALUES, shift=st.floats(-1, 1))
def test_an_interval_goes_with_its_values(values: list[float], shift: float) -> None:
    """It lies around the mean, and what all values have in common moves it and no more."""
    here, there = (
        Estimate.of(values, 0.9),
        Estimate.of([value + shift for value in values], 0.9),
    )
    assert here is not None
    assert there is not None
    assert here.mean == pytest.approx(statistics.fmean(values))
    assert here.low <= here.mean <= here.high
    assert there.mean == pytest.approx(here.mean + shift, abs=1e-9)
    assert there.reach == pytest.approx(here.reach, abs=1e-6)


def test_one_value_has_no_interval() -> None:
    """Of one seed the mean is known, and nothing of how far it may be off."""
    one = Estimate.of([0.5], 0.9)
    assert one == Estimate(0.5, -math.inf, math.inf, 1)
    assert one.to_json() == {"mean": 0.5, "low": None, "high": None, "n": 1}
    assert Estimate.of([], 0.9) is None


@given(values=VALUES)
def test_a_deviation_of_ones_own(values: list[float]) -> None:
    """With the values' own deviation and freedom an interval is the usual one."""
    usual = Estimate.of(values, 0.9)
    assert usual is not None
    known = Estimate.with_noise(values, statistics.stdev(values), len(values) - 1, 0.9)
    assert (known.low, known.high) == pytest.approx((usual.low, usual.high))
    assert Estimate.with_noise(values, 0.0, 0, 0.9).reach == math.inf


def test_a_pooled_deviation() -> None:
    """Groups of other means have one spread; single values tell nothing of it."""
    assert pooled_deviation([[1.0, 3.0], [11.0, 13.0], [7.0]]) == (pytest.approx(math.sqrt(2)), 2)
    assert pooled_deviation([[7.0], []]) == (0.0, 0)
