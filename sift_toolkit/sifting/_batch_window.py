"""A loaded batch as one window to choose from, by its fresh scores."""

from __future__ import annotations

import functools

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
    # AWS's coins: a batch of high losses gives more than its share.
    as_aws = config.law == "percentile" and not config.min_probability and not config.high_loss_cap
    make = functools.partial(Window, target=target, classes=classes, coins_as_they_are=as_aws)
    if finite is None:
        return make(_chances(config, history, scores, keep))
    chance = torch.ones(rows, dtype=torch.float64)
    if bool(finite.any()):
        own = None if scores.own is None else scores.own[finite]
        some = SampleScores(scores.losses[finite], own)
        chance[finite] = _chances(config, history, some, keep)
    if config.nonfinite == "keep":
        return make(chance, certain=~finite)
    return make(chance, barred=~finite)


def _chances(config: SiftConfig, history: LossHistory, scores: SampleScores, keep: float) -> Tensor:
    """Return the chances of rows whose scores are finite, and remember their losses."""
    intervals = history.join(scores.losses)
    values = None
    if config.law == "proportional":
        values = sample_values(config, scores.losses, scores.own, history.median)
    return chances(config, intervals, values, keep)
