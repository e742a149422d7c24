"""The learning rate over a run: keyed on the data that came by, not on steps sifting may save."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting import SiftingDataloader

_WARM_UP: Final = 0.05
"""Share of the run over which the learning rate rises to its peak."""

_LOWEST_AT_START: Final = 0.1
"""Share of the peak that the rise begins at."""


def warm_cosine(progress: float) -> float:
    """Return the share of the peak learning rate: a short rise, then half a cosine to 0.

    Args:
        progress: share of the run's data that came by, from 0 to 1.
    """
    if progress < _WARM_UP:
        return max(progress / _WARM_UP, _LOWEST_AT_START)
    return 0.5 * (1 + math.cos(math.pi * (progress - _WARM_UP) / (1 - _WARM_UP)))


def scheduler_for(
    loader: SiftingDataloader,
    optimizer: Optimizer,
    factor: Callable[[float], float],
    note: Callable[[str], None],
    progress: Callable[[], float] | None = None,
) -> LambdaLR:
    """Return a scheduler that follows the run's progress: call it after each step.

    Where the progress cannot be known the rate stays at its peak, and *note* is told.

    Args:
        loader: of the run.
        optimizer: its rates are the peaks.
        factor: the share of the peak at a progress from 0 to 1.
        note: is told.
        progress: default: the loader's.
    """
    try:
        _ = loader.progress
    except SiftUsageError:
        note("learning rate: constant, because the number of training samples is not known")
        return LambdaLR(optimizer, lambda _: 1.0)
    return LambdaLR(optimizer, lambda _: factor(progress() if progress else loader.progress))
