"""AWS's loader: batches of any type, transforms, losses of any class, and what it says."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit import SiftBatchError, SiftConfig, SiftLossError
from sift_toolkit.smart_sifting import (
    LossImplementationNotProvidedException,
    UnsupportedDataFormatException,
)
from sift_toolkit.smart_sifting.data_model.data_model_interface import SiftingBatchTransform
from sift_toolkit.smart_sifting.data_model.list_batch import ListBatch
from sift_toolkit.smart_sifting.data_model.tensor_batch import TensorBatch
from sift_toolkit.smart_sifting.dataloader.sift_dataloader import SiftingDataloader
from sift_toolkit.smart_sifting.loss.abstract_sift_loss_module import Loss

ROWS, BATCH = 40, 8
CONFIG = {
    "beta_value": 1,
    "loss_history_length": 100,
    "loss_based_sift_config": {"sift_config": {"sift_delay": 0}},
}


def features() -> Tensor:
    """Return rows that tell their number in place 0."""
    return torch.cat([torch.arange(ROWS)[:, None], torch.zeros(ROWS, 3)], dim=1)


def dict_loader() -> DataLoader[Any]:
    """Return batches of features, a mask and labels."""
    rows = [
        {"features": each, "mask": torch.ones(4), "labels": torch.tensor(number)}
        for number, each in enumerate(features())
    ]
    return DataLoader(rows, batch_size=BATCH)  # type: ignore[arg-type] # a list is a dataset


def numbers_of(batches: Any, key: Any = "labels") -> list[int]:
    """Return the numbers of all rows that came."""
    return [int(number) for batch in batches for number in batch[key]]


class NumberLoss(Loss):
    """The loss of a row is its number; remembers what it saw."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def loss(self, model: Any, transformed_batch: Any, original_batch: Any = None) -> Tensor:
        """Return the numbers."""
        self.seen.append((transformed_batch, original_batch))
        labels = transformed_batch.labels
        if labels is None:
            labels = original_batch["labels"]
        return torch.as_tensor([float(label) for label in labels])


class Lists(SiftingBatchTransform):
    """Single tensors in lists; the mask is dropped."""

    def transform(self, batch: Any) -> ListBatch:
        return ListBatch(list(batch["features"]), list(batch["labels"]))

    def reverse_transform(self, sifting_batch: ListBatch) -> Any:
        assert sifting_batch.labels is not None
        return {
            "features": torch.stack(sifting_batch.inputs),
            "labels": torch.stack(sifting_batch.labels),
        }


class NestedLists(SiftingBatchTransform):
    """Lists of lists of numbers."""

    def transform(self, batch: Any) -> ListBatch:
        return ListBatch(batch["features"].tolist(), batch["labels"].tolist())

    def reverse_transform(self, sifting_batch: ListBatch) -> Any:
        return {
            "features": torch.tensor(sifting_batch.inputs),
            "labels": torch.tensor(sifting_batch.labels),
        }


class Tensors(SiftingBatchTransform):
    """Whole tensors."""

    def transform(self, batch: Any) -> TensorBatch:
        return TensorBatch(batch["features"], batch["labels"])

    def reverse_transform(self, sifting_batch: TensorBatch) -> Any:
        return {"features": sifting_batch.inputs, "labels": sifting_batch.labels}


class WithoutLabels(SiftingBatchTransform):
    """Inputs alone."""

    def transform(self, batch: Any) -> TensorBatch:
        return TensorBatch(batch["features"])

    def reverse_transform(self, sifting_batch: TensorBatch) -> Any:
        return {"features": sifting_batch.inputs, "labels": sifting_batch.inputs[:, 0]}


class ListsWithoutLabels(SiftingBatchTransform):
    """Inputs alone, in a list."""

    def transform(self, batch: Any) -> ListBatch:
        return ListBatch(list(batch["features"]))

    def reverse_transform(self, sifting_batch: ListBatch) -> Any:
        inputs = torch.stack(sifting_batch.inputs)
        return {"features": inputs, "labels": inputs[:, 0]}


TRANSFORMS = [Lists, NestedLists, Tensors, WithoutLabels, ListsWithoutLabels]


