"""Tests of devices: each runs on the CPU, and once more on a CUDA device where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import pytest
import torch
from torch import Generator, Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting import SiftingDataloader

WHY_NOT: Final = "there is no CUDA device here: torch.cuda.is_available() is False"

LONG: Final = 50_000_000
"""Clock cycles: a wait of some hundredths of a second on any device."""


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Skip what needs a device where there is none, and say so."""
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason=WHY_NOT))


@pytest.fixture(params=["cpu", pytest.param("cuda:0", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Return the device that the test is about."""
    return torch.device(request.param)


class Task:
    """A small task on a device: rows that know their number, a perceptron, a loss per sample."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 3))
        self.model: nn.Module = model.to(device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.2)

    @property
    def is_cuda(self) -> bool:
        """Whether work is done behind the host's back."""
        return self.device.type == "cuda"

    @staticmethod
    def rows(count: int) -> TensorDataset:
        """Return rows (features, label, number)."""
        numbers = torch.arange(count)
        features = torch.sin(numbers[:, None] * torch.tensor([0.3, 0.7, 1.1, 1.9]))
        return TensorDataset(features, numbers % 3, numbers)

    def loader(self, count: int = 44, **arguments: Any) -> DataLoader[Any]:
        """Return a shuffled loader of *count* rows, in batches of 8."""
        generator = Generator().manual_seed(3)
        settings = {"batch_size": 8, "shuffle": True, "generator": generator, **arguments}
        return DataLoader(self.rows(count), **settings)

    def sifted(self, inner: Any = None, *, loss: Any = None, **config: Any) -> SiftingDataloader:
        """Return a sifted loader, by default with half of the rows kept."""
        return SiftingDataloader(
            sift_config=SiftConfig(**{"keep": 0.5, **config}),
            orig_dataloader=self.loader() if inner is None else inner,
            loss_impl=loss or self.loss,
            model=self.model,
            epochs=2,
            on_note=lambda _: None,
        )

    @staticmethod
    def loss(model: nn.Module, batch: Any) -> Tensor:
        """Return one loss a sample."""
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")

    def moved(self, batch: Any) -> list[Tensor]:
        """Return a batch on the device, as a training loop moves it."""
        return [each.to(self.device, non_blocking=True) for each in batch]

    def epoch(self, loader: SiftingDataloader) -> list[list[int]]:
        """Train on an epoch; return the numbers of the rows of each batch."""
        numbers = []
        for batch in loader:
            self.optimizer.zero_grad()
            loader.reduce(self.loss(self.model, self.moved(batch)), batch).backward()
            self.optimizer.step()
            numbers.append(batch[2].tolist())
        return numbers

    def weights(self) -> Tensor:
        """Return all parameters in one row, on the CPU."""
        return torch.cat([each.detach().cpu().flatten() for each in self.model.parameters()])

    def keep_busy(self) -> None:
        """Give the device's current stream something long to do; returns at once."""
        if self.is_cuda:
            torch.cuda._sleep(LONG)

    def wait(self) -> None:
        """Wait until the device has done all that it was given."""
        if self.is_cuda:
            torch.cuda.synchronize(self.device)

    def other_stream(self) -> AbstractContextManager[Any]:
        """Return a block whose work goes to a stream that waits for no other one."""
        if not self.is_cuda:
            return nullcontext()
        return torch.cuda.stream(torch.cuda.Stream(self.device))


@pytest.fixture
def task(device: torch.device) -> Task:
    """Return a small task on the device, untrained."""
    return Task(device)


@pytest.fixture
def make_task() -> type[Task]:
    """Return what makes small tasks, all alike."""
    return Task
