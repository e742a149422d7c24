"""A checkpoint of another run is told by what differs, and no secret is kept for that."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import nn

from sift_toolkit.container._same_run import another_run, differences, identity, model_differences

FACTS = {"epochs": 4, "seed": 0}
HYPERPARAMETERS = {"width": 8, "token": "hush-hush", "layers": [1, 2]}


def told(facts: dict[str, Any], hyperparameters: dict[str, Any]) -> list[str]:
    """Return how a run differs from the one of the constants above, which is the saved one."""
    return differences(identity(FACTS, HYPERPARAMETERS), identity(facts, hyperparameters))


def test_the_same_run() -> None:
    """Whatever the order, and however often checkpoints are to be written."""
    turned = dict(reversed(HYPERPARAMETERS.items()))
    assert told(FACTS, turned) == []
    assert told(FACTS, {**turned, "checkpoint_minutes": 1, "checkpoint_steps": 9}) == []


def test_facts_are_told_with_their_values() -> None:
    """All of them at once."""
    assert told({"epochs": 6, "seed": 1, "new": "x"}, HYPERPARAMETERS) == [
        "epochs: 4 there, 6 here",
        "seed: 0 there, 1 here",
        "new: none there, 'x' here",
    ]


def test_hyperparameters_are_told_by_name() -> None:
    """Their values may be secret: they stand neither in the words nor in the checkpoint."""
    changed = {"width": 16, "token": "other", "depth": 3}
    assert told(FACTS, changed) == [
        "hyperparameter 'depth' is new",
        "hyperparameter 'token' is another one",
        "hyperparameter 'width' is another one",
        "hyperparameter 'layers' is not there any more",
    ]
    assert "hush" not in str(identity(FACTS, HYPERPARAMETERS))


def test_what_is_a_fact_is_not_told_twice() -> None:
    """The number of epochs, say, which is a hyperparameter too."""
    saved = identity({"epochs": 4}, {"epochs": 4})
    assert differences(saved, identity({"epochs": 6}, {"epochs": 6})) == ["epochs: 4 there, 6 here"]


@pytest.mark.parametrize("value", [{1, 2}, object, 1j, float("nan")])
def test_values_of_any_kind(value: object) -> None:
    """What users call a fact need not be JSON."""
    assert differences(identity({"x": value}, {}), identity({"x": value}, {})) == []


class TestModel:
    """Weights that do not fit are told by their names and shapes."""

    def test_the_same(self) -> None:
        """Other weights of the same form are fine."""
        assert model_differences(nn.Linear(2, 3).state_dict(), nn.Linear(2, 3).state_dict()) == []

    def test_another_shape(self) -> None:
        """Shape and kind of both."""
        there, here = nn.Linear(2, 3), nn.Linear(2, 4).to(torch.float64)
        assert model_differences(there.state_dict(), here.state_dict()) == [
            "model weight: (3, 2) float32 there, (4, 2) float64 here",
            "model bias: (3,) float32 there, (4,) float64 here",
        ]

    def test_a_whole_other_one(self) -> None:
        """A few names are enough."""
        there = nn.Sequential(*(nn.Linear(2, 2) for _ in range(5)))
        told = model_differences(there.state_dict(), nn.Linear(2, 2).state_dict())
        assert told[0] == "model weight: none there, (2, 2) float32 here"
        assert told[3:] == ["9 more of the model"]

    def test_one_whose_shapes_are_not_known_yet(self) -> None:
        """A lazy layer gets its shape with the first batch, or from the checkpoint."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # older releases of torch warn of lazy layers
            lazy = nn.LazyLinear(3)
        assert model_differences(nn.Linear(2, 3).state_dict(), lazy.state_dict()) == []


def test_the_refusal_says_what_to_do() -> None:
    """The folder is named, and both ways out."""
    words = str(another_run("/opt/ml/checkpoints", ["seed: 0 there, 1 here"]))
    assert words == (
        "the checkpoint in '/opt/ml/checkpoints' belongs to another run: seed: 0 there, 1 here; "
        "give this job a checkpoint folder of its own, or make it the same run"
    )