def loader_with(**others: Any) -> SiftingDataloader:
    """Return a sifted loader; keyword arguments take the place of some."""
    arguments: dict[str, Any] = {
        "sift_config": CONFIG,
        "orig_dataloader": dict_loader(),
        "loss_impl": NumberLoss(),
        "model": nn.Linear(4, 1),
    }
    return SiftingDataloader(**{**arguments, **others})


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_rows_come_back_in_the_users_form(transform: type[SiftingBatchTransform]) -> None:
    """Full batches of half the rows, each with its own features."""
    loader = loader_with(batch_transforms=transform())
    assert len(loader) == 3
    batches = list(loader)
    assert [len(batch["labels"]) for batch in batches] == [8, 8, 4]
    for batch in batches:
        assert set(batch) == {"features", "labels"}
        assert batch["features"][:, 0].tolist() == [float(label) for label in batch["labels"]]
    numbers = numbers_of(batches)
    assert len(set(numbers)) == 20


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_loss_is_told_both_batches(transform: type[SiftingBatchTransform]) -> None:
    """What the transform made of the batch, whole, and the batch, with what was left out."""
    loss = NumberLoss()
    list(loader_with(batch_transforms=transform(), loss_impl=loss))
    assert len(loss.seen) == 5
    for place, (transformed, original) in enumerate(loss.seen):
        assert isinstance(transformed, ListBatch | TensorBatch)
        assert len(transformed.inputs) == BATCH
        assert set(original) == {"features", "mask", "labels"}
        assert original["labels"].tolist() == list(range(place * BATCH, (place + 1) * BATCH))


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_it_goes_on_from_a_checkpoint(transform: type[SiftingBatchTransform]) -> None:
    """In the middle of an epoch, with rows waiting, through a file read without running code."""

    def go_on(rest: int | None) -> list[int]:
        loader = loader_with(batch_transforms=transform())
        iterator: Iterator[Any] = iter(loader)
        taken = [next(iterator)]
        if rest is None:
            return numbers_of([*taken, *iterator])
        file = io.BytesIO()
        torch.save(loader.state_dict(), file)
        file.seek(0)
        again = loader_with(batch_transforms=transform())
        again.load_state_dict(torch.load(file, weights_only=True))
        return numbers_of([*taken, *again])

    assert go_on(1) == go_on(None)


def test_several_transforms_are_undone_in_turn() -> None:
    """The last one first."""

    class Unpacked(SiftingBatchTransform):
        def transform(self, batch: Any) -> Any:
            return {"features": batch[0], "labels": batch[1]}

        def reverse_transform(self, sifting_batch: Any) -> Any:
            return [sifting_batch["features"], sifting_batch["labels"]]

    inner = DataLoader(TensorDataset(features(), torch.arange(ROWS)), batch_size=BATCH)
    loader = loader_with(orig_dataloader=inner, batch_transforms=[Unpacked(), Tensors()])
    assert all(isinstance(batch, list) for batch in loader)


def test_batches_before_the_delay_is_over_are_the_users_own() -> None:
    """Nothing is taken apart, and nothing left out, as long as nothing is sifted."""
    delayed = {**CONFIG, "loss_based_sift_config": {"sift_config": {"sift_delay": 2}}}
    batches = list(loader_with(sift_config=delayed, batch_transforms=Lists()))
    assert ["mask" in batch for batch in batches] == [True, True, False, False]


def test_without_a_transform_the_loss_sees_the_batch_twice() -> None:
    """As the default formats have it; of any class with such a method."""
    seen = []

    class Plain:
        def loss(self, model: Any, transformed_batch: Any, original_batch: Any = None) -> Tensor:
            seen.append(transformed_batch is original_batch)
            return transformed_batch["labels"].float()  # type: ignore[no-any-return] # a tensor

    numbers = numbers_of(loader_with(loss_impl=Plain()))
    assert len(numbers) == 20
    assert seen == [True] * 5


