"""The user's DataLoader again, over batches of ids that are chosen before they are loaded.

Nothing of the user's loader is patched: a second DataLoader is made with the same dataset,
workers, collate function, pinning and generator, and with a batch sampler that gives out the
chosen ids. The user's own sampler is asked for the order of each epoch exactly once.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeGuard

import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, Sampler

from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting._epoch_plan import EpochPlan
from sift_toolkit.sifting._source import length_of
from sift_toolkit.sifting._wiring import Extent


def why_no_memory(loader: object) -> str | None:
    """Return why samples of *loader* cannot be remembered by id, None if they can."""
    if not isinstance(loader, DataLoader):
        return f"a {type(loader).__name__} does not tell which samples it loads"
    if isinstance(loader.dataset, IterableDataset):
        return "an IterableDataset has no ids"
    if type(loader).__iter__ is not DataLoader.__iter__:
        return f"a {type(loader).__name__} iterates in a way of its own, which would be lost"
    if loader.batch_sampler is None:
        return "batch_size=None leaves the batches to the dataset"
    if not getattr(loader, "in_order", True):
        return "in_order=False gives batches out in an order nobody knows"
    if not hasattr(loader.dataset, "__len__"):
        return "the dataset has no length"
    batches = loader.batch_sampler
    is_plain = getattr(type(batches), "__iter__", None) is BatchSampler.__iter__
    if is_plain and length_of(getattr(batches, "sampler", None)) is None:
        return "the sampler has no length, and so maybe no end"
    return None


class ChosenBatches(Sampler[list[int]]):
    """A batch sampler whose epoch is decided when its first batch is asked for.

    By then the DataLoader has drawn what it draws itself, so that the order of the epoch is the
    one the plain loader would have drawn. Iterating it again in the same epoch changes nothing.

    Args:
        decide: refers to what returns the plan of an epoch, called once an epoch; None once the
            engine is gone.
    """

    def __init__(self, decide: Callable[[], Callable[[], EpochPlan] | None]) -> None:
        self._decide = decide
        self._plan: EpochPlan | None = None

    def begin_epoch(self, plan: EpochPlan | None = None) -> None:
        """Forget the epoch before; *plan*: one that is gone on with."""
        self._plan = plan

    def __iter__(self) -> Iterator[list[int]]:
        # A generator, so that nothing happens before the first batch is asked for.
        if self._plan is None:
            self._begin()
        if self._plan is not None:
            yield from self._plan.batches()

    def _begin(self) -> None:
        # Apart from the generator, which would hold the engine as long as it is not exhausted.
        decide = self._decide()
        if decide is not None:
            self._plan = decide()


def rebuild(loader: DataLoader[Any], batches: Sampler[list[int]]) -> DataLoader[Any]:
    """Return a loader like the user's over other batches."""
    workers: dict[str, Any] = {}
    if loader.num_workers > 0:
        workers = {
            "prefetch_factor": loader.prefetch_factor,
            "persistent_workers": loader.persistent_workers,
            "multiprocessing_context": loader.multiprocessing_context,
        }
    return DataLoader(
        loader.dataset,
        batch_sampler=batches,
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        pin_memory=loader.pin_memory,
        pin_memory_device=loader.pin_memory_device,
        timeout=loader.timeout,
        worker_init_fn=loader.worker_init_fn,
        generator=loader.generator,
        **workers,
    )


class EpochOrder(NamedTuple):
    """What the user's sampler gives for one epoch."""

    ids: Tensor
    """Shape (n,), int64, in order."""
    sizes: list[int]
    """Rows of each batch."""
    batch_size: int | None
    """Rows of every batch but a smaller last one; None if the batches differ."""


def epoch_order(loader: DataLoader[Any]) -> EpochOrder:
    """Ask the user's sampler for one epoch.

    Raises:
        SiftUsageError: the sampler gives something else than ids from 0 to the dataset's length.
    """
    batches = loader.batch_sampler
    try:
        order = _plain_order(batches) if _is_plain(batches) else _custom_order(batches or ())
    except (TypeError, OverflowError) as error:
        msg = f'sifting with a memory needs a sampler of whole numbers: {error}; use scores="fresh"'
        raise SiftUsageError(msg) from error
    samples = len(loader.dataset)  # type: ignore[arg-type] # `why_no_memory` made sure
    if order.ids.numel() and not 0 <= int(order.ids.min()) <= int(order.ids.max()) < samples:
        msg = (
            f"sifting with a memory needs ids from 0 to {samples - 1}, the sampler gives "
            f'{int(order.ids.min())} to {int(order.ids.max())}; use scores="fresh"'
        )
        raise SiftUsageError(msg)
    return order


def first_rows(order: EpochOrder, extent: Extent) -> EpochOrder:
    """Return the part of an order that all ranks have rows for, where another one has fewer."""
    shape = extent.shape
    if shape is None or shape == extent.own_shape:
        return order
    return EpochOrder(order.ids[: shape.rows_given], list(shape.sizes()), shape.batch_size)


def _is_plain(batches: object) -> TypeGuard[BatchSampler]:
    """Whether batches are cut out of a sampler's order in the way that PyTorch does it."""
    return type(batches) is BatchSampler


def _plain_order(batches: BatchSampler) -> EpochOrder:
    ids = _as_tensor(batches.sampler)
    whole, rest = divmod(ids.numel(), batches.batch_size)
    sizes = [batches.batch_size] * whole + ([rest] if rest and not batches.drop_last else [])
    return EpochOrder(ids[: sum(sizes)], sizes, batches.batch_size)


def _custom_order(batches: Iterable[Any]) -> EpochOrder:
    drawn = [list(batch) for batch in batches]
    sizes = [len(batch) for batch in drawn]
    declared = getattr(batches, "batch_size", None)
    size = declared if isinstance(declared, int) else max(sizes, default=1)
    is_even = all(each == size for each in sizes[:-1]) and max(sizes, default=0) <= size
    ids = _as_tensor(itertools.chain.from_iterable(drawn))
    return EpochOrder(ids, sizes, size if is_even else None)


def _as_tensor(ids: Iterable[Any]) -> Tensor:
    numbers = array("q", ids)
    if not numbers:
        return torch.empty(0, dtype=torch.int64)
    return torch.frombuffer(numbers, dtype=torch.int64)
