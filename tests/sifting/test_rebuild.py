"""The user's DataLoader, rebuilt over chosen batches, never patched."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Generator
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
)

from sift_toolkit.errors import SiftConfigError, SiftUsageError
from sift_toolkit.sifting._epoch_plan import EpochPlan
from sift_toolkit.sifting._rebuild import ChosenBatches, epoch_order, rebuild, why_no_memory

ROWS: Any = list(range(10))


class Stream(IterableDataset[int]):
    """Rows without ids."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(10))


class Endless(Dataset[int]):
    """Rows of no known number."""

    def __getitem__(self, number: int) -> int:
        return number


class OwnIteration(DataLoader[int]):
    """A loader that does something between the batches."""

    def __iter__(self) -> Any:
        yield from super().__iter__()


class OwnName(DataLoader[int]):
    """A loader that iterates as every DataLoader does."""


class Forever(Sampler[int]):
    """The same rows again and again."""

    def __iter__(self) -> Iterator[int]:
        return itertools.cycle(ROWS)


REFUSED: dict[str, Any] = {
    "a list": (lambda: [1, 2], "a list does not tell which samples it loads"),
    "a stream": (lambda: DataLoader(Stream()), "an IterableDataset has no ids"),
    "own iteration": (lambda: OwnIteration(ROWS), "a OwnIteration iterates in a way of its own"),
    "no batches": (lambda: DataLoader(ROWS, batch_size=None), "batch_size=None"),
    "out of order": (lambda: DataLoader(ROWS, in_order=False), "in_order=False"),
    "no length": (
        lambda: DataLoader(Endless(), sampler=range(10)),
        "the dataset has no length",
    ),
    "no end": (lambda: DataLoader(ROWS, sampler=Forever()), "the sampler has no length"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_kept_is_refused_in_words(toy: Any, case: Any) -> None:
    """With scores="memory" at once; auto takes fresh scores and gives the same reason."""
    make, words = case
    reason = why_no_memory(make())
    assert reason is not None
    assert words in reason
    with pytest.raises(SiftConfigError, match=r"cannot be had: .*use scores="):
        toy.sifted(make(), scores="memory")
    notes: list[str] = []
    assert toy.sifted(make(), on_note=notes.append).scores == "fresh"
    assert words in notes[0]


@pytest.mark.parametrize("loader", [DataLoader(ROWS), OwnName(ROWS, batch_size=3)])
def test_nothing_is_held_against_a_loader_of_samples_with_ids(loader: Any) -> None:
    """A subclass that iterates as DataLoader does is one."""
    assert why_no_memory(loader) is None


def context() -> Any:
    """Return a way to start workers."""
    return torch.multiprocessing.get_context("spawn")


def nothing(worker: int) -> None:
    """Do nothing in a worker."""


def test_everything_of_the_users_loader_is_kept() -> None:
    """Every argument but those that say which samples come."""
    spawn = context()
    inner = DataLoader(
        ROWS,
        batch_size=4,
        shuffle=True,
        num_workers=2,
        collate_fn=list,
        timeout=7,
        worker_init_fn=nothing,
        multiprocessing_context=spawn,
        generator=Generator(),
        prefetch_factor=5,
        persistent_workers=True,
    )
    batches = ChosenBatches(lambda: None)
    assert list(batches) == []
    rebuilt = rebuild(inner, batches)
    for name in (
        "dataset",
        "num_workers",
        "collate_fn",
        "pin_memory",
        "pin_memory_device",
        "timeout",
        "worker_init_fn",
        "multiprocessing_context",
        "generator",
        "prefetch_factor",
        "persistent_workers",
        "in_order",
    ):
        assert getattr(rebuilt, name) is getattr(inner, name), name
    assert rebuilt.batch_sampler is batches


def test_pinning_is_asked_for_as_the_user_asked() -> None:
    """Whether there is an accelerator is found out later."""
    rebuilt = rebuild(
        DataLoader(ROWS, pin_memory=True),
        ChosenBatches(lambda: None),
    )
    assert rebuilt.pin_memory is True


def test_an_epoch_is_decided_once_and_when_its_first_batch_is_due() -> None:
    """However many iterators there are."""
    decided = []

    def decide() -> EpochPlan:
        decided.append(1)
        return EpochPlan.whole(torch.arange(4), [2, 2])

    batches = ChosenBatches(lambda: decide)
    first, second = iter(batches), iter(batches)
    assert decided == []
    assert list(first) == list(second) == [[0, 1], [2, 3]]
    assert decided == [1]
    batches.begin_epoch()
    assert (next(iter(batches)), decided) == ([0, 1], [1, 1])
    batches.begin_epoch(EpochPlan.whole(torch.arange(1), [1]))
    assert (list(batches), decided) == ([[0]], [1, 1])


@pytest.mark.parametrize(("drop_last", "expected"), [(False, [4, 4, 2]), (True, [4, 4])])
def test_the_order_of_a_plain_loader(drop_last: bool, expected: list[int]) -> None:
    """Ids and sizes as it would have given them, and its generator as far as it would be."""
    given, drawn = Generator().manual_seed(1), Generator().manual_seed(1)
    plain = list(BatchSampler(RandomSampler(ROWS, generator=given), 4, drop_last))
    inner = DataLoader(
        ROWS,
        batch_size=4,
        drop_last=drop_last,
        sampler=RandomSampler(ROWS, generator=drawn),
    )
    order = epoch_order(inner)
    assert (order.sizes, order.batch_size) == (expected, 4)
    assert order.ids.tolist() == [number for batch in plain for number in batch]
    assert torch.equal(given.get_state(), drawn.get_state())


class Own:
    """A batch sampler of any kind."""

    def __init__(self, sizes: list[int], batch_size: int | None = None) -> None:
        self._sizes = sizes
        if batch_size is not None:
            self.batch_size = batch_size

    def __iter__(self) -> Iterator[list[int]]:
        return iter([[0] * size for size in self._sizes])


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (Own([4, 4, 2]), 4),
        (Own([4]), 4),
        (Own([]), 1),
        (Own([3], batch_size=4), 4),
        (Own([4, 4, 2], batch_size=4), 4),
        (Own([4, 2, 4]), None),
        (Own([2, 2, 4]), None),
        (Own([5, 5], batch_size=4), None),
    ],
)
def test_the_batch_size_of_a_custom_batch_sampler(own: Any, expected: int | None) -> None:
    """Declared or found out; None if its batches differ by more than a smaller last one."""
    assert epoch_order(DataLoader(ROWS, batch_sampler=own)).batch_size == expected


@pytest.mark.parametrize(
    "sampler", [np.arange(10), torch.arange(10), tuple(range(10)), SequentialSampler(ROWS)]
)
def test_ids_of_any_whole_kind(sampler: Any) -> None:
    """Of numpy, of torch, of Python."""
    assert epoch_order(DataLoader(ROWS, sampler=sampler)).ids.tolist() == ROWS


@pytest.mark.parametrize("sampler", [[0.5], ["a"], [(0, 1)], [None], [1 << 70]])
def test_ids_of_another_kind_are_refused(sampler: Any) -> None:
    """With the mend."""
    with pytest.raises(SiftUsageError, match=r'whole numbers.*use scores="fresh"'):
        epoch_order(DataLoader(ROWS, sampler=sampler))
