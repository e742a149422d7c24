"""The objective of a tuner: named as anyone would, with the direction and the regex that belong."""

from __future__ import annotations

from typing import Any

import pytest

from sift_toolkit.client._tuning_objective import read_objective
from sift_toolkit.metrics import COUNTED_COST, METRICS, VALIDATION_ACCURACY

OWN = {"Name": "f1", "Regex": "f1=([0-9.]+);"}
OURS = [metric.definition for metric in METRICS]


@pytest.mark.parametrize(
    "objective", [VALIDATION_ACCURACY, "validation_accuracy", "sift:validation_accuracy"]
)
def test_one_of_ours(objective: Any) -> None:
    """A metric of the toolkit is found by itself and by its name, with or without the prefix."""
    goal, problems = read_objective(objective, None, OURS)
    assert problems == []
    assert goal is not None
    assert (goal.name, goal.type) == ("sift:validation_accuracy", "Maximize")
    assert goal.definitions == OURS


def test_less_is_better() -> None:
    """Costs are minimized, unless the user wants otherwise."""
    goal, _ = read_objective(COUNTED_COST, None, OURS)
    assert goal is not None
    assert goal.type == "Minimize"
    goal, _ = read_objective(COUNTED_COST, "Maximize", OURS)
    assert goal is not None
    assert goal.type == "Maximize"


def test_one_of_the_users() -> None:
    """A metric of the user's own is found by the name he gave it; which way is his to say."""
    goal, problems = read_objective("f1", "Maximize", [*OURS, OWN])
    assert problems == []
    assert goal is not None
    assert goal.name == "f1"
    (problem,) = read_objective("f1", None, [*OURS, OWN])[1]
    assert "objective_type is needed: 'f1'" in problem


def test_each_name_is_told_once() -> None:
    """Metrics of ours that the jobs report already are not listed twice."""
    (problem,) = read_objective("x", None, OURS)[1]
    assert problem.count("'sift:progress'") == 1


def test_what_is_missing_is_added() -> None:
    """An objective of ours is defined even where the user lists only metrics of his own."""
    goal, _ = read_objective("validation_accuracy", None, [OWN])
    assert goal is not None
    assert goal.definitions == [OWN, VALIDATION_ACCURACY.definition]


@pytest.mark.parametrize(
    ("objective", "kind", "problem"),
    [
        ("validation:accuracy", None, "did you mean 'sift:validation_accuracy'?"),
        ("accuracy", None, "got 'accuracy'; did you mean 'sift:validation_accuracy'?"),
        ("fi", None, "there are 'f1', 'sift:progress'"),
        (None, None, "must be the name of a metric, got None"),
        ("validation_accuracy", "maximise", "must be 'Maximize' or 'Minimize', got 'maximise'"),
        # Of chosen samples only, so that no two jobs of a tuner could be compared by it.
        ("train_loss", None, "objective_type is needed: 'sift:train_loss'"),
        ("epoch", None, "objective_type is needed"),
    ],
)
def test_what_is_refused(objective: Any, kind: Any, problem: str) -> None:
    """An unknown metric, or one without a direction, is refused with what to give."""
    goal, problems = read_objective(objective, kind, [OWN])
    assert goal is None
    assert problem in problems[0]
