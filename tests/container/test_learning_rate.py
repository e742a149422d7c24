"""The learning rate follows the data that came by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from sift_toolkit import SiftConfig, SiftingDataloader
from sift_toolkit.container._learning_rate import scheduler_for, warm_cosine

Loader = DataLoader[Any]


class Stream(IterableDataset[Tensor]):
    """Data of unknown length."""

    def __iter__(self) -> Iterator[Tensor]:
        return iter(torch.rand(8, 4))


def sifted(loader: Any, epochs: int | None) -> SiftingDataloader:
    """Return a loader that passes batches through."""
    return SiftingDataloader(
        sift_config=SiftConfig(keep=1.0),
        orig_dataloader=loader,
        loss_impl=lambda model, batch: torch.zeros(1),
        model=nn.Linear(4, 1),
        epochs=epochs,
    )


def rates(loader: SiftingDataloader, epochs: int) -> tuple[list[float], list[str]]:
    """Return the rates of two groups of parameters at each step, and the notes."""
    notes: list[str] = []
    weights = [nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimizer = torch.optim.SGD(
        [{"params": weights[:1], "lr": 1.0}, {"params": weights[1:], "lr": 0.1}]
    )
    scheduler = scheduler_for(loader, optimizer, lambda progress: 1 - progress, notes.append)
    seen = []
    for _ in range(epochs):
        for _ in loader:
            seen += [group["lr"] for group in optimizer.param_groups]
            optimizer.step()
            scheduler.step()
    return seen, notes


def test_the_shape_of_the_default() -> None:
    """A rise from a tenth of the peak over 5 % of the data, then half a cosine to 0."""
    shape = {progress: warm_cosine(progress) for progress in (0, 0.025, 0.05, 0.525, 1)}

    assert shape == pytest.approx({0: 0.1, 0.025: 0.5, 0.05: 1, 0.525: 0.5, 1: 0}, abs=1e-12)


@given(progress=st.floats(0, 1))
def test_the_default_is_a_share(progress: float) -> None:
    """At no time is the rate above its peak or below 0."""
    assert 0 <= warm_cosine(progress) <= 1


def test_the_rate_follows_the_data(toy_loader: Callable[[], Loader]) -> None:
    """Each step's rate is the factor at the share of the data that came by before it."""
    loader = sifted(toy_loader(), epochs=2)
    seen, notes = rates(loader, epochs=2)

    rows = [*range(0, 60, 8), *range(60, 120, 8)]
    assert seen[::2] == pytest.approx([1 - row / 120 for row in rows])
    assert seen[1::2] == pytest.approx([0.1 * rate for rate in seen[::2]])
    assert notes == []


def test_an_unknown_length_means_a_constant_rate() -> None:
    """A stream has no progress to follow: the rate stays at its peak, and it is said."""
    seen, notes = rates(sifted(DataLoader(Stream(), batch_size=2), epochs=2), epochs=2)

    assert seen == [1.0, 0.1] * 8
    assert notes == ["learning rate: constant, because the number of training samples is not known"]
