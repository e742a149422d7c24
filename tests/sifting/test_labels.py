"""Labels: whole numbers, one a sample, by id or by batch; what cannot be used is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import Tensor

from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting._labels import batch_labels, check_labels, numbered


def of_batch(batch: Any) -> Tensor:
    """Return the labels of a batch of (features, label, number)."""
    labels: Tensor = batch[1]
    return labels


def test_classes_are_numbered_in_the_order_of_their_labels() -> None:
    """Any whole numbers are labels, negative and far apart."""
    labels = numbered(torch.tensor([10**12, -3, 5, -3, 5]))
    assert labels.values.tolist() == [-3, 5, 10**12]
    assert labels.numbers.tolist() == [2, 0, 1, 0, 1]
    some = labels.of(torch.tensor([3, 4]))
    assert some.values[some.numbers.long()].tolist() == [-3, 5]


@pytest.mark.parametrize("kind", [torch.bool, torch.uint8, torch.int16, torch.int32, torch.int64])
def test_whole_numbers_of_any_kind(toy: Any, kind: torch.dtype) -> None:
    """A flag is a whole number too."""
    labels = (torch.arange(40) % 2).to(kind)
    check_labels(labels, toy.loader(40))
    assert numbered(labels).numbers.tolist() == labels.tolist()


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (torch.full((40,), 0.5), "got a tensor of torch.float32 of shape (40,)"),
        (torch.zeros(40, dtype=torch.complex64), "got a tensor of torch.complex64"),
        (torch.zeros((40, 1), dtype=torch.int64), "of shape (40, 1)"),
        (torch.tensor(3), "of shape ()"),
        ([0, 1] * 20, "got an object of list"),
        ("labels", "got an object of str"),
    ],
    ids=["fractions", "complex", "a column", "one", "a list", "text"],
)
def test_what_are_no_labels(toy: Any, labels: Any, words: str) -> None:
    """What came is named by its form, never by its content."""
    with pytest.raises(SiftUsageError, match=re.escape(words)):
        toy.sifted(toy.loader(40), labels=labels)


def test_labels_are_one_for_each_sample(toy: Any) -> None:
    """Of the dataset, whatever the sampler gives of it; and where that has a length."""
    labels = torch.zeros(39, dtype=torch.int64)
    with pytest.raises(SiftUsageError, match="it has 40, and there are 39 labels"):
        check_labels(labels, toy.loader(40, sampler=range(39)))
    check_labels(labels, toy.loader(39, sampler=[0, 1, 2]))
    check_labels(labels, [torch.zeros(8)])


@pytest.mark.parametrize("arguments", [{"enabled": False}, {"keep": 1.0}, {}])
def test_the_form_is_checked_whatever_is_sifted(toy: Any, arguments: dict[str, Any]) -> None:
    """A script that its plain twin accepts is accepted sifted."""
    with pytest.raises(SiftUsageError, match="labels must be a tensor of whole numbers"):
        toy.sifted(labels=torch.rand(40), **arguments)


class TestBatches:
    """What the user's function returns."""

    def test_it_is_given_the_batch(self, toy: Any) -> None:
        """And its labels are those of the rows."""
        batch = next(iter(toy.loader(40)))
        labels = batch_labels(of_batch, batch, 8)
        assert labels.values[labels.numbers.long()].tolist() == batch[1].tolist()

    def test_labels_with_a_gradient_of_something_else(self) -> None:
        """Labels may come out of a graph, or of another device."""
        batch = torch.tensor([1.5, 2.5], requires_grad=True)
        assert batch_labels(lambda rows: rows.long(), batch, 2).values.tolist() == [1, 2]

    @pytest.mark.parametrize(
        ("returned", "words"),
        [
            (torch.zeros(8), "got a tensor of torch.float32 of shape (8,)"),
            (torch.zeros(7, dtype=torch.int64), "of shape (7,)"),
            (torch.zeros((8, 1), dtype=torch.int64), "of shape (8, 1)"),
            ([0] * 8, "got an object of list"),
            (None, "got an object of NoneType"),
        ],
        ids=str,
    )
    def test_anything_else_is_refused(self, toy: Any, returned: Any, words: str) -> None:
        """In the words of the function it came from."""
        loader = toy.sifted(scores="fresh", labels=lambda _: returned)
        wanted = "labels(batch) must return a tensor of whole numbers of shape (8,)"
        with pytest.raises(SiftUsageError, match=f"{re.escape(wanted)}.*{re.escape(words)}"):
            next(iter(loader))


