"""A loaded batch as one window to choose from, by its fresh scores."""

from __future__ import annotations

import torch
from torch import Tensor

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting._chances import chances, sample_values
from sift_toolkit.sifting._choice import Window
from sift_toolkit.sifting._classes import Classes
from sift_toolkit.sifting._history import LossHistory
from sift_toolkit.sifting._loss import SampleScores


def batch_window(
    config: SiftConfig,
    history: LossHistory,
    scores: SampleScores | None,
    rows: int,
    keep: float,
    classes: Classes | None = None,
) -> Window:
    """Return the window of a batch; its losses, those that are finite, join the history.

    Args:
        config: laws, floors and `nonfinite`.
        history: what percentiles are of.
        scores: of the batch's rows; None: it was not scored, and all have the same chance.
        rows: of the batch.
        keep: the share of them to keep.
        classes: of the rows, None if there are none.
    """
    target = keep * rows
    if scores is None:
        chance = torch.full((rows,), keep, dtype=torch.float64)
        return Window(chance, target, classes=classes)
    finite = scores.finite
    if finite is None:
        return Window(_chances(config, history, scores, keep), target, classes=classes)
    chance = torch.ones(rows, dtype=torch.float64)
    if bool(finite.any()):
        own = None if scores.own is None else scores.own[finite]
        some = SampleScores(scores.losses[finite], own)
        chance[finite] = _chances(config, history, some, keep)
    if config.nonfinite == "keep":
        return Window(chance, target, certain=~finite, classes=classes)
    return Window(chance, target, barred=~finite, classes=classes)


def _chances(config: SiftConfig, history: LossHistory, scores: SampleScores, keep: float) -> Tensor:
    """Return the chances of rows whose scores are finite, and remember their losses."""
    intervals = history.join(scores.losses)
    values = None
    if config.law == "proportional":
        values = sample_values(config, scores.losses, scores.own, history.median)
    return chances(config, intervals, values, keep)
