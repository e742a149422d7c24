"""Twins compared: savings within pairs, means over runs, and nothing made up."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.client._comparison import JobFigures, Spread, TwinComparison, compare_twins
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.metrics import (
    COUNTED_COST,
    KEPT_SHARE,
    LOAD_SECONDS,
    SAMPLES_SEEN,
    SCORE_SECONDS,
    TRAIN_SECONDS,
    VALIDATION_ACCURACY,
)


def job(
    accuracy: float,
    *,
    load: float = 0.0,
    score: float = 0.0,
    train: float = 10.0,
    cost: float = 1.0,
    kept: float = 1.0,
    seen: int = 1000,
    seconds: float | None = None,
) -> JobFigures:
    """Return the figures of a job whose log reports these values."""
    values = (
        (SAMPLES_SEEN, seen),
        (KEPT_SHARE, kept),
        (LOAD_SECONDS, load),
        (SCORE_SECONDS, score),
        (TRAIN_SECONDS, train),
        (COUNTED_COST, cost),
        (VALIDATION_ACCURACY, accuracy),
    )
    lines = [metric.line(value) for metric, value in values]
    return JobFigures.from_lines(lines, name="job", seconds=seconds)


@pytest.fixture
def three_pairs() -> TwinComparison:
    """Savings of 40, 50 and 30 %, on a machine that grows slower."""
    plain = [job(0.97, train=10), job(0.98, train=20), job(0.96, train=30)]
    sifted = [
        job(0.965, load=1, score=1, train=4, cost=0.6, kept=0.5),
        job(0.985, load=1, score=2, train=7, cost=0.7, kept=0.6),
        job(0.960, load=1, score=5, train=15, cost=0.5, kept=0.4),
    ]
    return compare_twins(plain, sifted, label="Letters, keep 0.5")


def spread(center: float, low: float, high: float) -> object:
    """Return what equals a Spread of about these values."""
    return pytest.approx((center, low, high))


def values(figure: Spread | None) -> tuple[float, float, float]:
    """Return the values of a figure that must be there."""
    assert figure is not None
    return figure.center, figure.low, figure.high


def test_measured_saving_is_the_median_of_pairs(three_pairs: TwinComparison) -> None:
    """Time is saved within each pair, scoring and loading charged; the median pair counts."""
    assert values(three_pairs.measured_saving) == spread(0.4, 0.3, 0.5)


def test_counted_saving_is_the_median_of_pairs(three_pairs: TwinComparison) -> None:
    """Passes are saved within each pair."""
    assert values(three_pairs.counted_saving) == spread(0.4, 0.3, 0.5)


def test_counted_saving_is_absolute() -> None:
    """A sifted job that saw half the data made half the passes, whatever its share of them is."""
    twins = compare_twins([job(0.9, seen=1000)], [job(0.9, seen=500)], label="half")
    assert values(twins.counted_saving) == spread(0.5, 0.5, 0.5)


def test_accuracies_are_means_and_the_difference_is_paired(three_pairs: TwinComparison) -> None:
    """Accuracies are means of the runs, their difference the mean of the pairs' in points."""
    assert values(three_pairs.plain_accuracy) == spread(0.97, 0.96, 0.98)
    assert values(three_pairs.sifted_accuracy) == spread(0.97, 0.96, 0.985)
    assert values(three_pairs.difference) == pytest.approx((0.0, -0.5, 0.5), abs=1e-9)


def test_kept_share_is_the_sifted_runs(three_pairs: TwinComparison) -> None:
    """The kept share is the mean of the sifted runs; the plain ones keep all."""
    assert values(three_pairs.kept_share) == spread(0.5, 0.4, 0.6)


def test_a_slower_sifted_job_saves_less_than_nothing() -> None:
    """Where scoring costs more than it saves the saving is negative, and printed as such."""
    twins = compare_twins([job(0.9, train=10)], [job(0.9, train=8, score=4)], label="slow")
    assert values(twins.measured_saving) == spread(-0.2, -0.2, -0.2)
    assert "training time saved     -20.0%" in str(twins)


def test_whole_job_seconds_are_compared_where_given() -> None:
    """The saving of the whole job's seconds needs the launcher's clock, and is None without."""
    timed = compare_twins([job(0.9, seconds=40)], [job(0.9, seconds=30)], label="timed")
    assert values(timed.job_saving) == spread(0.25, 0.25, 0.25)
    assert compare_twins([job(0.9)], [job(0.9)], label="untimed").job_saving is None


def test_one_missing_value_takes_the_figure_away() -> None:
    """If one run of several lacks a value, figures that need it are None, the others stay."""
    silent = JobFigures.from_lines([TRAIN_SECONDS.line(5.0)], name="silent")
    twins = compare_twins([job(0.9), job(0.9)], [job(0.9), silent], label="part")
    assert twins.plain_accuracy is not None
    assert twins.kept_share is None
    assert twins.measured_saving is None
    assert twins.counted_saving is None
    assert twins.sifted_accuracy is None
    assert twins.difference is None
    assert str(twins).count("not reported") == 7


def test_a_plain_run_without_cost_has_no_saving() -> None:
    """Nothing can be saved of a plain run that cost nothing."""
    twins = compare_twins([job(0.9, train=0, seen=0)], [job(0.9)], label="empty")
    assert twins.measured_saving is None
    assert twins.counted_saving is None


@pytest.mark.parametrize(("num_plain", "num_sifted"), [(0, 0), (0, 1), (3, 2)])
def test_runs_that_are_no_pairs_are_refused(num_plain: int, num_sifted: int) -> None:
    """Unequal numbers of runs, or none, are refused with both numbers."""
    said = re.escape(f"'odd': twins are compared in pairs, got {num_plain} plain and {num_sifted}")
    with pytest.raises(SiftUsageError, match=said):
        compare_twins([job(0.9)] * num_plain, [job(0.9)] * num_sifted, label="odd")


def test_text_says_every_figure(three_pairs: TwinComparison) -> None:
    """The text has each figure with its range and the seconds in their parts."""
    assert str(three_pairs).splitlines() == [
        "Letters, keep 0.5 (3 x plain, 3 x sifted)",
        "  data kept               50.0% (40.0% to 60.0%)",
        "  training time saved     40.0% (30.0% to 50.0%)",
        "  counted cost saved      40.0% (30.0% to 50.0%)",
        "  whole job's time saved  not reported",
        "  accuracy, plain         97.00% (96.00% to 98.00%)",
        "  accuracy, sifted        97.00% (96.00% to 98.50%)",
        "  difference in points    +0.00 (-0.50 to +0.50)",
        "  seconds, plain          20.0 (loading 0.0, scoring 0.0, training loop 20.0)",
        "  seconds, sifted         10.0 (loading 1.0, scoring 2.0, training loop 7.0)",
    ]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9), st.integers(0, 8))
def test_spread_covers_its_values(numbers: list[float], hole: int) -> None:
    """A spread runs from the lowest to the highest value, and one hole in them makes it None."""
    found = Spread.of(numbers, max)
    assert found == Spread(max(numbers), min(numbers), max(numbers))
    with_hole: list[float | None] = [*numbers]
    with_hole.insert(hole, None)
    assert Spread.of(with_hole, max) is None
    assert Spread.of([], max) is None


def test_spread_hides_a_range_that_cannot_be_seen() -> None:
    """A range whose ends print alike is left out."""
    assert Spread(0.5, 0.49999, 0.50001).text("{:.1%}") == "50.0%"
    assert Spread(0.5, 0.4, 0.6).text("{:.1%}") == "50.0% (40.0% to 60.0%)"