def test_what_is_scored_is_where_the_model_is() -> None:
    """The parts of a transformed batch are moved as a plain one is."""
    devices = []

    class Looks(Loss):
        def loss(self, model: Any, transformed_batch: Any, original_batch: Any = None) -> Tensor:
            devices.append(transformed_batch.inputs.device.type)
            return torch.zeros(BATCH, device="meta")

    loader = loader_with(batch_transforms=Tensors(), loss_impl=Looks())
    # Moved after the loader was made, as public samples do it.
    loader._run._model.to("meta")
    with pytest.raises((SiftLossError, NotImplementedError)):
        next(iter(loader))
    assert devices == ["meta"]


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (None, "no loss"),
        (Loss(), r"does not override Loss\.loss"),
        (object(), r"an object with a method loss\("),
        (NumberLoss, r"give NumberLoss\(\)"),
    ],
)
def test_no_loss_is_said_at_once(loss: Any, words: str) -> None:
    """By AWS's exception, which is also ours."""
    with pytest.raises(LossImplementationNotProvidedException, match=words) as caught:
        loader_with(loss_impl=loss)
    assert isinstance(caught.value, SiftLossError)


class _Opaque:
    """A batch nobody can look into."""


def returning(made: Any) -> SiftingBatchTransform:
    """Return a transform that returns *made*."""

    class Broken(SiftingBatchTransform):
        def transform(self, batch: Any) -> Any:
            return made

        def reverse_transform(self, sifting_batch: Any) -> Any:
            return sifting_batch

    return Broken()


UNSUPPORTED: dict[str, tuple[dict[str, Any], str]] = {
    "a type of the user's own": ({"orig_dataloader": [_Opaque()]}, "batch_transforms="),
    "no such object": ({"batch_transforms": 5}, "batch_transforms must be"),
    "a class": ({"batch_transforms": Lists}, "batch_transforms must be"),
    "a dict": ({"batch_transforms": returning({})}, "must return a ListBatch or a TensorBatch"),
    "mixed": (
        {"batch_transforms": returning(ListBatch([1], torch.ones(1)))},  # type: ignore[arg-type] # the mistake
        "both lists or both tensors",
    ),
    "of two lengths": (
        {"batch_transforms": returning(ListBatch([1], [1, 2]))},
        "1 inputs and 2 labels",
    ),
    "one number": (
        {"batch_transforms": returning(TensorBatch(torch.tensor(1.0)))},
        "both lists or both tensors",
    ),
}


@pytest.mark.parametrize("case", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_unsupported_formats_are_named(case: tuple[dict[str, Any], str]) -> None:
    """By AWS's exception, which is also ours and a TypeError."""
    arguments, words = case
    with pytest.raises(UnsupportedDataFormatException) as caught:
        list(loader_with(**arguments))
    assert words in str(caught.value)
    assert isinstance(caught.value, SiftBatchError)


def test_an_empty_batch_is_survived() -> None:
    """One that a collate function left nothing of."""
    batch = next(iter(dict_loader()))
    empty = {key: tensor[:0] for key, tensor in batch.items()}
    for transform in (Tensors(), Lists()):
        assert (
            len(numbers_of(loader_with(orig_dataloader=[empty, batch], batch_transforms=transform)))
            == 4
        )


@pytest.mark.parametrize("logs", [False, True])
def test_data_is_in_the_log_only_where_it_was_asked_for(
    logs: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """And then the log warns of it; that of a script which configures none has it too."""
    caplog.set_level(logging.WARNING)
    list(loader_with(log_batch_data=logs, batch_transforms=Lists()))
    assert ("the content of your training data" in caplog.text) is logs
    assert ("scored: {'features'" in caplog.text) is logs
    assert ("given out: {'features'" in caplog.text) is logs
    assert ("tensor([" in caplog.text) is logs


def test_our_own_config_may_be_given_too() -> None:
    """With all its dials; scores are fresh unless it says otherwise."""
    loader = loader_with(sift_config=SiftConfig(keep=0.25, selection="bernoulli"))
    assert loader.scores == "fresh"


def test_positions_are_aws_own() -> None:
    """Config, loader, transforms, loss, model, in that order."""
    loader = SiftingDataloader(CONFIG, dict_loader(), Lists(), NumberLoss(), nn.Linear(4, 1))
    assert len(list(loader)) == 3


def test_the_model_is_needed() -> None:
    """A TypeError, as of any argument left out."""
    with pytest.raises(TypeError, match="needs the model"):
        loader_with(model=None)
