"""One window's choice: from chances to chosen rows and their weights."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from sift_toolkit.sifting._chances import sample_weights, scale_to
from sift_toolkit.sifting._classes import Classes, Fixed, class_order, with_floors
from sift_toolkit.sifting._selection import Quota, draw_coins, draw_quota, next_quota


class Window(NamedTuple):
    """Samples that are chosen from together: a batch, or an epoch.

    An entry is one row, or a group of rows that share their chance: groups make the work of a
    large epoch small.
    """

    chance: Tensor
    """Shape (n,), float64, each entry's chance by the law, before any quota."""
    target: float
    """Rows to keep, not whole in general."""
    certain: Tensor | None = None
    """Shape (n,), bool: entries that come before all others; None: there are none."""
    barred: Tensor | None = None
    """Shape (n,), bool: entries that are never chosen; None: there are none. What this costs is
    owed to the next window."""
    groups: Tensor | None = None
    """Shape (rows,), the entry that each row belongs to; None: each row is an entry."""
    counts: Tensor | None = None
    """Shape (n,), int64, rows of each entry; needed with `groups`."""
    classes: Classes | None = None
    """Of the rows, none of which gets less than its floor; not with `groups`. None: there are
    none."""
    coins_as_they_are: bool = False
    """Whether coins follow the chances as they are, which make the target over many windows, not
    in each of them."""


class Choice(NamedTuple):
    """What is kept of a window."""

    rows: Tensor
    """Shape (kept,), int64, ascending."""
    weights: Tensor | None
    """Shape (kept,), float64; None: all 1."""
    remainder: float
    """Fraction of a row owed to the next window."""


def rows_due(target: float, remainder: float, available: int) -> Quota:
    """Return the whole rows due out of a window that has *available* ones; the rest stays owed."""
    due = next_quota(target, remainder)
    rows = min(due.rows, available)
    return Quota(rows, due.remainder + (due.rows - rows))


def forgiven(remainder: float) -> float:
    """Return what stays owed where barred rows stay barred: less than a row, else none is paid."""
    return remainder % 1.0 if remainder >= 1 else remainder


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
    if selection == "quota":
        free = None if window.barred is None else ~window.barred
        available = _rows_in(window, free)
        rows, remainder = rows_due(window.target, remainder, available)
        chance = _to_quota(window, rows)
        chance = _with_floors(window, chance, rows / max(available, 1), may_grow=False)
        chosen = _draw(window, chance, rows, generator, mix=mix)
    else:
        if window.coins_as_they_are:
            chance = _with(window.chance, window.certain, 1.0)
            chance = _with(chance, window.barred, 0.0)
        else:
            chance = _to_quota(window, window.target)
        share = window.target / max(_rows_in(window, None), 1)
        chance = _with_floors(window, chance, share, may_grow=window.coins_as_they_are)
        chosen = draw_coins(by_row(window, chance), generator)
    return Choice(chosen, _weights(window, chance, chosen, correction), remainder)


def _with(chance: Tensor, entries: Tensor | None, value: float) -> Tensor:
    return chance if entries is None else chance.masked_fill(entries, value)


def _rows_in(window: Window, entries: Tensor | None) -> int:
    """Return the rows of *entries*; None: of all."""
    if entries is None:
        return (window.chance if window.groups is None else window.groups).numel()
    return int((entries if window.counts is None else window.counts[entries]).sum())


def by_row(window: Window, values: Tensor) -> Tensor:
    """Return each row's value, out of those of the entries."""
    return values if window.groups is None else values.index_select(0, window.groups)


def _to_quota(window: Window, rows: float) -> Tensor:
    """Scale chances to sum to *rows*, the certain ones first."""
    if window.certain is None and window.barred is None:
        return scale_to(window.chance, rows, window.counts)
    none = torch.zeros_like(window.chance, dtype=torch.bool)
    barred = none if window.barred is None else window.barred
    certain = none if window.certain is None else window.certain & ~barred
    others = ~certain & ~barred
    scaled = torch.zeros_like(window.chance)
    sure = _rows_in(window, certain)
    if sure:
        scaled[certain] = min(1.0, rows / sure)
    counts = None if window.counts is None else window.counts[others]
    scaled[others] = scale_to(window.chance[others], max(rows - sure, 0), counts)
    return scaled


def _with_floors(window: Window, chance: Tensor, share: float, *, may_grow: bool) -> Tensor:
    if window.classes is None:
        return chance
    fixed = Fixed(window.certain, window.barred)
    return with_floors(chance, window.classes, share, fixed, may_grow=may_grow)


def _draw(window: Window, chance: Tensor, rows: int, generator: Generator, *, mix: bool) -> Tensor:
    """Draw *rows* rows, of each class as many as its chances say, to less than one row."""
    if window.classes is None:
        return draw_quota(by_row(window, chance), rows, generator, mix=mix)
    order = class_order(window.classes, generator, mix=mix)
    places = draw_quota(chance.index_select(0, order), rows, generator, mix=False)
    chosen = torch.zeros_like(chance, dtype=torch.bool)
    chosen[order.index_select(0, places)] = True
    return torch.where(chosen)[0]


def _weights(window: Window, chance: Tensor, chosen: Tensor, correction: float) -> Tensor | None:
    if correction == 0 or not chosen.numel():
        return None
    weights = sample_weights(chance, correction, window.counts)
    assert weights is not None
    entries = chosen if window.groups is None else window.groups.index_select(0, chosen)
    return weights.index_select(0, entries)