class TestEngines:
    """Which engine can use which labels."""

    def test_by_id_they_need_a_memory(self, toy: Any) -> None:
        """With scores="fresh" a tensor is refused, whatever the loader."""
        with pytest.raises(SiftUsageError, match=r"fresh because the config asks for it\): give"):
            toy.sifted(scores="fresh", labels=torch.arange(40))

    def test_as_a_function_they_need_loaded_batches(self, toy: Any) -> None:
        """With scores="memory" a function is refused."""
        with pytest.raises(SiftUsageError, match='function of a batch cannot be had with scores="'):
            toy.sifted(scores="memory", labels=of_batch)

    def test_a_function_makes_auto_fresh_and_it_is_said(self, toy: Any) -> None:
        """A memory would be had here, but for them."""
        notes: list[str] = []
        loader = toy.sifted(labels=of_batch, on_note=notes.append)
        assert loader.scores == "fresh"
        assert notes == [
            "scores: fresh, because labels are a function of a batch, which must be loaded first"
        ]

    def test_a_tensor_lets_auto_take_the_memory(self, toy: Any) -> None:
        """As it would anyway."""
        assert toy.sifted(labels=torch.arange(40) % 3).scores == "memory"

    @pytest.mark.parametrize(
        ("iterable", "epochs", "words"),
        [
            (True, 3, "because a list does not tell which samples it loads"),
            (False, 1, "because in one epoch no sample is seen twice"),
        ],
    )
    def test_a_tensor_is_refused_where_auto_falls_to_fresh(
        self, toy: Any, iterable: bool, epochs: int, words: str
    ) -> None:
        """With the reason why."""
        inner = list(toy.loader(40)) if iterable else toy.loader(40)
        with pytest.raises(SiftUsageError, match=words):
            toy.sifted(inner, epochs=epochs, labels=torch.arange(40))

    def test_auto_that_turns_to_fresh_goes_on_without_classes_and_says_so(self, toy: Any) -> None:
        """Where reduce() is never called, in mid-run."""
        notes: list[str] = []
        loader = toy.sifted(labels=torch.arange(40) % 3, on_note=notes.append)
        assert [len(list(loader)) for _ in range(2)] == [5, 3]
        assert loader.scores == "fresh"
        said = [note for note in notes if note.startswith("labels are not used from here on")]
        assert len(said) == 1
        other = toy.sifted(labels=torch.arange(40) % 3)
        other.load_state_dict(loader.state_dict())
        assert other.scores == "fresh"

    @pytest.mark.parametrize("labels", [torch.arange(40) % 3, lambda _: 1 / 0])
    @pytest.mark.parametrize("arguments", [{"enabled": False}, {"keep": 1.0}])
    def test_the_plain_twin_takes_either_and_asks_none(
        self, toy: Any, labels: Any, arguments: dict[str, Any]
    ) -> None:
        """One script serves both: where nothing is sifted, labels are not looked at."""
        notes: list[str] = []
        told: list[Any] = []
        loader = toy.sifted(labels=labels, on_note=notes.append, listener=told.append, **arguments)
        assert len(list(loader)) == 5
        assert notes == ["scores: fresh, because nothing is sifted and so nothing is scored"]
        assert told[-1].classes is None
