"""How far a run of several processes is, alike in all of them.

What of its data has come by differs a little from one process to the next, and so would a learning
rate that follows it: the models would drift apart. Steps they make together.
"""

from __future__ import annotations

from typing import Any

from sift_toolkit.container._processes import Processes
from sift_toolkit.sifting import SiftingDataloader


class CommonProgress:
    """Counts epochs, and within an epoch its steps: an epoch of few steps is as long as any.

    Args:
        loader: of this process.
        processes: those that train together; the first one's loader says how long an epoch is.
        epochs: of the run.
    """

    def __init__(self, loader: SiftingDataloader, processes: Processes, epochs: int) -> None:
        self._loader = loader
        self._processes = processes
        self._epochs = epochs
        self._epoch = 0
        self._steps = 0
        self._length: int | None = None

    def begin_epoch(self, epoch: int) -> None:
        """Begin an epoch, by its number from 0, or go on in the one that a loaded state was in."""
        if epoch != self._epoch:
            self._epoch, self._steps, self._length = epoch, 0, None

    def step(self) -> None:
        """Take note of a training step: all processes make it."""
        if self._length is None:
            # Not before: only with its first batch do they know the length of an epoch for certain.
            self._length = self._processes.from_first(self._length_here())
        self._steps += 1

    def _length_here(self) -> int:
        try:
            return len(self._loader)
        except TypeError:  # of a stream, whose rate stays at its peak
            return 0

    def __call__(self) -> float:
        """Return the share of the run that is over, from 0 to 1."""
        of_epoch = min(self._steps / self._length, 1.0) if self._length else 0.0
        return (self._epoch + of_epoch) / self._epochs

    def state_dict(self) -> dict[str, Any]:
        """Return how far the run is."""
        return {"epoch": self._epoch, "steps": self._steps, "length": self._length}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self._epoch, self._steps, self._length = state["epoch"], state["steps"], state["length"]
