"""Losses on their way into the memory: they are those of their own step."""

from __future__ import annotations

import torch

from sift_toolkit.sifting._lessons import Lessons
from sift_toolkit.sifting._memory_store import SampleMemory
from sift_toolkit.sifting._meter import Meter


def test_losses_may_be_written_over_before_the_memory_takes_them() -> None:
    """Steps that leave their losses in one place, as replayed CUDA graphs do, are told apart."""
    memory = SampleMemory(8, with_values=True)
    lessons = Lessons(memory, Meter(), raises=False)
    losses, values = torch.empty(4), torch.empty(4)
    for step, ids in enumerate(torch.arange(8).split(4)):
        losses.fill_(step + 1.0)
        values.fill_(step + 3.0)
        lessons.add(ids, losses, values)
    lessons.take()
    assert memory.all_losses.tolist() == [1.0] * 4 + [2.0] * 4
    assert memory.all_values.tolist() == [3.0] * 4 + [4.0] * 4
