"""Pinned memory with fresh scores: chosen rows are copies, and come pinned if what came was."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from sift_toolkit.sifting._pinning import is_pinned, pinned


class Rows(Tensor):
    """A tensor that knows whether it was pinned; here no memory is, for want of a device.

    What is computed from it is in ordinary memory, as with real tensors.
    """

    was_pinned = False

    def is_pinned(self, device: Any = None) -> bool:
        """Return whether it came out of `pin_memory`."""
        return self.was_pinned

    def pin_memory(self, device: Any = None) -> Rows:
        """Return itself if it is pinned, else a copy that is."""
        if self.was_pinned:
            return self
        copy = self.clone().as_subclass(Rows)
        copy.was_pinned = True
        return copy

    def __deepcopy__(self, memo: Any) -> Rows:
        return self.clone().as_subclass(Rows)


def batches_of(sizes: tuple[int, ...], *, pin: bool) -> list[Any]:
    """Return batches of rows (features, label, number, words), pinned as DataLoader does it."""
    batches = []
    for numbers in torch.arange(sum(sizes)).split(sizes):
        features = torch.sin(numbers[:, None] * torch.tensor([0.3, 0.7, 1.1, 1.9]))
        tensors = [each.as_subclass(Rows) for each in (features, numbers % 3, numbers)]
        words = [f"row {number}" for number in numbers.tolist()]
        batches.append([*(each.pin_memory() if pin else each for each in tensors), words])
    return batches


def plain_loss(model: Any, batch: Any) -> Tensor:
    """Return one loss a sample, of a tensor of no special kind."""
    outputs = model(batch[0].as_subclass(Tensor))
    return torch.nn.functional.cross_entropy(
        outputs, batch[1].as_subclass(Tensor), reduction="none"
    )


def whether_pinned(loader: Any) -> list[list[bool]]:
    """Return of each batch of an epoch which of its tensors are pinned."""
    return [[each.is_pinned() for each in batch[:3]] for batch in loader]


SIZES = (8, 8, 8, 8, 6)


class TestRefinedBatches:
    """What the training loop gets."""

    @pytest.mark.parametrize("pin", [True, False])
    def test_they_are_where_the_loaders_were(self, toy: Any, pin: bool) -> None:
        """Whole batches and the leftover are pinned if the loader's are, and only then."""
        loader = toy.sifted(batches_of(SIZES, pin=pin), scores="fresh", loss=plain_loss)
        assert whether_pinned(loader) == [[pin] * 3] * 3
        assert [len(batch[2]) for batch in loader] == [8, 8, 3]

    def test_the_rows_are_the_same(self, toy: Any, make_toy: Any) -> None:
        """Pinning copies rows, and changes none."""
        ways = [
            [(batch[2].tolist(), batch[3]) for batch in loader]
            for pin in (True, False)
            for loader in [
                make_toy().sifted(batches_of(SIZES, pin=pin), scores="fresh", loss=plain_loss)
            ]
        ]
        assert ways[0] == ways[1]

    def test_rows_of_a_checkpoint_are_pinned_again(self, toy: Any) -> None:
        """Rows that waited in a saved state leave in pinned memory."""

        def sifted() -> Any:
            inner = batches_of(SIZES, pin=True)
            return toy.sifted(inner, scores="fresh", loss=plain_loss, leftover="carry")

        loader = sifted()
        list(loader)
        resumed = sifted()
        resumed.load_state_dict(loader.state_dict())
        assert whether_pinned(resumed) == [[True] * 3] * 2

    def test_it_is_asked_of_each_batch(self, toy: Any) -> None:
        """A loader that ceases to pin gets no pinned batches either."""
        inner = [*batches_of((8, 8), pin=True), *batches_of((8, 8), pin=False)]
        loader = toy.sifted(inner, scores="fresh", loss=plain_loss)
        assert whether_pinned(loader) == [[True] * 3, [False] * 3]


class TestBatches:
    """The two functions."""

    def test_one_pinned_tensor_tells(self) -> None:
        """A batch is pinned if one of its tensors is, wherever it stands."""
        plain = torch.ones(2).as_subclass(Rows)
        assert is_pinned({"words": ["a", "b"], "x": [plain, {"y": plain.pin_memory()}]})
        assert not is_pinned({"words": ["a", "b"], "x": [plain, {"y": plain}]})
        assert not is_pinned("words")

    def test_only_what_is_on_the_cpu_is_pinned(self) -> None:
        """Tensors of a device, words and numbers are left alone; what is pinned is not copied."""
        there = torch.ones(2, device="meta")
        here = torch.ones(2).as_subclass(Rows).pin_memory()
        batch = pinned({"there": there, "here": here, "words": ["a", "b"], "number": 3})
        assert batch["there"] is there
        assert batch["here"] is here
        assert (batch["words"], batch["number"]) == (["a", "b"], 3)
