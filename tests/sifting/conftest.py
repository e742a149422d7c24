"""What the tests of the sifting core share."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting import SiftingDataloader


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Compute on one thread: tensors here are small, and threads that wait for each other slow."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Unmoved(Protocol):
    """Makes blocks in which no global random state may move."""

    def __call__(self) -> AbstractContextManager[None]:
        """Return such a block."""
        ...


def global_states() -> list[Any]:
    """Return every global random state, as values that compare."""
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002 - the global state is the subject
    return [torch.get_rng_state().tolist(), random.getstate(), kind, keys.tolist(), rest]


@pytest.fixture
def unmoved_rng() -> Unmoved:
    """Return a block that fails if a global random state has moved at its end."""

    @contextmanager
    def block() -> Iterator[None]:
        before = global_states()
        yield
        assert global_states() == before

    return block


class Toy:
    """A small task: rows that know their number, a linear model, a loss per sample."""

    def __init__(self) -> None:
        self.model = torch.nn.Linear(4, 3)
        with torch.no_grad():
            weights = torch.arange(12, dtype=torch.float32).reshape(3, 4)
            self.model.weight.copy_(torch.sin(weights))
            self.model.bias.zero_()
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.2)

    @staticmethod
    def rows(count: int) -> TensorDataset:
        """Return rows (features, label, number)."""
        numbers = torch.arange(count)
        features = torch.sin(numbers[:, None] * torch.tensor([0.3, 0.7, 1.1, 1.9]))
        return TensorDataset(features, numbers % 3, numbers)

    def loader(self, count: int = 40, **arguments: Any) -> DataLoader[Any]:
        """Return a plain loader of *count* rows, in batches of 8."""
        return DataLoader(self.rows(count), **{"batch_size": 8, **arguments})

    @staticmethod
    def loss(model: torch.nn.Module, batch: Any) -> torch.Tensor:
        """Return one loss a sample."""
        return torch.nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")

    def sifted(
        self,
        inner: Any = None,
        *,
        loss: Any = None,
        epochs: int | None = None,
        listener: Any = None,
        on_note: Any = None,
        pad: Any = None,
        labels: Any = None,
        **config: Any,
    ) -> SiftingDataloader:
        """Return a sifted loader, by default over `loader()` with half of the rows kept."""
        if not config.keys() & {"keep", "beta_value"}:
            config["keep"] = 0.5
        return SiftingDataloader(
            sift_config=SiftConfig(**config),
            orig_dataloader=self.loader() if inner is None else inner,
            loss_impl=loss or self.loss,
            model=self.model,
            epochs=epochs,
            listener=listener,
            on_note=on_note or (lambda _: None),
            pad=pad,
            labels=labels,
        )

    def step(self, loader: SiftingDataloader, batch: Any) -> None:
        """Make one training step."""
        self.optimizer.zero_grad()
        loader.reduce(self.loss(self.model, batch)).backward()
        self.optimizer.step()

    def epoch(self, loader: SiftingDataloader) -> list[list[int]]:
        """Train on an epoch; return the numbers of the rows of each batch."""
        numbers = []
        for batch in loader:
            self.step(loader, batch)
            numbers.append(batch[2].tolist())
        return numbers


@pytest.fixture
def toy() -> Toy:
    """Return a small task, untrained."""
    return Toy()


@pytest.fixture
def make_toy() -> type[Toy]:
    """Return what makes small tasks, all alike."""
    return Toy
