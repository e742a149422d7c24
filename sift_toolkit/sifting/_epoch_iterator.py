"""The iterator that a training loop holds."""

from __future__ import annotations

from collections.abc import Callable

from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting._batches import Batch


class EpochIterator:
    """The iterator of one epoch; all other state is the run's.

    The run does not know it: when a loop lets go of its loader, workers end at once, not when
    Python next looks for cycles.

    Args:
        next_batch: the run's, gives the batch that comes next.
        epoch: stands for the epoch, as long as it is under way.
    """

    def __init__(self, next_batch: Callable[[EpochIterator], Batch], epoch: object) -> None:
        self._next_batch = next_batch
        self.epoch = epoch
        self.ended = False
        self.failed = False

    def __iter__(self) -> EpochIterator:
        return self

    def __next__(self) -> Batch:
        return self._next_batch(self)

    def over(self) -> Exception:
        """Return why there is no further batch."""
        if self.ended:
            return StopIteration()
        if self.failed:
            return SiftUsageError(
                "this iterator's epoch ended when a batch could not be loaded: the memory cannot "
                "tell whose losses would come next; iterate the loader again"
            )
        return SiftUsageError(
            "this iterator's epoch was ended by a later iter() of the same loader, or by loading "
            "a state: a sifted loader has one epoch under way at a time"
        )
