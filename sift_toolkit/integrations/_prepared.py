"""Loaders that Accelerate prepared, seen as what they are made of: one rank's part of the data.

Accelerate's loaders iterate in a way of their own: they synchronise random states, read one batch
ahead, move batches to the device. Behind each stands a plain DataLoader whose batch sampler gives
this rank's batches. That one can be sifted before its samples are loaded, and has a length.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from torch import Generator
from torch.utils.data import BatchSampler, DataLoader, Sampler

from sift_toolkit.sifting import Batch, rebuild

_FRAMEWORK = "accelerate"


class RankSampler(Sampler[int]):
    """One rank's samples, in the order in which Accelerate's own batches hold them.

    Args:
        batches: Accelerate's `BatchSamplerShard`, around a plain batch sampler.
        synchronize: called on all ranks before each epoch's order is drawn.
    """

    def __init__(self, batches: Any, synchronize: Callable[[], None]) -> None:
        self._batches = batches
        self._synchronize = synchronize
        self._drawn_by = batches.batch_sampler.sampler
        # By this name the core knows that ranks draw from one dataset.
        self.num_replicas: int = batches.num_processes

    @property
    def rank_batch_size(self) -> int:
        """Samples in a batch of this rank."""
        size: int = self._batches.batch_size
        return size // self.num_replicas if self._batches.split_batches else size

    @property
    def drop_last(self) -> bool:
        """Whether samples that fill no batch on each rank are left out."""
        return bool(self._batches.drop_last)

    def __iter__(self) -> Iterator[int]:
        self._synchronize()
        return itertools.chain.from_iterable(self._batches)

    def __len__(self) -> int:
        shard, size = self._batches, self.rank_batch_size
        if shard.drop_last or shard.even_batches:
            return len(shard) * size
        whole, rest = divmod(len(self._drawn_by), int(shard.batch_size))
        rank = int(shard.process_index)
        if shard.split_batches:
            return whole * size + min(max(rest - size * rank, 0), size)
        rounds, over = divmod(whole, self.num_replicas)
        return (rounds + (rank < over)) * size + (rest if rank == over else 0)

    @property
    def generator(self) -> Any:
        """What the order is drawn from, None for the global one."""
        return getattr(self._drawn_by, "generator", None)

    @property
    def epoch(self) -> int:
        """Number of the epoch; there is none where the order does not depend on it."""
        number: int = self._drawn_by.epoch
        return number

    def set_epoch(self, epoch: int) -> None:
        """Pass the number of the epoch on to whatever shuffles."""
        if hasattr(self._drawn_by, "set_epoch"):
            self._drawn_by.set_epoch(epoch)


class PreparedView:
    """Iterates a loader that Accelerate prepared, as it is, with a shape that can be known.

    Args:
        prepared: Accelerate's loader.
        batches: cut from one rank's samples; None: the shape is not known.
    """

    def __init__(self, prepared: Any, batches: BatchSampler | None) -> None:
        self._prepared = prepared
        self.batch_sampler = batches
        self.dataset = getattr(prepared, "dataset", None)
        self.batch_size: int | None = getattr(batches, "batch_size", None)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self._prepared)

    def set_epoch(self, epoch: int) -> None:
        """Pass the number of the epoch on."""
        self._prepared.set_epoch(epoch)


def is_prepared(loader: object) -> bool:
    """Return whether *loader* is one of Accelerate's own."""
    kind = type(loader)
    return kind.__module__.partition(".")[0] == _FRAMEWORK and hasattr(loader, "base_dataloader")


def view_of(loader: Iterable[Batch]) -> Iterable[Batch]:
    """Return a prepared loader with a shape; it goes on placing batches on the device.

    Args:
        loader: any; one that was not prepared is returned as it is.
    """
    if not is_prepared(loader):
        return loader
    return PreparedView(loader, None if _is_dispatched(loader) else _batches_of(loader))


def plain_loader(loader: Iterable[Batch]) -> Iterable[Batch]:
    """Return what stands behind a prepared loader: a DataLoader of this rank's part of the data.

    Its samples can be chosen before they are loaded, which a memory of losses needs. It places
    nothing on the device.

    Args:
        loader: any; one that was not prepared is returned as it is.
    """
    if not is_prepared(loader):
        return loader
    if _is_dispatched(loader):
        # Rank 0 reads for all: only it knows the samples.
        return PreparedView(loader, None)
    base: DataLoader[Any] = loader.base_dataloader  # type: ignore[attr-defined] # checked above
    batches = _batches_of(loader)
    is_its_own = batches is None or batches is base.batch_sampler
    return base if is_its_own or batches is None else rebuild(base, batches)


def _is_dispatched(loader: Any) -> bool:
    """Whether rank 0 reads for other ranks too."""
    return hasattr(loader, "slice_fn") and loader.state.num_processes > 1


def _batches_of(loader: Any) -> BatchSampler | None:
    """Return plain batches of one rank's samples; None: a sampler of the user's cuts them."""
    batches = getattr(loader.base_dataloader, "batch_sampler", None)
    if type(batches) is BatchSampler:
        _give_generator(batches.sampler)
        return batches
    inner = getattr(batches, "batch_sampler", None)
    if not hasattr(batches, "process_index") or type(inner) is not BatchSampler:
        return None

    def synchronize() -> None:
        from accelerate.utils import synchronize_rng_states

        synchronize_rng_states(loader.rng_types or [], loader.synchronized_generator)

    _give_generator(inner.sampler)
    sampler = RankSampler(batches, synchronize)
    return BatchSampler(sampler, sampler.rank_batch_size, sampler.drop_last)


def _give_generator(sampler: Any) -> None:
    """Make the generator that Accelerate's own sampler would make when it is first asked.

    A saved state has its state, and is loaded before that.
    """
    if hasattr(sampler, "initial_seed") and sampler.generator is None:
        sampler.generator = Generator().manual_seed(sampler.initial_seed)
