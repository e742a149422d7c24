"""Batches that are lists: by sample or by feature, as the batch size tells, as at AWS."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from sift_toolkit.smart_sifting import UnsupportedDataFormatException
from sift_toolkit.smart_sifting.dataloader.sift_dataloader import SiftingDataloader

ROWS, BATCH = 36, 8
CONFIG = {
    "beta_value": 1,
    "loss_history_length": 100,
    "loss_based_sift_config": {"sift_config": {"sift_delay": 0}},
}


class BySample:
    """The loss of a sample is its first number."""

    def loss(self, model: Any, transformed_batch: Any, original_batch: Any = None) -> Tensor:
        """Return the numbers."""
        return torch.tensor([number_of(each) for each in transformed_batch])


class ByFeature:
    """The same, of features that each hold all samples."""

    def loss(self, model: Any, transformed_batch: Any, original_batch: Any = None) -> Tensor:
        """Return the numbers."""
        assert isinstance(transformed_batch, list)
        return torch.as_tensor(transformed_batch[0]).float()


def number_of(sample: Any) -> float:
    """Return the first number of a sample, however deep."""
    while isinstance(sample, list | tuple | dict):
        sample = next(iter(sample.values())) if isinstance(sample, dict) else sample[0]
    return float(sample.flatten()[0]) if isinstance(sample, Tensor) else float(sample)


def loader_of(rows: list[Any], collate: Any, loss: Any, **others: Any) -> SiftingDataloader:
    """Return a sifted loader of rows that are collated so."""
    inner = DataLoader(rows, batch_size=others.pop("batch_size", BATCH), collate_fn=collate)  # type: ignore[arg-type] # a list is a dataset
    return SiftingDataloader(
        sift_config=CONFIG,
        orig_dataloader=inner,
        loss_impl=loss,
        model=nn.Linear(1, 1),
        **others,
    )


def tensor_of(number: int, width: int) -> Tensor:
    """Return a row whose numbers tell which it is."""
    return torch.full((width,), float(number))


SAMPLES: dict[str, Any] = {
    "tensors": lambda number: tensor_of(number, 3),
    "pairs": lambda number: (tensor_of(number, 3), torch.tensor(number)),
    "dicts": lambda number: {"x": tensor_of(number, 3), "y": number},
    "tensors of different lengths": lambda number: tensor_of(number, 3 + number % 8),
    "lists of numbers": lambda number: [number, number, number],
}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_a_list_of_samples_is_taken_for_one(sample: Any) -> None:
    """Half of the samples come, each whole, the short batch at the end included."""
    loader = loader_of([sample(number) for number in range(ROWS)], list, BySample())
    batches = list(loader)
    assert [len(batch) for batch in batches] == [8, 8, 2]
    assert len({number_of(each) for batch in batches for each in batch}) == ROWS // 2
    for batch in batches:
        for each in batch:
            assert str(each) == str(sample(int(number_of(each))))


def feature_lists(rows: list[Any]) -> list[Any]:
    """Return two lists with one entry a row."""
    return [[row[0] for row in rows], [row[1] for row in rows]]


def feature_tensors(rows: list[Any]) -> list[Any]:
    """Return two tensors with one row a row, as PyTorch's own collate does."""
    return [torch.tensor(feature) for feature in feature_lists(rows)]


@pytest.mark.parametrize("collate", [feature_lists, feature_tensors])
@pytest.mark.parametrize("index", [None, 1])
def test_a_list_of_features_is_taken_for_one(collate: Any, index: int | None) -> None:
    """Lists of numbers too; found by the batch size, or told by `batch_format_index`."""
    rows = [[number, -number] for number in range(ROWS)]
    loader = loader_of(rows, collate, ByFeature(), batch_format_index=index)
    batches = list(loader)
    assert all(type(batch) is list and len(batch) == 2 for batch in batches)
    assert [len(batch[0]) for batch in batches] == [8, 8, 2]
    for first, second in batches:
        assert [float(each) for each in first] == [-float(each) for each in second]


def test_what_may_be_both_is_refused() -> None:
    """Rather than trained on columns that are taken for samples."""
    rows = [tensor_of(number, BATCH) for number in range(ROWS)]
    with pytest.raises(UnsupportedDataFormatException, match="set batch_format_index=0") as caught:
        list(loader_of(rows, list, BySample()))
    assert "dimension 0 and dimension 1" in str(caught.value)


@pytest.mark.parametrize("index", [0, 1])
def test_the_index_says_which(index: int) -> None:
    """By sample the rows stay whole, by feature the columns do."""
    loss = BySample() if index == 0 else ByFeature()
    rows = [tensor_of(number, BATCH) for number in range(BATCH)]
    (batch,) = loader_of(rows, list, loss, batch_format_index=index)
    if index == 0:
        assert len(batch) == 4
        assert all(len(set(row.tolist())) == 1 for row in batch)
    else:
        assert [row.tolist() for row in batch] == [[float(each)] * 4 for each in range(BATCH)]


@pytest.mark.parametrize("steps", [1, 2])
def test_it_goes_on_from_a_checkpoint(steps: int) -> None:
    """Even if the first batch to come is the short one, which alone must tell."""
    rows = [(tensor_of(number, 3), torch.tensor(number)) for number in range(ROWS)]
    whole = [number_of(each) for batch in loader_of(rows, list, BySample()) for each in batch]
    loader = loader_of(rows, list, BySample())
    taken = list(itertools.islice(loader, steps))
    again = loader_of(rows, list, BySample())
    again.load_state_dict(loader.state_dict())
    assert [number_of(each) for batch in [*taken, *again] for each in batch] == whole
