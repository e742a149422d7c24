"""From chances to chosen rows: exact quotas or a coin a sample. Pure but for the generator."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

_FEW = 256
"""Rows up to which a loop in Python is quicker than tensor operations, right after a model's."""
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
    start = float(torch.rand((), generator=generator, dtype=torch.float64))
    if count <= _FEW:
        numbers = range(count) if order is None else order.tolist()
        few = _pass_of_few(chance.tolist(), numbers, rows, start)
        if len(few) == rows:
            return torch.tensor(few)
    mixed = chance if order is None else chance.index_select(0, order)
    passes = _pass(mixed, rows, start)
    chosen = torch.where(passes)[0]
    if chosen.numel() != rows:
        chosen = _mend_rounding(passes, mixed, chosen.numel() - rows)
    return chosen if order is None else order.index_select(0, chosen).sort().values


def _pass(chance: Tensor, rows: int, start: float) -> Tensor:
    """Return which rows a whole number falls to, on a way from *start* that is *rows* long."""
    places = torch.zeros(chance.numel() + 1, dtype=torch.float64)
    torch.cumsum(chance, 0, out=places[1:])
    # In place: an epoch of millions of rows is one window.
    places.mul_(rows / float(places[-1])).add_(start).floor_()
    return places[1:] > places[:-1]


def _pass_of_few(
    chance: Sequence[float], order: Sequence[int], rows: int, start: float
) -> list[int]:
    """Return the same rows, in order of their numbers; to the last bit what `_pass` makes of them.

    Args:
        chance: of each row by its number.
        order: the numbers, in the order in which they stand on the way.
        rows: length of the way.
        start: where it begins, from 0 to 1.
    """
    ends = list(itertools.accumulate(chance[number] for number in order))
    scale, before, chosen = rows / ends[-1], 0, []
    for number, end in zip(order, ends, strict=True):
        place = math.floor(end * scale + start)
        if place > before:
            chosen.append(number)
        before = place
    return sorted(chosen)


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
