"""An epoch's order as one window to choose from, by what the memory knows."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting._chances import by_wait, chances, sample_values
from sift_toolkit.sifting._choice import Window, by_row
from sift_toolkit.sifting._classes import Classes
from sift_toolkit.sifting._memory_store import SampleMemory
from sift_toolkit.sifting._ties import TiedLosses, tied_losses

_SHARE_AT_TOP: Final = 0.95
"""Percentile above which a loss is at the top, where no `high_loss_cap` says it."""
_MOST_VISITS: Final = 15
"""Visits in a row that are told apart, by which a sample was passed over."""
_ABOVE_ANY_CAP: Final = 2.0
"""Percentile of rows that the cap is for, whatever it is."""


def epoch_window(
    config: SiftConfig,
    memory: SampleMemory,
    ids: Tensor,
    target: float,
    classes: Classes | None = None,
) -> Window:
    """Return the window of the sifted part of an epoch, its rows in groups of equal chances.

    The share to keep is one number for all of it: where it falls over the run, its mean there.

    Args:
        config: laws, floors, `rescore_every` and `nonfinite`.
        memory: last losses by id.
        ids: shape (n,), int64, n > 0, the ids of the part, in order.
        target: rows to keep of it, not whole in general.
        classes: of the rows; with them each row is an entry of its own.
    """
    if not config.needs_scores:
        return _same_for_all(ids.numel(), target, classes)
    ties = memory.ties(config.high_loss_cap or _SHARE_AT_TOP)
    if config.needs_own_values:
        ties = _by_own_values(config, memory, ties)
    number = ties.losses.numel()
    groups = _with_exceptions(config, memory, ties.groups, number).index_select(0, ids)
    waits = _waits(config, memory, ids)
    # A cell is a group of rows that waited equally long, or that are an exception.
    cells = groups if waits is None else groups + waits * (number + 2)
    counts = cells.bincount()
    used = torch.where(counts > 0)[0]
    counts, group, wait = counts[used], used % (number + 2), used // (number + 2)
    known = group < number
    chance = torch.ones(used.numel(), dtype=torch.float64)
    chance[known] = _chances_of(
        config, ties, group[known], wait[known], target / ids.numel(), counts[known]
    )
    window = Window(
        chance,
        target,
        certain=group == number,
        barred=group == number + 1,
        groups=_renumbered(used, cells),
        counts=counts,
    )
    return window if classes is None else _with_classes(window, classes)


def _waits(config: SiftConfig, memory: SampleMemory, ids: Tensor) -> Tensor | None:
    """Return the visits at which each row was passed over, int32; None: they do not count."""
    if config.law != "proportional" or config.staleness == 0:
        return None
    # Whoever waited longer is certain.
    return memory.visits_passed_over(ids, min(_MOST_VISITS, config.rescore_every - 1))


def _chances_of(
    config: SiftConfig, ties: TiedLosses, group: Tensor, wait: Tensor, keep: float, counts: Tensor
) -> Tensor:
    """Return the chances of cells of rows with equal losses.

    Args:
        config: laws and floors.
        ties: the losses.
        group: shape (n,), int64, which of them a cell's rows have.
        wait: shape (n,), int64, visits at which they were passed over.
        keep: the share to keep.
        counts: shape (n,), rows of each cell.
    """
    values = None
    if config.law == "proportional":
        values = sample_values(config, ties.losses, ties.losses, ties.median)
        values = by_wait(values.index_select(0, group), wait, config.staleness)
    intervals = ties.low.index_select(0, group), ties.high.index_select(0, group)
    return chances(config, intervals, values, keep, counts)


def _renumbered(used: Tensor, cells: Tensor) -> Tensor:
    """Return the place of each row's cell among those that are used, which are ascending."""
    places = torch.zeros(int(used[-1]) + 1, dtype=torch.int64)
    places[used] = torch.arange(used.numel())
    return places.index_select(0, cells)


def _same_for_all(rows: int, target: float, classes: Classes | None) -> Window:
    """Return the window of rows with the same chance: one group, or each with its class."""
    keep = target / rows
    if classes is not None:
        return Window(torch.full((rows,), keep, dtype=torch.float64), target, classes=classes)
    return Window(
        torch.tensor([keep], dtype=torch.float64),
        target,
        groups=torch.zeros(rows, dtype=torch.int64),
        counts=torch.tensor([rows]),
    )


def _with_classes(window: Window, classes: Classes) -> Window:
    """Return the window with each row an entry: rows of one group may be of many classes."""

    def rows_of(entries: Tensor | None) -> Tensor | None:
        rows = None if entries is None else by_row(window, entries)
        return None if rows is None or not bool(rows.any()) else rows

    return Window(
        by_row(window, window.chance),
        window.target,
        certain=rows_of(window.certain),
        barred=rows_of(window.barred),
        classes=classes,
    )


def _with_exceptions(
    config: SiftConfig, memory: SampleMemory, groups: Tensor, number: int
) -> Tensor:
    """Return each sample's group: *number* if it is certain, *number* + 1 if it is barred."""
    due = memory.is_due(config.rescore_every)
    with_certain = torch.where(due | (groups < 0), number, groups)
    if config.nonfinite != "drop":
        return with_certain
    # A sample that was barred gets its next try when it is due, like any other.
    return torch.where(torch.isinf(memory.all_losses) & ~due, number + 1, with_certain)


def _by_own_values(config: SiftConfig, memory: SampleMemory, ties: TiedLosses) -> TiedLosses:
    """Return groups of equal values of the user's own; what is above the cap is a group apart."""
    unknown = ties.groups < 0
    values = memory.all_values.masked_fill_(unknown, torch.nan)
    if config.high_loss_cap is None:
        return tied_losses(values)
    is_capped = (ties.low + ties.high) / 2 > config.high_loss_cap
    capped = torch.cat([is_capped, torch.tensor([False])])[ties.groups] & ~unknown
    own = tied_losses(values.masked_fill_(capped, torch.nan))
    number = own.losses.numel()
    percentile = torch.zeros(number + 1, dtype=torch.float64)
    percentile[number] = _ABOVE_ANY_CAP
    return TiedLosses(
        torch.where(capped, number, own.groups),
        torch.cat([own.losses, torch.zeros(1)]),
        percentile,
        percentile,
    )
