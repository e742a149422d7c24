"""Losses on their way into the memory: a few steps' at once."""

from __future__ import annotations

import torch

from sift_toolkit.sifting._lessons import Lessons
from sift_toolkit.sifting._memory_store import SampleMemory
from sift_toolkit.sifting._meter import Meter


def test_all_that_was_collected_is_taken_at_once() -> None:
    """Each loss and value goes to its own sample, whatever type of number the ids are."""
    memory = SampleMemory(8, with_values=True)
    lessons = Lessons(memory, Meter(), raises=False)
    for step, ids in enumerate(torch.arange(8, dtype=torch.int32).split(4)):
        lessons.add(ids, torch.full((4,), step + 1.0), torch.full((4,), step + 3.0))
    assert not lessons.any_taken
    assert lessons.any_given
    lessons.take()
    assert memory.all_losses.tolist() == [1.0] * 4 + [2.0] * 4
    assert memory.all_values.tolist() == [3.0] * 4 + [4.0] * 4
