"""Whose order depends on the number of the epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, cast


class Shuffler(Protocol):
    """Something whose order depends on the epoch's number."""

    def set_epoch(self, epoch: int, /) -> None:
        """Tell which epoch comes."""
        ...


def shufflers_of(loader: object) -> Iterator[Shuffler]:
    """Yield what is to be told the epoch: the loader itself, or else its parts, each once."""
    batches = getattr(loader, "batch_sampler", None)
    parts = (
        getattr(loader, "sampler", None),
        batches,
        getattr(batches, "sampler", None),
        getattr(loader, "dataset", None),
    )
    owners = (loader,) if _has_set_epoch(loader) else parts
    yield from {
        id(owner): cast("Shuffler", owner) for owner in owners if _has_set_epoch(owner)
    }.values()


def _has_set_epoch(owner: object) -> bool:
    return callable(getattr(owner, "set_epoch", None))
