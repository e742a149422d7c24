"""What ranks tell each other of samples that several of them had."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from sift_toolkit.sifting._memory_store import SampleMemory
from sift_toolkit.sifting._spread import Spread


class TwoRanks:
    """Gathers what two threads hand over."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2, timeout=30)
        self._told: list[Any] = [None, None]

    def of(self, rank: int) -> Any:
        """Return what one rank gathers by."""

        def gather(packed: Tensor, *, kind: str) -> list[Tensor]:
            self._told[rank] = packed
            self._barrier.wait()
            told = list(self._told)
            self._barrier.wait()
            return told

        return SimpleNamespace(size=2, gather=gather)


@pytest.mark.parametrize("learner", [0, 1])
def test_a_loss_that_came_back_overrules_what_others_only_had(learner: int) -> None:
    """Rows carried over from the epoch before, or that a sampler gave to two ranks."""
    ranks, memories, spreads = TwoRanks(), [], []
    everyone = torch.arange(3)
    for rank in range(2):
        memory = SampleMemory(3)
        memory.learn(everyone, torch.tensor([1.0, 2.0, 3.0]))
        wiring: Any = SimpleNamespace(ranks=ranks.of(rank), shares_samples=True, loader=None)
        spread = Spread(wiring, memory)
        spread.remember(everyone[:2])
        if rank == learner:
            memory.visit(everyone[:2], torch.tensor([0]))
            memory.learn(everyone[:1], torch.tensor([9.0]))
            spread.remember_learnt(everyone[:1])
        else:
            memory.visit(everyone[:2], torch.tensor([1]))
        memories.append(memory)
        spreads.append(spread)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Spread.exchange, spreads))
    for memory in memories:
        assert memory.all_losses.tolist() == [9.0, 2.0, 3.0]
        assert memory.visits_passed_over(everyone[:1], 255).tolist() == [0]
