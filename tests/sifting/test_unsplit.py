"""A loader that Accelerate was to split and did not is told from all others."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from sift_toolkit.sifting._unsplit import why_unsplit

ROWS = TensorDataset(torch.arange(8))


@pytest.fixture(autouse=True)
def accelerator(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stand in for Accelerate's state, which says whether there is an accelerator."""
    state = SimpleNamespace(is_initialized=lambda: True)
    monkeypatch.setitem(sys.modules, "accelerate.state", state)
    return state


def test_a_plain_loader_is_unsplit(accelerator: Any) -> None:
    """But not without an accelerator."""
    loader = DataLoader(ROWS, batch_size=2)
    assert "First loader = accelerator.prepare(loader)" in str(why_unsplit(loader))
    accelerator.is_initialized = lambda: False
    assert why_unsplit(loader) is None


def test_a_subclass_is_unsplit_too() -> None:
    """As torchdata's StatefulDataLoader; Accelerate's own are not, however they split."""

    class Stateful(DataLoader[Any]):
        pass

    loader = Stateful(ROWS, batch_size=2)
    assert "each process would train on all data" in str(why_unsplit(loader))
    Stateful.__module__ = "accelerate.data_loader"
    assert why_unsplit(loader) is None


def test_a_sampler_may_split() -> None:
    """PyTorch's own, or a batch sampler that knows of processes, as Accelerate's."""
    sampler = DistributedSampler(ROWS, num_replicas=2, rank=0)
    assert why_unsplit(DataLoader(ROWS, batch_size=2, sampler=sampler)) is None
    loader = DataLoader(ROWS, batch_size=2)
    loader.batch_sampler.num_processes = 2  # type: ignore[union-attr] # as Accelerate's has it
    assert why_unsplit(loader) is None


def test_other_iterables_are_the_users() -> None:
    """Nobody knows what they give to whom."""
    assert why_unsplit([torch.arange(2)]) is None
