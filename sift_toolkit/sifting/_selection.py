"""From chances to chosen rows: exact quotas or a coin a sample. Pure but for the generator."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor

_ROUNDING = 1e-9
"""Absorbs the rounding of sums such as 0.1 * 10, which must count as one whole row."""


class Quota(NamedTuple):
    """How many rows a window gives."""

    rows: int
    remainder: float
    """Fraction of a row owed to the next window."""


def next_quota(target: float, remainder: float) -> Quota:
    """Return the whole rows due out of a window.

    Args:
        target: rows the window should give, not whole in general.
        remainder: fraction left over by the window before.
    """
    due = target + remainder
    rows = math.floor(due + _ROUNDING)
    return Quota(rows, due - rows)


def draw_quota(chance: Tensor, rows: int, generator: Generator, *, mix: bool = True) -> Tensor:
    """Choose exactly *rows* rows, each with its own chance (systematic sampling; Madow, 1949).

    Args:
        chance: shape (n,), in [0, 1], summing to *rows*.
        rows: how many to choose.
        generator: the only source of randomness.
        mix: draw from the rows in random order. Neighbours exclude each other in systematic
            sampling, which does no harm where their order is random already.

    Returns:
        The chosen rows, int64, ascending.
    """
    count = chance.numel()
    if rows == 0 or count == 0:
        return torch.empty(0, dtype=torch.int64)
    order = torch.randperm(count, generator=generator) if mix else None
    mixed = chance if order is None else chance[order]
    places = torch.zeros(count + 1, dtype=torch.float64)
    torch.cumsum(mixed, 0, out=places[1:])
    start = float(torch.rand((), generator=generator, dtype=torch.float64))
    # In place: an epoch of millions of rows is one window.
    places.mul_(rows / float(places[-1])).add_(start).floor_()
    passes = places[1:] > places[:-1]
    chosen = torch.where(passes)[0]
    if chosen.numel() != rows:
        chosen = _mend_rounding(passes, mixed, chosen.numel() - rows)
    return chosen if order is None else order[chosen].sort().values


def _mend_rounding(chosen: Tensor, chance: Tensor, surplus: int) -> Tensor:
    """Add or remove the row or two that rounding of the sums may cost."""
    candidates = torch.where(chosen if surplus > 0 else ~chosen)[0]
    ranked = candidates[chance[candidates].argsort(descending=surplus < 0, stable=True)]
    chosen[ranked[: abs(surplus)]] = surplus < 0
    return torch.where(chosen)[0]


def draw_coins(chance: Tensor, generator: Generator) -> Tensor:
    """Choose each row by a coin of its own, as AWS's smart sifting does.

    Args:
        chance: shape (n,), in [0, 1].
        generator: the only source of randomness.

    Returns:
        The chosen rows, int64, ascending.
    """
    coins = torch.rand(chance.shape, generator=generator, dtype=torch.float64)
    return torch.where(coins < chance)[0]
