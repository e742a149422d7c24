"""An epoch's order as one window to choose from, by what the memory knows."""

from __future__ import annotations

import torch
from torch import Tensor

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting._chances import chances, sample_values
from sift_toolkit.sifting._choice import Window
from sift_toolkit.sifting._forecast import SiftedSpan
from sift_toolkit.sifting._memory_store import SampleMemory
from sift_toolkit.sifting._schedule import falling_keep


def epoch_window(
    config: SiftConfig,
    memory: SampleMemory,
    ids: Tensor,
    span: SiftedSpan,
    rows_before: int,
    run_rows: int | None,
) -> Window:
    """Return the window of the sifted part of an epoch.

    Args:
        config: laws, floors, `rescore_every` and `nonfinite`.
        memory: last losses by id.
        ids: shape (n,), the ids of the part, in order.
        span: where the part stands in the epoch, and how many rows to keep of it.
        rows_before: rows of the run that came by before this epoch.
        run_rows: rows of all epochs together, None if unknown.
    """
    losses = memory.losses(ids)
    keep = _keep(config, ids.numel(), rows_before + span.start, run_rows)
    known = torch.isfinite(losses)
    barred = torch.zeros_like(known)
    if config.nonfinite == "drop":
        barred = torch.isinf(losses)
    chance = torch.ones(ids.numel(), dtype=torch.float64)
    if bool(known.any()):
        everything = bool(known.all())
        some = losses if everything else losses[known]
        values = None
        if config.law == "proportional":
            values = sample_values(config, some, memory.values(ids if everything else ids[known]))
        chance[known] = chances(config, memory.percentiles(some), values, keep[known])
    certain = ~known | memory.is_due(ids, config.rescore_every)
    return Window(chance, keep, span.target, certain & ~barred, barred)


def _keep(config: SiftConfig, rows: int, before: int, run_rows: int | None) -> Tensor:
    if config.keep_end is None or not run_rows:
        return torch.full((rows,), config.kept_share, dtype=torch.float64)
    progress = (before + torch.arange(rows, dtype=torch.float64)) / run_rows
    return falling_keep(config, progress.clamp_max(1))
