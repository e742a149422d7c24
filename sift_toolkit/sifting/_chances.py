"""From scores to chances: the laws, the floor, the cap, the quota and the weights. All pure."""

from __future__ import annotations

import torch
from torch import Tensor

from sift_toolkit.config import SiftConfig

_LEAST_CHANCE = 1e-12
"""Chances are never quite 0, so that any quota up to all rows can be reached."""
_NEGLIGIBLE_CHANCE = 1e-9
"""What only has a chance like this is not chosen in any training."""
_LEAST_VALUE = 0.02
"""Value of a row the model is certain about, right or wrong, under `learnability`."""


def percentile_chances(low: Tensor, high: Tensor, keep: float) -> Tensor:
    """Return the mean of ``u ** beta`` over each percentile interval, beta = 1 / keep - 1.

    The mean over the interval, not its value at one end, so that samples with equal losses share
    their chances fairly: over a whole history the chances average exactly to *keep*.

    Args:
        low: shape (n,), share of the history below each loss.
        high: shape (n,), share below or equal, above *low*.
        keep: share to keep, in (0, 1].
    """
    exponent = 1 / keep
    return (high**exponent - low**exponent).div_(high - low).mul_(keep)


def sample_values(config: SiftConfig, losses: Tensor, own: Tensor | None, median: float) -> Tensor:
    """Return what a proportional chance follows, at least 0.

    Args:
        config: names the `value`.
        losses: shape (n,), finite.
        own: the user's own values, shape (n,); needed where the config says so. NaN counts as 0,
            infinity as certain.
        median: of the losses of all samples, as far as they are known.
    """
    if config.value == "own":
        assert own is not None
        return torch.nan_to_num(own.to(torch.float64), nan=0.0).clamp_min(0)
    losses = losses.to(torch.float64)
    if config.value == "loss":
        return losses.clamp_min(0)
    losses = losses.clamp_min(0)
    if config.value == "gradient":
        return 1 - torch.exp(-losses)
    # While the model is unsure of most samples, a usual loss is no sign of a hopeless one. The
    # median, since it is that of right labels as long as they are more than half.
    confidence = torch.exp(-losses / max(1.0, 2 * median))
    return confidence * (1 - confidence) + _LEAST_VALUE


def by_wait(values: Tensor, visits: Tensor, staleness: float) -> Tensor:
    """Return what values count for, by the visits in a row that their samples were passed over.

    A chance that grows with the wait spreads what is drawn of equal samples over them as taking
    turns does: no pass goes to some of them twice while others still wait. With a chance of
    ``c * value ** a * wait ** s`` a visit, waits, where they are long, are in proportion to
    ``value ** (-a / (1 + s))``, so that waiting alone would bring samples of different value closer
    together. Half of that is made up for, ``a = 1 + s / 2``: with none of it wrong labels came too
    often, all of it did worse on text (benchmarks/results/learning_explore.md).

    Args:
        values: shape (n,), at least 0.
        visits: shape (n,), 0 for samples that were chosen at their last visit.
        staleness: s, at least 0; with 0 values count as they are.

    Returns:
        Shape (n,).
    """
    return values ** (1 + staleness / 2) * (visits.to(torch.float64) + 1) ** staleness


def chances(
    config: SiftConfig,
    intervals: tuple[Tensor, Tensor],
    values: Tensor | None,
    keep: float,
    counts: Tensor | None = None,
) -> Tensor:
    """Return each sample's chance by the config's law, before any quota.

    Args:
        config: law, floor and cap.
        intervals: percentile intervals of the losses, shape (n,) each.
        values: `sample_values`, needed by the proportional law.
        keep: the share to keep.
        counts: shape (n,), samples that each entry stands for; None: one.
    """
    low, high = intervals
    # The middle of the interval: samples with equal losses stand in it together.
    cap = config.high_loss_cap
    is_capped = None if cap is None else (low + high) / 2 > cap
    if config.law == "percentile":
        chance = percentile_chances(low, high, keep)
    else:
        assert values is not None
        rows = values.numel() if counts is None else float(counts.sum())
        chance = scale_to(_without(is_capped, values), keep * rows, counts)
    return _without(is_capped, chance).clamp(max(config.min_probability, _LEAST_CHANCE), 1)


def _without(entries: Tensor | None, values: Tensor) -> Tensor:
    return values if entries is None else values.masked_fill(entries, 0.0)


def scale_to(chance: Tensor, total: float, counts: Tensor | None = None) -> Tensor:
    """Return ``min(1, s * chance)`` with s such that they sum to *total*.

    Args:
        chance: shape (n,), at least 0.
        total: from 0 to n; what cannot be reached is approached as near as it can.
        counts: shape (n,), samples that each entry stands for; None: one.
    """
    chance = chance.clamp_min(_LEAST_CHANCE)
    mass = chance if counts is None else chance * counts
    total = min(total, chance.numel() if counts is None else float(counts.sum()))
    rest, sure, number = float(mass.sum()), 0.0, 0
    certain: Tensor | None = None
    # Each round can only add to the certain ones, so this ends; in practice after two or three.
    while True:
        scaled = chance * ((total - sure) / rest if rest > 0 else 0.0)
        if certain is not None:
            scaled.masked_fill_(certain, 1.0)
        before, certain = number, scaled >= 1
        number = int(certain.count_nonzero())
        if number == before:
            return scaled
        sure = number if counts is None else float(counts[certain].sum())
        rest = float(mass.masked_fill(certain, 0.0).sum())


def sample_weights(
    chance: Tensor, correction: float, counts: Tensor | None = None
) -> Tensor | None:
    """Return weights in proportion to ``chance ** -correction``, their mean over what is chosen 1.

    With correction 1 the weighted mean loss of what is chosen is an unbiased estimate of the mean
    loss of all samples (importance sampling; Katharopoulos and Fleuret, 2018).

    Args:
        chance: shape (n,), the chances the samples were really drawn with.
        correction: exponent in [0, 1]; with 0 there are no weights.
        counts: shape (n,), samples that each entry stands for; None: one.
    """
    if correction == 0:
        return None
    # What is never chosen has no share in the expectation.
    is_never = chance <= _NEGLIGIBLE_CHANCE
    weight = (chance**-correction).masked_fill(is_never, 0.0)
    mass = chance.masked_fill(is_never, 0.0)
    mass = mass if counts is None else mass * counts
    return weight * (mass.sum() / (mass * weight).sum())
