"""torch.compile with the backend of the device: no graph is made per batch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo import config as dynamo_config
from torch._dynamo.testing import CompileCounterWithBackend

# The compiler has something to say about nearly every machine.
pytestmark = pytest.mark.filterwarnings("ignore")


class Net(nn.Module):
    """A perceptron with dropout and batch normalisation, in a class of its own."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(2)
            self.first = nn.Linear(4, 8)
            self.norm = nn.BatchNorm1d(8)
            self.dropout = nn.Dropout(0.2)
            self.last = nn.Linear(8, 3)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits, shape (batch, 3)."""
        logits: Tensor = self.last(self.dropout(self.norm(self.first(features)).relu()))
        return logits


@pytest.fixture(autouse=True)
def compiler() -> Iterator[None]:
    """Begin and end with nothing compiled; too many graphs are an error."""
    torch._dynamo.reset()
    with dynamo_config.patch(fail_on_recompile_limit_hit=True):
        yield
    torch._dynamo.reset()


@pytest.mark.parametrize(("scores", "graphs"), [("fresh", 4), ("memory", 2)])
def test_nothing_is_compiled_per_batch(task: Any, scores: str, graphs: int) -> None:
    """Two graphs to train, for full batches and for others, and with fresh scores two to score."""
    # A CPU's own compiler would need one for C++.
    counter = CompileCounterWithBackend("inductor" if task.is_cuda else "eager")
    task.model = torch.compile(Net().to(task.device), backend=counter)
    task.optimizer = torch.optim.SGD(task.model.parameters(), 0.2)
    loader = task.sifted(scores=scores)
    counts = []
    for _ in range(3):
        task.epoch(loader)
        counts.append(counter.frame_count)
    assert counts[1:] == [graphs, graphs]


@pytest.mark.gpu
@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_graphs_of_the_device_may_be_replayed(make_task: Any, scores: str) -> None:
    """With mode="reduce-overhead", whose outputs the next call overwrites, the rows are the same.

    Dropout is off: the compiler draws other random numbers.
    """
    rows = []
    for mode in (None, "reduce-overhead"):
        task = make_task(torch.device("cuda:0"))
        net = Net().to(task.device)
        net.dropout.p = 0.0
        task.model = net if mode is None else torch.compile(net, mode=mode)
        task.optimizer = torch.optim.SGD(net.parameters(), 0.05)
        # Coins, for which each row is chosen by itself.
        loader = task.sifted(task.loader(400), scores=scores, selection="bernoulli")
        _, sifted = (task.epoch(loader) for _ in range(2))
        rows.append(set(itertools.chain.from_iterable(sifted)))
    plain, compiled = rows
    assert len(plain & compiled) >= 0.9 * len(plain)
