"""What an arm trains on: batches, how far the training is, and what came back of their losses."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import torch
from torch import Generator, Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit import SiftConfig, SiftingDataloader

Batch = list[Tensor]
OwnValues = Callable[[Tensor, Tensor], Tensor]
"""Makes of a training step's losses and its rows' ids the values that chances follow."""


class Rows(TensorDataset):
    """Tensors that are indexed by a whole batch at once."""

    def __getitems__(self, ids: list[int]) -> Batch:
        """Return the rows of a batch, already together."""
        return [tensor[ids] for tensor in self.tensors]


class Setting(NamedTuple):
    """What all arms of a task share."""

    model: nn.Module
    data: Rows
    batch_size: int
    epochs: int
    seed: int

    @property
    def rows(self) -> int:
        """Rows of an epoch on all data."""
        return len(self.data)


class Served(NamedTuple):
    """A batch to train on."""

    batch: Batch
    progress: float
    """Share of the training that is over before this step."""
    rate_factor: float = 1.0


class Feed(Protocol):
    """Gives out batches and takes their losses back."""

    scored: int
    """Rows that had a forward pass of their own, so far."""

    def batches(self) -> Iterator[Served]:
        """Yield the batches of the training."""
        ...

    def reduce(self, losses: Tensor) -> Tensor:
        """Return the mean loss of the last batch given out, as the arm weighs it."""
        ...


def per_sample_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Return one loss a sample."""
    inputs, labels = batch[:2]
    return nn.functional.cross_entropy(model(inputs), labels, reduction="none")


def plain_ids(setting: Setting) -> Iterator[tuple[Tensor, float]]:
    """Yield (ids of a full batch, share of the training before it), in random order, all epochs."""
    generator: Generator = torch.Generator().manual_seed(setting.seed)
    for epoch in range(setting.epochs):
        order = torch.randperm(setting.rows, generator=generator)
        whole = setting.rows // setting.batch_size * setting.batch_size
        for start in range(0, whole, setting.batch_size):
            progress = (epoch + start / whole) / setting.epochs
            yield order[start : start + setting.batch_size], progress


class PlainFeed:
    """All data in random order, for a share of the epochs.

    Args:
        setting: of the task.
        budget: share of the full training's batches.
    """

    scored = 0

    def __init__(self, setting: Setting, budget: float) -> None:
        self._setting = setting
        self._steps = round(budget * setting.epochs * (setting.rows // setting.batch_size))

    def batches(self) -> Iterator[Served]:
        """Yield the batches of the training."""
        for step, (ids, _) in enumerate(itertools.islice(plain_ids(self._setting), self._steps)):
            yield Served([each[ids] for each in self._setting.data.tensors], step / self._steps)

    def reduce(self, losses: Tensor) -> Tensor:
        """Return the mean."""
        return losses.mean()


class SiftedFeed:
    """The toolkit's loader.

    Args:
        setting: of the task.
        config: how to sift.
        own: what the arm's own values of losses are, for ``value="own"``; None: it has none.
        by_steps: whether the learning rate follows the steps, as a schedule of
            ``loader.total_steps()`` does, or else the share of the data seen.
    """

    def __init__(
        self,
        setting: Setting,
        config: SiftConfig,
        own: OwnValues | None = None,
        *,
        by_steps: bool = True,
    ) -> None:
        self._own = own
        self._by_steps = by_steps
        self._ids = torch.empty(0)
        self._epochs = setting.epochs
        generator = torch.Generator().manual_seed(setting.seed)
        self._loader = SiftingDataloader(
            sift_config=config,
            orig_dataloader=DataLoader(
                Rows(*setting.data.tensors, torch.arange(setting.rows)),
                batch_size=setting.batch_size,
                shuffle=True,
                drop_last=True,
                collate_fn=list,
                generator=generator,
            ),
            loss_impl=per_sample_loss,
            model=setting.model,
            epochs=setting.epochs,
            listener=lambda _: None,
            on_note=lambda _: None,
        )

    @property
    def scored(self) -> int:
        """Rows that had a forward pass of their own, so far."""
        return int(self._loader.state_dict()["meter"]["scored"])

    def batches(self) -> Iterator[Served]:
        """Yield the batches of the training."""
        before, step, steps = 0.0, 0, self._loader.total_steps() if self._by_steps else 1
        for _ in range(self._epochs):
            for batch in self._loader:
                self._ids = batch[2]
                yield Served(batch, before)
                step += 1
                before = step / steps if self._by_steps else self._loader.progress

    def reduce(self, losses: Tensor) -> Tensor:
        """Return the mean, and have the losses remembered."""
        values = None if self._own is None else self._own(losses.detach(), self._ids)
        return self._loader.reduce(losses, values=values)
