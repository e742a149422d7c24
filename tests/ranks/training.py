"""A small training on every rank, through a sifted loader, and what came of it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, IterableDataset, TensorDataset
from torch.utils.data.distributed import DistributedSampler

from sift_toolkit import SiftConfig, SiftingDataloader


@dataclasses.dataclass(frozen=True)
class Case:
    """One way to train on several ranks."""

    scores: str = "fresh"
    fields: tuple[tuple[str, Any], ...] = ()
    """Of the config, beside keep=0.5."""
    rows: int = 96
    """Of the dataset that all ranks share."""
    rows_of_rank: tuple[int, ...] = ()
    """Of the datasets that ranks bring instead, by rank."""
    streams: bool = False
    """Whether each rank reads a stream of nobody knows what length."""
    epochs: int = 3
    wrap: str = "ddp"
    """ddp, fsdp or none."""
    drop_last: bool = False
    shares_samples: bool | None = None
    batch_size: int = 8
    net: str = "batch norm"
    """Or layer norm, which computes alike however the model is wrapped."""


@dataclasses.dataclass
class Outcome:
    """What one rank saw of a training."""

    batches: list[list[list[int]]]
    """Rows of each batch, by epoch."""
    lengths: list[int]
    """len() before each epoch's first batch."""
    total_steps: int | None
    weights: Tensor
    """Of the trained model, in one tensor."""
    known: list[dict[int, float]]
    """Losses known by id at the start of each epoch, with a memory."""
    traffic: dict[str, tuple[int, int, int]]
    """Messages, bytes sent and received, by kind."""
    notes: list[str]


def rows(count: int, first: int = 0) -> TensorDataset:
    """Return rows (features, label, number)."""
    numbers = torch.arange(first, first + count)
    features = torch.sin(numbers[:, None] * torch.tensor([0.3, 0.7, 1.1, 1.9]))
    return TensorDataset(features, numbers % 3, numbers)


class Stream(IterableDataset[tuple[Tensor, ...]]):
    """Rows without a length."""

    def __init__(self, dataset: TensorDataset) -> None:
        self._dataset = dataset

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return (self._dataset[place] for place in range(len(self._dataset)))


class Net(nn.Module):
    """Two layers with everything that scoring must leave alone: batch norm and dropout."""

    def __init__(self, norm: str = "batch norm") -> None:
        super().__init__()
        self.hidden = nn.Linear(4, 16)
        self.norm = nn.BatchNorm1d(16) if norm == "batch norm" else nn.LayerNorm(16)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(16, 3)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits, shape (batch, 3)."""
        logits: Tensor = self.out(self.drop(self.norm(self.hidden(features)).relu()))
        return logits


def losses(model: nn.Module, batch: list[Tensor]) -> Tensor:
    """Return one loss a sample."""
    return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")


def loader_of(case: Case) -> DataLoader[Any]:
    """Return this rank's loader."""
    rank = dist.get_rank()
    if case.rows_of_rank:
        data = rows(case.rows_of_rank[rank], first=1000 * rank)
        if case.streams:
            return DataLoader(Stream(data), batch_size=case.batch_size)
        return DataLoader(data, batch_size=case.batch_size, shuffle=True, drop_last=case.drop_last)
    data = rows(case.rows)
    sampler = DistributedSampler(data, shuffle=True, seed=3, drop_last=case.drop_last)
    return DataLoader(data, batch_size=case.batch_size, sampler=sampler, drop_last=case.drop_last)


def wrapped(model: nn.Module, wrap: str) -> nn.Module:
    """Return the model as the ranks train it."""
    if wrap == "ddp":
        return DistributedDataParallel(model)
    if wrap == "fsdp":
        for layer in (model.hidden, model.out):
            fully_shard(layer)
        fully_shard(model)
    return model


def sifted(case: Case, model: nn.Module, notes: list[str], loss: Any = losses) -> SiftingDataloader:
    """Return this rank's sifted loader."""
    fields = {"scores": case.scores, "gate": "off", **dict(case.fields)}
    if not fields.keys() & {"keep", "beta_value"}:
        fields["keep"] = 0.5
    return SiftingDataloader(
        sift_config=SiftConfig(**fields),
        orig_dataloader=loader_of(case),
        loss_impl=loss,
        model=model,
        epochs=case.epochs,
        on_note=notes.append,
        shares_samples=case.shares_samples,
    )


def train(case: Case) -> Outcome:
    """Train and return what came of it."""
    torch.manual_seed(0)
    model = wrapped(Net(case.net), case.wrap)
    torch.manual_seed(100 + dist.get_rank())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    notes: list[str] = []
    loader = sifted(case, model, notes)
    outcome = Outcome([], [], None, torch.empty(0), [], {}, notes)
    with contextlib.suppress(TypeError):
        outcome.total_steps = loader.total_steps()
    for epoch in range(case.epochs):
        loader.set_epoch(epoch)
        outcome.batches.append([])
        for batch in loader:
            if not outcome.batches[-1]:
                with contextlib.suppress(TypeError):
                    outcome.lengths.append(len(loader))
                outcome.known.append(known_losses(loader))
            optimizer.zero_grad()
            each = losses(model, batch)
            loader.reduce(each, values=each.detach()).backward()
            optimizer.step()
            outcome.batches[-1].append(batch[2].tolist())
    outcome.weights = torch.cat([_whole(each).flatten() for each in model.parameters()])
    outcome.traffic = {
        kind: (count.messages, count.bytes_sent, count.bytes_received)
        for kind, count in traffic_of(loader).items()
    }
    return outcome


def _whole(parameter: Tensor) -> Tensor:
    full = parameter.full_tensor() if hasattr(parameter, "full_tensor") else parameter
    return full.detach().clone()


def known_losses(loader: SiftingDataloader) -> dict[int, float]:
    """Return the losses a memory knows, by id."""
    memory = getattr(loader._run.engine, "_memory", None)
    if memory is None:
        return {}
    known = memory.all_losses
    return {place: float(known[place]) for place in torch.where(~known.isnan())[0].tolist()}


def traffic_of(loader: SiftingDataloader) -> dict[str, Any]:
    """Return what the loader's ranks sent and received, by kind."""
    return loader._run._wiring.ranks.traffic.of
