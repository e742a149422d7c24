"""The user's DataLoader again, over batches of ids that are chosen before they are loaded.

Nothing of the user's loader is patched: a second DataLoader is made with the same dataset,
workers, collate function, pinning and generator, and with a batch sampler that gives out the
chosen ids. The user's own sampler is asked for the order of each epoch exactly once.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, Sampler

from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting._epoch_plan import EpochPlan


def why_no_memory(loader: object) -> str | None:
    """Return why samples of *loader* cannot be remembered by id, None if they can."""
    if not isinstance(loader, DataLoader):
        return f"a {type(loader).__name__} does not tell which samples it loads"
    if isinstance(loader.dataset, IterableDataset):
        return "an IterableDataset has no ids"
    if type(loader).__iter__ is not DataLoader.__iter__:
        return f"{type(loader).__name__} iterates in a way of its own"
    if loader.batch_sampler is None:
        return "batch_size=None leaves the batches to the dataset"
    if not getattr(loader, "in_order", True):
        return "in_order=False gives batches out in an order nobody knows"
    if not hasattr(loader.dataset, "__len__"):
        return "the dataset has no length"
    return None


class ChosenBatches(Sampler[list[int]]):
    """A batch sampler whose epoch is decided when its first batch is asked for.

    By then the DataLoader has drawn what it draws itself, so that the order of the epoch is the
    one the plain loader would have drawn. Iterating it again in the same epoch changes nothing.

    Args:
        decide: returns the plan of an epoch; called once an epoch.
    """

    def __init__(self, decide: Callable[[], EpochPlan]) -> None:
        self._decide = decide
        self._plan: EpochPlan | None = None

    def begin_epoch(self, plan: EpochPlan | None = None) -> None:
        """Forget the epoch before; *plan*: one that is gone on with."""
        self._plan = plan

    def __iter__(self) -> Iterator[list[int]]:
        if self._plan is None:
            self._plan = self._decide()
        return self._plan.batches()


def rebuild(loader: DataLoader[Any], batches: ChosenBatches) -> DataLoader[Any]:
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
        timeout=loader.timeout,
        worker_init_fn=loader.worker_init_fn,
        generator=loader.generator,
        **workers,
    )


def epoch_order(loader: DataLoader[Any]) -> tuple[Tensor, list[int]]:
    """Ask the user's sampler for one epoch.

    Returns:
        (ids in order, int64; the number of rows of each batch).

    Raises:
        SiftUsageError: the sampler gives something else than ids from 0 to the dataset's length.
    """
    batches = loader.batch_sampler
    try:
        if type(batches) is BatchSampler:
            order = _as_tensor(batches.sampler)
            sizes = _sizes(order.numel(), batches.batch_size, drop_last=batches.drop_last)
            order = order[: sum(sizes)]
        else:
            drawn = [list(batch) for batch in batches or ()]
            order = _as_tensor(itertools.chain.from_iterable(drawn))
            sizes = [len(batch) for batch in drawn]
    except TypeError as error:
        msg = f'scores="memory" needs a sampler of whole numbers: {error}'
        raise SiftUsageError(msg) from error
    samples = len(loader.dataset)  # type: ignore[arg-type] # `why_no_memory` made sure
    if order.numel() and not 0 <= int(order.min()) <= int(order.max()) < samples:
        msg = (
            f'scores="memory" needs ids from 0 to {samples - 1}, the sampler gives '
            f"{int(order.min())} to {int(order.max())}"
        )
        raise SiftUsageError(msg)
    return order, sizes


def _as_tensor(ids: Any) -> Tensor:
    numbers = array("q", (int(each) for each in ids))
    return (
        torch.frombuffer(numbers, dtype=torch.int64)
        if numbers
        else torch.empty(0, dtype=torch.int64)
    )


def _sizes(rows: int, batch_size: int, *, drop_last: bool) -> list[int]:
    whole, rest = divmod(rows, batch_size)
    return [batch_size] * whole + ([rest] if rest and not drop_last else [])
