"""How many optimizer steps a training makes whose epochs differ in length."""

from __future__ import annotations

import math
from typing import NamedTuple

from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting import SiftingDataloader


class Extent(NamedTuple):
    """How long a Trainer trains."""

    epochs: float | None
    """Epochs of the data; None: as many as the steps take."""
    max_steps: int
    """Optimizer steps, where they count and not the epochs."""

    @property
    def whole_epochs(self) -> int | None:
        """Epochs begun."""
        return None if self.epochs is None else max(math.ceil(self.epochs), 1)


def extent_of(epochs: float, max_steps: int, *, set_epochs: bool | None) -> Extent:
    """Return how long to train.

    Args:
        epochs: the trainer's `num_train_epochs`.
        max_steps: the trainer's, as its user set it; below 1 if not.
        set_epochs: whether the epochs count; None: unless `max_steps` was set.

    Raises:
        SiftUsageError: neither counts.
    """
    if set_epochs or (set_epochs is None and max_steps < 1):
        return Extent(epochs, max_steps)
    if max_steps < 1:
        msg = (
            "set_epochs=False leaves the length of the training to max_steps of the "
            f"TrainingArguments, which is {max_steps}: set it, or set_epochs=True"
        )
        raise SiftUsageError(msg)
    return Extent(None, max_steps)


def optimizer_steps(sifted: SiftingDataloader, extent: Extent, group: int) -> int:
    """Return the optimizer steps of a whole training, those that a saved run made included.

    Args:
        sifted: before its first epoch.
        extent: how long to train.
        group: batches of one step.

    Raises:
        SiftUsageError: the epochs count, and the number of rows is not known.
    """
    if extent.epochs is None:
        return extent.max_steps
    whole = math.floor(extent.epochs)
    try:
        batches: float = sifted.total_steps(whole) if whole else 0
        if extent.epochs > whole:
            part = extent.epochs - whole
            batches += part * (sifted.total_steps(whole + 1) - batches)
    except TypeError as error:
        msg = (
            f"the number of steps of {extent.epochs:g} epochs is not known: {error}; set max_steps "
            "of the TrainingArguments"
        )
        raise SiftUsageError(msg) from error
    return max(int(batches) // group, 1)
