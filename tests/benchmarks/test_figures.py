"""Figures of the learning benchmark: paired differences, and plain training between its budgets."""

from __future__ import annotations

import pytest
from figures import Table, mean_of, on_line
from records import Key
from training import Outcome


def outcome(cost: float, accuracy: float) -> Outcome:
    """Return what came of a training."""
    return Outcome(10, cost, 0.0, cost, accuracy, accuracy, accuracy - 5, 1.0)


def test_between_points_there_is_a_line() -> None:
    """Half way between two budgets is half way between their accuracies; outside it is level."""
    points = [(0.5, 90.0), (1.0, 94.0)]
    assert on_line(points, 0.75) == 92.0
    assert on_line(points, 0.5) == 90.0
    assert on_line(points, 0.1) == 90.0
    assert on_line(points, 1.3) == 94.0


def test_the_mean_has_its_standard_error() -> None:
    """Three numbers with a deviation of 1 have an error of 1 over the root of 3."""
    mean = mean_of([1.0, 2.0, 3.0])
    assert mean.value == 2.0
    assert mean.error == pytest.approx(1 / 3**0.5)
    assert mean.in_errors == pytest.approx(2 * 3**0.5)


def test_differences_are_paired_by_seed() -> None:
    """Each seed is held against its own plain training of the same compute."""
    runs = {
        Key("t", "plain 50%", 0.1, 0): outcome(0.5, 90.0),
        Key("t", "plain 100%", 0.1, 0): outcome(1.0, 94.0),
        Key("t", "plain 50%", 0.1, 1): outcome(0.5, 80.0),
        Key("t", "plain 100%", 0.1, 1): outcome(1.0, 84.0),
        Key("t", "ours", 0.1, 0): outcome(0.75, 93.0),
        Key("t", "ours", 0.1, 1): outcome(0.75, 83.5),
        Key("other", "ours", 0.1, 1): outcome(0.1, 10.0),
    }
    table = Table(runs, "t")

    assert table.cost("ours") == 0.75
    assert table.to_plain("ours").value == pytest.approx(1.25)
    assert table.to_plain("ours").error == pytest.approx(0.25)
    assert table.to_arm("ours", "plain 100%").value == pytest.approx(-0.75)
    assert table.to_arm("ours", "plain 100%").number == 2
