"""The whole numbers that a run is told: its seed and its epochs."""

from __future__ import annotations

from typing import Final

from sift_toolkit.container._hooks import Hooks
from sift_toolkit.container._job import Job
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.outside import shown

_SEED: Final = "seed"


def seed_of(job: Job) -> int:
    """Return the hyperparameter `seed`, 0 if there is none.

    Raises:
        SiftUsageError: it is no seed.
    """
    seed = job.hyperparameters.get(_SEED, 0)
    if isinstance(seed, int) and 0 <= seed < 2**63:
        return int(seed)
    msg = f"hyperparameter {_SEED!r} must be a whole number from 0, got {shown(seed)}"
    raise SiftUsageError(msg)


def epochs_of(hooks: Hooks, job: Job) -> int:
    """Return what the hook `epochs` says.

    Raises:
        SiftUsageError: it is no number of epochs.
    """
    epochs: object = hooks.epochs(job)
    if isinstance(epochs, int) and epochs >= 1:
        return epochs
    msg = f"the hook epochs must return a whole number from 1, got {shown(epochs)}"
    raise SiftUsageError(msg)
