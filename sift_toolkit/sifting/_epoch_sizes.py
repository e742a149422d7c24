"""How the rows of an epoch are cut into batches."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from sift_toolkit.sifting._rebuild import EpochOrder
from sift_toolkit.sifting._schedule import Leftover, flushes

_ROUNDING: Final = 1e-6
"""Absorbs the rounding of sums such as 10 * 0.1, which must count as one full batch."""


def epoch_sizes(order: EpochOrder, places: Tensor, waiting: int, rule: Leftover) -> list[int]:
    """Return the rows of each batch of an epoch.

    Args:
        order: what the user's sampler gave.
        places: shape (chosen,), where the chosen rows stand in that order; ascending.
        waiting: rows of the epoch before, which come first.
        rule: what becomes of rows that fill no batch.
    """
    if order.batch_size is None:
        # Rows of such batches cannot wait for the next epoch: nobody knows how much they fill.
        return refill_sizes(places, order.sizes, flush=rule != "drop")
    rows = waiting + places.numel()
    flush = flushes(rule, rows % order.batch_size, order.batch_size)
    return split_sizes(rows, order.batch_size, flush=flush)


def split_sizes(rows: int, batch_size: int, *, flush: bool) -> list[int]:
    """Return the sizes of the full batches of *rows* rows, and of a smaller last one if asked."""
    whole, rest = divmod(rows, batch_size)
    return [batch_size] * whole + ([rest] if flush and rest else [])


def refill_sizes(places: Tensor, sizes: list[int], *, flush: bool) -> list[int]:
    """Return sizes for rows of batches that differ in size, such as those of a token budget.

    A row takes up its share of the batch it was meant for, and a batch is full when one more row
    would be more than it holds.

    Args:
        places: shape (chosen,), where the chosen rows stood in the epoch's order; ascending.
        sizes: rows of each batch of that order.
        flush: whether a last batch that is not full is given out.
    """
    of_each = torch.tensor(sizes, dtype=torch.int64)
    share = (1 / of_each.to(torch.float64)).repeat_interleave(of_each)[places]
    filled = share.cumsum(0)
    refilled: list[int] = []
    start, before = 0, 0.0
    while start < filled.numel():
        end = int(torch.searchsorted(filled, before + 1 + _ROUNDING))
        end = max(end, start + 1)
        is_full = end < filled.numel() or float(filled[-1]) - before >= 1 - _ROUNDING
        if is_full or flush:
            refilled.append(end - start)
        start, before = end, float(filled[end - 1])
    return refilled
