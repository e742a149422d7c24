"""A scored batch as one window: chances by the law, rows without a finite loss apart."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting._batch_window import batch_window
from sift_toolkit.sifting._chances import chances, sample_values
from sift_toolkit.sifting._classes import Classes
from sift_toolkit.sifting._history import LossHistory, percentile_intervals
from sift_toolkit.sifting._loss import SampleScores

LOSSES = torch.tensor([0.1, 0.9, 2.0, 0.9])
OWN = torch.tensor([0.2, 0.1, 0.4, 0.8])
LAWS: list[dict[str, Any]] = [
    {"law": "percentile"},
    {"law": "percentile", "min_probability": 0.2},
    {"law": "percentile", "high_loss_cap": 0.7},
    {"high_loss_cap": 0.7},
    {"law": "proportional"},
    {"law": "proportional", "value": "own"},
]


def by_the_law(config: SiftConfig, losses: Tensor, own: Tensor) -> Tensor:
    """Return the chances of losses that are their own history."""
    values = None
    if config.law == "proportional":
        values = sample_values(config, losses, own, float(losses.median()))
    return chances(config, percentile_intervals(losses, losses), values, 0.5)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_chances_are_those_of_the_law(law: dict[str, Any]) -> None:
    """Over a history that the batch itself begins."""
    config = SiftConfig(keep=0.5, **law)
    window = batch_window(config, LossHistory(10), SampleScores(LOSSES, OWN), 4, 0.5)
    torch.testing.assert_close(window.chance, by_the_law(config, LOSSES, OWN))
    assert window.target == 2
    assert (window.certain, window.barred, window.classes) == (None, None, None)
    # AWS's law is over the history; whatever changes it makes a target of the batch's share.
    assert window.coins_as_they_are == (law == {"law": "percentile"})


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("nonfinite", ["keep", "drop"])
def test_rows_without_a_finite_loss_are_apart(law: dict[str, Any], nonfinite: Any) -> None:
    """They are certain or barred, and neither their losses nor their values count for others."""
    config = SiftConfig(keep=0.5, nonfinite=nonfinite, **law)
    finite = torch.tensor([True, True, False, True])
    losses = LOSSES.masked_fill(~finite, torch.nan)
    own = OWN.masked_fill(~finite, torch.inf)
    history = LossHistory(10)
    window = batch_window(config, history, SampleScores(losses, own, finite), 4, 0.5)
    expected = by_the_law(config, LOSSES[finite], OWN[finite])
    torch.testing.assert_close(window.chance[finite], expected)
    apart, other = window.certain, window.barred
    if nonfinite == "drop":
        apart, other = other, apart
    assert apart is not None
    assert apart.tolist() == [False, False, True, False]
    assert other is None
    assert history.state_dict()["losses"].tolist() == LOSSES[finite].tolist()


def test_no_row_is_finite() -> None:
    """All are apart, and nothing is remembered."""
    config, history = SiftConfig(keep=0.5), LossHistory(10)
    none = torch.zeros(4, dtype=torch.bool)
    scores = SampleScores(torch.full((4,), torch.nan), None, none)
    window = batch_window(config, history, scores, 4, 0.5)
    assert window.certain is not None
    assert window.certain.all()
    assert history.state_dict()["losses"].numel() == 0


@pytest.mark.parametrize(
    "scores",
    [
        None,
        SampleScores(LOSSES, None),
        SampleScores(LOSSES, None, torch.tensor([True, True, True, False])),
    ],
    ids=["not scored", "scored", "not finite"],
)
@pytest.mark.parametrize("nonfinite", ["keep", "drop"])
def test_classes_go_along(scores: SampleScores | None, nonfinite: Any) -> None:
    """Whatever the window is like."""
    config = SiftConfig(keep=0.5, nonfinite=nonfinite)
    classes = Classes(torch.tensor([0, 1, 0, 1], dtype=torch.int32), 2, 0.5)
    assert batch_window(config, LossHistory(10), scores, 4, 0.5, classes).classes is classes


def test_a_batch_that_was_not_scored_has_even_chances() -> None:
    """Its rows are drawn at random."""
    window = batch_window(SiftConfig(keep=0.5), LossHistory(10), None, 5, 0.3)
    assert window.chance.tolist() == [0.3] * 5
    assert window.target == pytest.approx(1.5)
