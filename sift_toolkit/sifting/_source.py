"""The user's loader: its shape, its iteration, and how to come back to the same place in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from torch.utils.data import BatchSampler, DataLoader

from sift_toolkit.errors import SiftStateError
from sift_toolkit.sifting._batches import Batch
from sift_toolkit.sifting._draws import EpochDraws
from sift_toolkit.sifting._rng import parts_of
from sift_toolkit.sifting._schedule import EpochShape

_END: Final = object()
_GIVEN_KEY: Final = "given"
_DRAWS_KEY: Final = "draws"
_SAMPLER_EPOCHS_KEY: Final = "sampler_epochs"
_ENDED_KEY: Final = "ended"
_INNER_KEY: Final = "inner"


class Source:
    """Iterates the user's loader, one epoch after the other.

    A loader with `state_dict` (torchdata's StatefulDataLoader) is asked for its own place. Any
    other one is replayed: the same order is drawn from the same random state, which is put back
    afterwards, and what had been given out is skipped.
    """

    def __init__(self, loader: Iterable[Batch]) -> None:
        self._loader = loader
        # Accelerate's loaders always have the methods, but a state only if this one says so.
        self._stateful = (
            hasattr(loader, "state_dict")
            and hasattr(loader, "load_state_dict")
            and bool(getattr(loader, "use_stateful_dataloader", True))
        )
        self._iterator: Iterator[Batch] | None = None
        self._given = 0
        self._draws = EpochDraws(loader)
        self._sampler_epochs: list[int] = []
        self._resumes = False
        self._ended = False

    def begin(self, *, wants_batch: bool = False) -> Batch | None:
        """Begin an epoch, or go on with the one a loaded state was in.

        Args:
            wants_batch: whether a batch that had been given out is asked for.

        Returns:
            One of them if it can be had again, else None: where none had been, where an epoch
            begins, and of loaders that come back to their place by themselves.
        """
        # First the workers of an epoch that was broken out of end, then others begin.
        self._iterator = None
        if self._resumes:
            self._resumes = False
            return self._go_on(wants_batch=wants_batch)
        self._given = 0
        self._ended = False
        self._draws.begin()
        self._sampler_epochs = [part.epoch for part in self._epoch_samplers()]
        self._iterator = iter(self._loader)
        return None

    def next(self) -> Batch:
        """Return the next batch.

        Raises:
            StopIteration: the epoch is over.
        """
        if self._iterator is None:
            raise StopIteration
        batch = next(self._iterator)
        self._given += 1
        return batch

    def end(self) -> None:
        """Let go of the iterator; its epoch is over."""
        self._iterator = None
        self._ended = True

    def _go_on(self, *, wants_batch: bool) -> Batch | None:
        # At an epoch's end there is nothing to go on with: iterating would begin another one.
        if self._ended and (self._stateful or not wants_batch):
            return None
        with self._draws.again():
            for sampler, epoch in zip(self._epoch_samplers(), self._sampler_epochs, strict=False):
                sampler.set_epoch(epoch)
            iterator = iter(self._loader)
            if self._ended:
                return self._skipped(iterator, min(self._given, 1))
            self._iterator = iterator
            return None if self._stateful else self._skipped(iterator, self._given)

    def _epoch_samplers(self) -> list[Any]:
        """Return what draws the order from the number of the epoch, as DistributedSampler does."""
        parts = parts_of(self._loader)
        return [part for part in parts if hasattr(part, "set_epoch") and hasattr(part, "epoch")]

    def _skipped(self, iterator: Iterator[Batch], count: int) -> Batch | None:
        """Go past what was given out; return the last batch of it.

        Raises:
            SiftStateError: the loader ends before that.
        """
        batch = None
        for place in range(count):
            batch = next(iterator, _END)
            if batch is _END:
                msg = (
                    f"the saved state is from after batch {self._given} of an epoch, this loader "
                    f"gives only {place}: its dataset or its sampler is another one"
                )
                raise SiftStateError(msg)
        return batch

    def state_dict(self) -> dict[str, Any]:
        """Return the place in the epoch under way."""
        state: dict[str, Any] = {
            _GIVEN_KEY: self._given,
            _DRAWS_KEY: self._draws.state_dict(),
            _SAMPLER_EPOCHS_KEY: self._sampler_epochs,
            _ENDED_KEY: self._ended,
        }
        if self._stateful:
            state[_INNER_KEY] = self._loader.state_dict()  # type: ignore[attr-defined] # checked above
        return state

    def load_state_dict(self, state: dict[str, Any], *, mid_epoch: bool) -> None:
        """Come back to a place; *mid_epoch* if the epoch there had begun and not ended."""
        self._given = state[_GIVEN_KEY]
        self._draws.load_state_dict(state[_DRAWS_KEY])
        self._sampler_epochs = state[_SAMPLER_EPOCHS_KEY]
        self._ended = state[_ENDED_KEY]
        self._resumes = mid_epoch
        self._iterator = None
        if self._stateful:
            self._loader.load_state_dict(state[_INNER_KEY])  # type: ignore[attr-defined] # checked above


def shape_of(loader: object) -> EpochShape | None:
    """Return what an epoch of *loader* looks like; None if that cannot be known without reading.

    Args:
        loader: a DataLoader, or anything with its attributes.
    """
    batches = getattr(loader, "batch_sampler", None)
    # One of the user's own may give more rows or fewer than its sampler, in batches of any size.
    if getattr(type(batches), "__iter__", None) is not BatchSampler.__iter__:
        return None
    assert isinstance(batches, BatchSampler)
    rows = length_of(batches.sampler)
    if rows is None:
        return None
    return EpochShape(rows=rows, batch_size=batches.batch_size, drop_last=batches.drop_last)


def told_batch_size(loader: object) -> int | None:
    """Return the rows of a full batch as *loader* has them; None where only its batches tell.

    Other classes than PyTorch's own may mean the rows that all processes are given together.
    """
    return loader.batch_size if type(loader) is DataLoader else None


def length_of(sampler: object) -> int | None:
    """Return what *sampler* gives in an epoch, None if it does not say."""
    try:
        return len(sampler)  # type: ignore[arg-type] # whether it has one is the question
    except (TypeError, NotImplementedError):
        return None
