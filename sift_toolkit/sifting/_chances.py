"""From scores to chances: the laws, the floor, the cap, the quota and the weights. All pure."""

from __future__ import annotations

import torch
from torch import Tensor

from sift_toolkit.config import SiftConfig

_LEAST_CHANCE = 1e-12
"""Chances are never quite 0, so that any quota up to all rows can be reached."""
_LEAST_VALUE = 0.02
"""Value of a row the model is certain about, right or wrong, under `learnability`."""


def percentile_chances(low: Tensor, high: Tensor, keep: Tensor | float) -> Tensor:
    """Return the mean of ``u ** beta`` over each percentile interval, beta = 1 / keep - 1.

    The mean over the interval, not its value at one end, so that samples with equal losses share
    their chances fairly: over a whole history the chances average exactly to *keep*.

    Args:
        low: shape (n,), share of the history below each loss.
        high: shape (n,), share below or equal, above *low*.
        keep: share to keep, in (0, 1]; a number or shape (n,).
    """
    exponent = 1 / torch.as_tensor(keep, dtype=torch.float64)
    return (high**exponent - low**exponent) * (1 / exponent) / (high - low)


def sample_values(config: SiftConfig, losses: Tensor, own: Tensor | None) -> Tensor:
    """Return what a proportional chance follows, at least 0.

    Args:
        config: names the `value`.
        losses: shape (n,), finite.
        own: the user's own values, shape (n,); needed where the config says so.
    """
    if config.value == "own":
        assert own is not None
        return own.to(torch.float64).clamp_min(0)
    losses = losses.to(torch.float64)
    if config.value == "loss":
        return losses.clamp_min(0)
    confidence = torch.exp(-losses.clamp_min(0))
    if config.value == "gradient":
        return 1 - confidence
    return confidence * (1 - confidence) + _LEAST_VALUE


def chances(
    config: SiftConfig, intervals: tuple[Tensor, Tensor], values: Tensor | None, keep: Tensor
) -> Tensor:
    """Return each sample's chance by the config's law, before any quota.

    Args:
        config: law, floor and cap.
        intervals: percentile intervals of the losses, shape (n,) each.
        values: `sample_values`, needed by the proportional law.
        keep: shape (n,), the share to keep at each sample's place.
    """
    low, high = intervals
    if config.law == "percentile":
        chance = percentile_chances(low, high, keep)
    else:
        assert values is not None
        wanted = values * keep
        chance = scale_to(wanted, float(keep.sum()))
    if config.high_loss_cap is not None:
        chance = torch.where(high > config.high_loss_cap, torch.zeros_like(chance), chance)
    return chance.clamp_min(max(config.min_probability, _LEAST_CHANCE)).clamp_max(1)


def scale_to(chance: Tensor, total: float) -> Tensor:
    """Return ``min(1, s * chance)`` with s such that they sum to *total*.

    Args:
        chance: shape (n,), at least 0.
        total: from 0 to n; what cannot be reached is approached as near as it can.
    """
    chance = chance.clamp_min(_LEAST_CHANCE)
    total = min(total, float(chance.numel()))
    certain = torch.zeros(chance.shape, dtype=torch.bool)
    scaled = chance
    # Each round can only add to the certain ones, so this ends; in practice after two or three.
    while True:
        rest = float(torch.where(certain, 0.0, chance).sum())
        scale = (total - int(certain.sum())) / rest if rest > 0 else 0.0
        scaled = torch.where(certain, 1.0, chance * scale)
        over = (scaled >= 1) & ~certain
        if not bool(over.any()):
            return scaled
        certain |= over


def sample_weights(chance: Tensor, keep: Tensor, correction: float) -> Tensor | None:
    """Return the weights ``(keep / chance) ** correction``, of expectation 1 over what is chosen.

    With correction 1 the weighted mean loss of what is chosen is an unbiased estimate of the mean
    loss of all samples (importance sampling; Katharopoulos and Fleuret, 2018).

    Args:
        chance: shape (n,), the chances the samples were really drawn with.
        keep: shape (n,).
        correction: exponent in [0, 1]; with 0 there are no weights.
    """
    if correction == 0:
        return None
    weight = (keep / chance) ** correction
    return weight * (chance.sum() / (chance * weight).sum())
