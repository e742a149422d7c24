"""What the loader asks of an engine, whichever way it comes by its scores."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from torch import Tensor

from sift_toolkit.sifting._batches import Batch
from sift_toolkit.sifting._forecast import Carried
from sift_toolkit.sifting._schedule import EpochShape, Position


class Refined(NamedTuple):
    """A batch for the training loop, and what is known of its rows."""

    batch: Batch
    rows: int
    weights: Tensor | None = None
    """Shape (rows,), on the CPU; None: all 1."""
    ids: Tensor | None = None
    """Shape (rows,), int32 or int64, the samples' ids where they are known."""


class Engine(Protocol):
    """Chooses the samples of one epoch after the other."""

    name: str
    """Where the scores come from, as `scores` says it."""
    goes_on_after_errors: bool
    """Whether an epoch can go on after an error in the user's data or loss."""

    @property
    def shared_samples(self) -> int | None:
        """Samples of the dataset that ranks share, None if they share none."""
        ...

    def begin_epoch(self) -> None:
        """Begin the next epoch, or go on with the one a loaded state was in."""
        ...

    def next(self) -> Refined | None:
        """Return the next batch, None when the epoch is over.

        The time in here is loading's, but for what the engine gives to scoring.
        """
        ...

    def learn(self, ids: Tensor, losses: Tensor, values: Tensor | None) -> None:
        """Take the losses of a training step as scores; they are the engine's to keep."""
        ...

    def carried(self) -> Carried:
        """Return what the next epoch begins with, if it began now."""
        ...

    def stuck_ids(self, times: int, limit: int) -> list[int]:
        """Return the samples whose loss was at the top *times* times in a row or more."""
        ...

    def close(self) -> None:
        """Let go of workers and data; no epoch follows."""
        ...

    def forecast(
        self, shape: EpochShape, position: Position, run_rows: int | None, carried: Carried
    ) -> Carried:
        """Go through one epoch without data, moving *position* along."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed to go on."""
        ...

    def load_state_dict(self, state: dict[str, Any], *, mid_epoch: bool) -> None:
        """Go on from a saved state; *mid_epoch* if an epoch was under way there."""
        ...
