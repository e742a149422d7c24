"""Pinned memory: what the user's loader pins comes out pinned, whole batches and refined ones."""

from __future__ import annotations

from typing import Any

import pytest
import torch

SCORES = pytest.mark.parametrize("scores", ["fresh", "memory"])


def are_pinned(batches: Any) -> set[bool]:
    """Return what there is: tensors in pinned memory, or others."""
    return {each.is_pinned() for batch in batches for each in batch}


# Python 3.12 warns of forks beside other threads, which a device always brings.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
@SCORES
@pytest.mark.parametrize("workers", [0, 2])
def test_batches_come_as_the_loaders_do(task: Any, scores: str, workers: int) -> None:
    """Whole epochs and sifted ones, the smaller last batch too, with workers and without.

    On the CPU alone nothing can be pinned, and nothing is.
    """
    inner = task.loader(44, pin_memory=task.is_cuda, num_workers=workers)
    loader = task.sifted(inner, scores=scores)
    for _ in range(2):
        batches = []
        for batch in loader:
            loader.reduce(task.loss(task.model, task.moved(batch)), batch)
            batches.append(batch)
        assert are_pinned(batches) == {task.is_cuda}
    assert [len(batch[2]) for batch in batches] == [8, 8, 6]


@SCORES
def test_nothing_is_pinned_unasked(task: Any, scores: str) -> None:
    """A loader that does not pin gets no pinned batches."""
    loader = task.sifted(task.loader(44), scores=scores)
    assert are_pinned(loader) == {False}


def test_waiting_rows_of_a_checkpoint_are_pinned(task: Any) -> None:
    """Rows that waited in a saved state come out as those of the loader do."""

    def sifted() -> Any:
        inner = task.loader(44, pin_memory=task.is_cuda)
        return task.sifted(inner, scores="fresh", leftover="carry")

    loader = sifted()
    list(loader)
    resumed = sifted()
    resumed.load_state_dict(loader.state_dict())
    assert are_pinned(resumed) == {task.is_cuda}


def test_pinned_rows_arrive_as_they_are(task: Any) -> None:
    """Copies that nobody waits for bring the rows of the loader, though the device is behind."""
    loader = task.sifted(task.loader(44, pin_memory=task.is_cuda), scores="fresh")
    data = task.rows(44)
    arrived = []
    for batch in loader:
        task.keep_busy()
        arrived.append(task.moved(batch))
    for features, labels, numbers in arrived:
        for came, original in zip((features, labels), data[numbers.cpu()], strict=False):
            assert torch.equal(came.cpu(), original)
