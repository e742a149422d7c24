"""What falls to which process: each batch of held-out data to exactly one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler, IterableDataset, TensorDataset

from sift_toolkit.container._shares import own_share, why_not_shared

ROWS = 21


class Loaded(Dataset[int]):
    """Numbers, and which of them were asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, index: int) -> int:
        self.asked.append(index)
        return index


class Stream(IterableDataset[int]):
    """Numbers without places."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(ROWS))


def rows_of(loader: Any) -> list[int]:
    """Return the numbers that a loader gives."""
    return [int(row) for batch in loader for row in batch]


@pytest.mark.parametrize("size", [1, 2, 3, 9])
@pytest.mark.parametrize(
    "loader",
    [
        DataLoader(range(ROWS), batch_size=4),  # type: ignore[arg-type] # a range is a dataset
        DataLoader(Stream(), batch_size=4),
        [torch.arange(place, min(place + 4, ROWS)) for place in range(0, ROWS, 4)],
    ],
    ids=["map", "stream", "list"],
)
def test_each_row_falls_to_one(loader: Any, size: int) -> None:
    """Also where there are fewer batches than processes, and in each epoch anew."""
    shares = [own_share(loader, rank, size) for rank in range(size)]
    for _ in range(2):
        assert sorted(row for share in shares for row in rows_of(share)) == list(range(ROWS))


def test_shuffled_rows_too() -> None:
    """As long as all processes draw the same order."""
    rows = []
    for rank in range(2):
        torch.manual_seed(5)
        loader: DataLoader[Any] = DataLoader(Loaded(), batch_size=4, shuffle=True)
        rows += rows_of(own_share(loader, rank, 2))
    assert sorted(rows) == list(range(ROWS))


def test_others_rows_are_not_loaded() -> None:
    """Where they are known before they are loaded."""
    data = Loaded()
    share = own_share(DataLoader(data, batch_size=4), 1, 2)
    assert rows_of(share) == data.asked == [4, 5, 6, 7, 12, 13, 14, 15, 20]


def test_a_sampler_that_splits_them_already() -> None:
    """Its share is not shared out once more."""
    data = TensorDataset(torch.arange(8))
    loader: DataLoader[tuple[Tensor, ...]] = DataLoader(
        data, sampler=DistributedSampler(data, 2, 1, shuffle=False)
    )
    assert own_share(loader, 1, 2) is loader
    assert why_not_shared(loader, 2) is None


def test_training_data_that_nobody_splits() -> None:
    """It is said, with the mend, where it is sure enough."""
    loader: DataLoader[Any] = DataLoader(Loaded(), batch_size=4, shuffle=True)

    said = why_not_shared(loader, 2) or ""
    assert said.startswith("each of the 2 processes goes through all the training data, 2 times")
    assert "DistributedSampler(dataset, job.processes, job.rank)" in said
    assert why_not_shared(loader, 1) is None
    assert why_not_shared(DataLoader(Stream()), 2) is None
    assert why_not_shared([], 2) is None
