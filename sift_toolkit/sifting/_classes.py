"""Class-aware quotas: chances under which no class gets less than its floor. All pure."""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Generator, Tensor

_ROUNDING: Final = 1e-9
"""Share by which a sum may miss its floor and still reach it."""


class Classes(NamedTuple):
    """The classes of a window's rows."""

    numbers: Tensor
    """Shape (rows,), int32, each row's class, from 0."""
    total: int
    """How many classes there are; a window need not have rows of all."""
    floor: float
    """The least share of its fair number of rows that each class keeps."""


class Fixed(NamedTuple):
    """Rows of a window whose chances stay what they are."""

    certain: Tensor | None
    """Shape (rows,), bool: they come before all others; None: there are none."""
    barred: Tensor | None
    """Shape (rows,), bool: they are never chosen, and no class is due anything for them."""

    @property
    def mask(self) -> Tensor | None:
        """Both together; None: there are none."""
        if self.certain is None or self.barred is None:
            return self.barred if self.certain is None else self.certain
        return self.certain | self.barred


def with_floors(
    chance: Tensor, classes: Classes, share: float, fixed: Fixed, *, may_grow: bool
) -> Tensor:
    """Return chances under which each class has its floor, a share of its fair number of rows.

    Classes below it are raised to it, those above pay for it, each in proportion; within a class
    chances keep their proportions and their order. What certain rows of a class give it counts.

    Args:
        chance: shape (rows,), in [0, 1], as they are without classes.
        classes: of the rows.
        share: rows due out of the window, of all its rows: a class's fair number is this share of
            its own.
        fixed: rows that are left alone.
        may_grow: whether the chances may sum to more where all classes are at their floor; else
            their sum stays, and what it cannot give, because certain rows took it, nobody gets.
    """
    numbers, count, _ = classes
    mask = fixed.mask
    free = chance if mask is None else chance.masked_fill(mask, 0.0)
    have = numbers.bincount(free, minlength=count)
    least = _least_rows(chance, classes, share, fixed)
    total, needed = float(have.sum()), float(least.sum())
    if needed > total and not may_grow:
        least *= total / needed
    aims = _aims(have, least, total)
    if torch.equal(aims, have):
        return chance
    scaled = _scaled_within(free, numbers, have, aims)
    return scaled if mask is None else torch.where(mask, chance, scaled)


def _least_rows(chance: Tensor, classes: Classes, share: float, fixed: Fixed) -> Tensor:
    """Return what each class must have at least of its rows that are neither certain nor barred."""
    numbers, count, floor = classes
    due = _counted(numbers, None if fixed.barred is None else ~fixed.barred, count)
    due = due * (floor * share)
    if fixed.certain is not None:
        sure = chance.masked_fill(~fixed.certain, 0.0)
        due -= numbers.bincount(sure, minlength=count)
    return due.clamp_min_(0)


def _counted(numbers: Tensor, mask: Tensor | None, count: int) -> Tensor:
    counted = numbers if mask is None else numbers[mask]
    return counted.bincount(minlength=count).to(torch.float64)


def _aims(have: Tensor, least: Tensor, total: float) -> Tensor:
    """Return what each class shall have: at least *least*, together *total* where that is enough.

    Args:
        have: shape (classes,), what each has, summing to *total*.
        least: shape (classes,).
        total: what there is.
    """
    raised = torch.zeros_like(have, dtype=torch.bool)
    paying = have
    # Who pays may fall below its own floor: it is raised in the next round. No round takes back
    # what one before it gave, so this ends.
    while True:
        below = ~raised & (paying < least * (1 - _ROUNDING))
        if not bool(below.any()):
            return torch.where(raised, least, paying)
        raised |= below
        rest = float(have.masked_fill(raised, 0).sum())
        left = max(total - float(least.masked_fill(~raised, 0).sum()), 0.0)
        paying = have * (left / rest if rest > 0 else 0.0)


def _scaled_within(chance: Tensor, numbers: Tensor, have: Tensor, aims: Tensor) -> Tensor:
    """Return ``min(1, s * chance)`` with an s for each class such that its rows sum to its aim.

    Args:
        chance: shape (rows,), in [0, 1].
        numbers: shape (rows,), each row's class.
        have: shape (classes,), what each class's chances sum to.
        aims: shape (classes,), at most the rows of each class with a chance above 0.
    """
    count = aims.numel()
    left, rest, number = aims, have, 0
    certain: Tensor | None = None
    # As `scale_to`, all classes at once: each round can only add to the certain rows.
    while True:
        factor = torch.where(rest > 0, left / rest, 0.0).clamp_min_(0)
        scaled = factor.index_select(0, numbers).mul_(chance)
        if certain is not None:
            scaled.masked_fill_(certain, 1.0)
        before, certain = number, scaled >= 1
        number = int(certain.count_nonzero())
        if number == before:
            return scaled
        left = aims - _counted(numbers, certain, count)
        rest = numbers.bincount(chance.masked_fill(certain, 0.0), minlength=count)


def class_order(classes: Classes, generator: Generator, *, mix: bool) -> Tensor:
    """Return the rows class by class.

    Systematic sampling along this order gives each class its expected number of rows, to less than
    one row.

    Args:
        classes: of the rows.
        generator: the only source of randomness.
        mix: random order within each class; else the rows' own.

    Returns:
        Places of rows, int64.
    """
    numbers = classes.numbers
    if not mix:
        return numbers.argsort(stable=True)
    order = torch.randperm(numbers.numel(), generator=generator)
    return order.index_select(0, numbers.index_select(0, order).argsort(stable=True))
