"""What others keep of the data, re-stated from their papers. All pure but for the generator given.

Losses, labels and chances are of shape (n,), float64 where chances are drawn from.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Generator, Tensor

CONFIDENT: Final = 0.7
"""KAKURENBO hides no sample whose label has a smaller probability than this (its tau)."""
_HIDDEN_STEPS: Final = ((0.3, 1.0), (0.6, 0.8), (0.8, 0.6), (1.0, 0.4))
"""KAKURENBO: up to which share of the training which part of the hidden share holds."""


class Kept(NamedTuple):
    """What an epoch is trained on."""

    ids: Tensor
    """Shape (n,), int64, in no order."""
    weights: Tensor | None
    """Shape (n,), float32; None: all 1."""


def all_of(rows: int) -> Kept:
    """Return all samples, alike."""
    return Kept(torch.arange(rows), None)


def selective_backprop(losses: Tensor, keep: float, generator: Generator) -> Tensor:
    """Return the rows of a batch that Composer's SelectiveBackprop trains on.

    A batch's losses are ranked among themselves; exactly ``keep`` of the rows are drawn without
    replacement, each with a chance in proportion to its percentile ** (1 / keep - 1)
    (Jiang et al., 2019, https://arxiv.org/abs/1910.00762; MosaicML's documentation of Composer).

    Args:
        losses: of a batch.
        keep: share to keep, above 0.
        generator: is drawn from.
    """
    order = losses.argsort()
    percentile = torch.empty(losses.numel(), dtype=torch.float64)
    percentile[order] = torch.arange(1, losses.numel() + 1, dtype=torch.float64) / losses.numel()
    count = max(1, round(keep * losses.numel()))
    drawn = torch.multinomial(percentile ** (1 / keep - 1), count, generator=generator)
    return drawn.sort().values


def info_batch(losses: Tensor, ratio: float, generator: Generator) -> Kept:
    """Return what InfoBatch trains an epoch on.

    Each sample below the mean loss is left out with a chance of *ratio*; those of them that stay
    count 1 / (1 - ratio), so that the expected gradient is that of all data (Qin et al., 2024,
    https://arxiv.org/abs/2303.04947).

    Args:
        losses: last known ones, of all samples; infinite where none is known: such a sample stays.
        ratio: the paper's r, below 1.
        generator: is drawn from.
    """
    easy = losses < losses[torch.isfinite(losses)].mean()
    stays = torch.rand(losses.numel(), generator=generator) >= ratio
    weights = torch.where(easy, 1 / (1 - ratio), 1.0).to(torch.float32)
    ids = torch.where(~easy | stays)[0]
    return Kept(ids, weights[ids])


class Hidden(NamedTuple):
    """What KAKURENBO does with an epoch."""

    kept: Tensor
    """Shape (n,), int64, ids to train on."""
    hidden: Tensor
    """Shape (m,), int64, ids whose losses are looked at once at the end of the epoch."""
    rate_factor: float
    """What the learning rate is multiplied by, for the steps that are missing."""


def kakurenbo(losses: Tensor, most: float, progress: float) -> Hidden:
    """Return what KAKURENBO hides of an epoch.

    The share hidden at most falls in steps; of the samples with the lowest losses, those whose
    label has less than 70 % of the probability move back (Nguyen et al., 2023,
    https://arxiv.org/abs/2310.10102). With cross entropy that probability is exp(-loss), and above
    a half its class is the one predicted, so one test stands for both of the paper's.

    Args:
        losses: last known ones, of all samples; infinite where none is known: such a sample stays.
        most: the paper's largest hidden share.
        progress: share of the training that is over.
    """
    part = next(part for until, part in _HIDDEN_STEPS if progress <= until)
    count = int(most * part * losses.numel())
    lowest = losses.argsort()[:count]
    hidden = lowest[torch.exp(-losses[lowest]) >= CONFIDENT].sort().values
    is_kept = torch.ones(losses.numel(), dtype=torch.bool)
    is_kept[hidden] = False
    return Hidden(
        torch.where(is_kept)[0], hidden, losses.numel() / (losses.numel() - hidden.numel())
    )
