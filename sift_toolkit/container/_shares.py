"""Whether processes go through the same data, and how they share out what is only measured."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard

from torch.utils.data import DataLoader, IterableDataset, Sampler

from sift_toolkit.sifting import Batch, rebuild, splits_samples


def own_share(loader: Iterable[Batch], rank: int, size: int) -> Iterable[Batch]:
    """Return the batches of *loader* that fall to one process, each to exactly one.

    Where a sampler of it splits the samples already, those are all. A DataLoader loads no others;
    of any other iterable each process loads all batches and passes over those of the others.

    Args:
        loader: the same on all processes, in the same order.
        rank: of the process.
        size: number of processes.
    """
    if size == 1 or splits_samples(loader):
        return loader
    if _is_plain(loader):
        return rebuild(loader, _EveryNth(loader.batch_sampler or (), rank, size))
    return _EveryNth(loader, rank, size)


def why_not_shared(loader: Iterable[Batch], size: int) -> str | None:
    """Return in words that all processes go through all training data; None: they do not.

    Of streams nobody knows.
    """
    if size == 1 or not _is_plain(loader) or splits_samples(loader):
        return None
    return (
        f"each of the {size} processes goes through all the training data, {size} times as much "
        "as one would, for its sampler knows nothing of the others: give the hook train_data's "
        "loader a DistributedSampler(dataset, job.processes, job.rank), unless the dataset is "
        "this process's part of the data already"
    )


def _is_plain(loader: object) -> TypeGuard[DataLoader[Any]]:
    return (
        isinstance(loader, DataLoader)
        and type(loader).__iter__ is DataLoader.__iter__
        and loader.batch_sampler is not None
        and not isinstance(loader.dataset, IterableDataset)
    )


class _EveryNth(Sampler[Any]):
    """Every n-th item of what can be iterated again and again.

    Args:
        items: batches, or the ids of batches.
        first: from 0.
        step: n.
    """

    def __init__(self, items: Iterable[Any], first: int, step: int) -> None:
        self._items = items
        self._first = first
        self._step = step

    def __iter__(self) -> Iterator[Any]:
        return itertools.islice(self._items, self._first, None, self._step)
