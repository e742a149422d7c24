"""One window's choice: from chances to chosen rows and their weights."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from sift_toolkit.sifting._chances import sample_weights, scale_to
from sift_toolkit.sifting._selection import draw_coins, draw_quota, next_quota


class Window(NamedTuple):
    """Samples that are chosen from together: a batch, or an epoch."""

    chance: Tensor
    """Shape (n,), float64, each row's chance by the law, before any quota."""
    keep: Tensor
    """Shape (n,), float64, the share to keep at each row's place."""
    target: float
    """Rows to keep, not whole in general: the sum of the shares."""
    certain: Tensor
    """Shape (n,), bool: rows that come before all others."""
    barred: Tensor
    """Shape (n,), bool: rows that are never chosen. What this costs is owed to the next window."""


class Choice(NamedTuple):
    """What is kept of a window."""

    rows: Tensor
    """Shape (kept,), int64, ascending."""
    weights: Tensor | None
    """Shape (kept,), float64; None: all 1."""
    remainder: float
    """Fraction of a row owed to the next window."""


def choose(
    window: Window,
    *,
    selection: str,
    correction: float,
    remainder: float,
    generator: Generator,
    mix: bool,
) -> Choice:
    """Choose rows of a window by quota or by coin.

    Args:
        window: the rows and their chances.
        selection: "quota" or "bernoulli".
        correction: exponent of the weights.
        remainder: fraction of a row owed by the window before.
        generator: the only source of randomness.
        mix: whether the rows may stand in an order that means something.
    """
    candidates = torch.where(~window.barred)[0]
    everything = candidates.numel() == window.chance.numel()
    chance, keep, certain = (
        part if everything else part[candidates]
        for part in (window.chance, window.keep, window.certain)
    )
    if selection == "quota":
        due, remainder = next_quota(window.target, remainder)
        rows = min(due, candidates.numel())
        remainder += due - rows
        chance = _to_quota(chance, certain, rows)
        chosen = draw_quota(chance, rows, generator, mix=mix)
    else:
        chance = torch.where(certain, 1.0, chance)
        chosen = draw_coins(chance, generator)
    weights = sample_weights(chance, keep, correction) if chosen.numel() else None
    return Choice(
        chosen if everything else candidates[chosen],
        None if weights is None else weights[chosen],
        remainder,
    )


def _to_quota(chance: Tensor, certain: Tensor, rows: int) -> Tensor:
    """Scale chances to sum to *rows*, the certain ones first."""
    sure = int(certain.sum())
    if sure == 0:
        return scale_to(chance, rows)
    scaled = torch.zeros_like(chance)
    scaled[certain] = min(1.0, rows / sure)
    scaled[~certain] = scale_to(chance[~certain], max(rows - sure, 0))
    return scaled
