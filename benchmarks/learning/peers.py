"""Feeds of the peers' rules: data chosen epoch by epoch, or batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from feeds import Batch, Served, Setting, per_sample_loss, plain_ids
from rules import Kept, all_of, info_batch, kakurenbo, selective_backprop
from torch import Tensor


class EpochRule(Protocol):
    """Says what each epoch is trained on, given the last known losses."""

    def kept(self, epoch: int, losses: Tensor) -> Kept:
        """Return what the epoch is trained on."""
        ...

    @property
    def rate_factor(self) -> float:
        """What this epoch's learning rate is multiplied by."""
        ...

    @property
    def looked_at(self) -> Tensor | None:
        """Ids whose losses are looked at when the epoch ends, None: none are."""
        ...


class EpochFeed:
    """Data chosen epoch by epoch, in full batches: what fills none waits for the next epoch.

    Args:
        setting: of the task.
        rule: chooses.
    """

    def __init__(self, setting: Setting, rule: EpochRule) -> None:
        self._setting = setting
        self._rule = rule
        self._losses = torch.full((setting.rows,), torch.inf)
        self._ids = torch.empty(0, dtype=torch.int64)
        self._weights: Tensor | None = None
        self.scored = 0

    def batches(self) -> Iterator[Served]:
        """Yield the batches of the training."""
        size, data = self._setting.batch_size, self._setting.data.tensors
        generator = torch.Generator().manual_seed(self._setting.seed)
        waiting = Kept(torch.empty(0, dtype=torch.int64), None)
        for epoch in range(self._setting.epochs):
            kept = self._rule.kept(epoch, self._losses)
            order = torch.randperm(kept.ids.numel(), generator=generator)
            ids = torch.cat([waiting.ids, kept.ids[order]])
            weights = torch.cat([_weights(waiting), _weights(kept)[order]])
            whole = ids.numel() // size * size
            for start in range(0, whole, size):
                self._ids = ids[start : start + size]
                self._weights = weights[start : start + size]
                progress = (epoch + start / whole) / self._setting.epochs
                yield Served([each[self._ids] for each in data], progress, self._rule.rate_factor)
            waiting = Kept(ids[whole:], weights[whole:])
            self._look_at(self._rule.looked_at)

    def _look_at(self, ids: Tensor | None) -> None:
        if ids is None or not ids.numel():
            return
        self.scored += ids.numel()
        self._setting.model.eval()
        with torch.no_grad():
            for part in ids.split(1000):
                batch = [each[part] for each in self._setting.data.tensors]
                self._losses[part] = per_sample_loss(self._setting.model, batch)
        self._setting.model.train()

    def reduce(self, losses: Tensor) -> Tensor:
        """Return the weighted mean, and remember the losses."""
        self._losses[self._ids] = losses.detach()
        assert self._weights is not None
        return (losses * self._weights).mean()


def _weights(kept: Kept) -> Tensor:
    return torch.ones(kept.ids.numel()) if kept.weights is None else kept.weights


class InfoBatch:
    """InfoBatch's rule over a training: all data at first and for the last part of the epochs.

    Args:
        setting: of the task.
        ratio: the paper's r.
        pruned: share of the epochs before the last part, the paper's delta.
    """

    rate_factor = 1.0
    looked_at = None

    def __init__(self, setting: Setting, ratio: float = 0.5, pruned: float = 0.875) -> None:
        self._setting = setting
        self._ratio = ratio
        self._until = pruned * setting.epochs
        self._generator = torch.Generator().manual_seed(setting.seed + 1)

    def kept(self, epoch: int, losses: Tensor) -> Kept:
        """Return what the epoch is trained on."""
        if epoch == 0 or epoch >= self._until:
            return all_of(self._setting.rows)
        return info_batch(losses, self._ratio, self._generator)


class Kakurenbo:
    """KAKURENBO's rule over a training.

    Args:
        setting: of the task.
        most: the largest share hidden.
    """

    def __init__(self, setting: Setting, most: float = 0.3) -> None:
        self._setting = setting
        self._most = most
        self.rate_factor = 1.0
        self.looked_at: Tensor | None = None

    def kept(self, epoch: int, losses: Tensor) -> Kept:
        """Return what the epoch is trained on."""
        if epoch == 0:
            return all_of(self._setting.rows)
        hidden = kakurenbo(losses, self._most, epoch / self._setting.epochs)
        self.rate_factor, self.looked_at = hidden.rate_factor, hidden.hidden
        return Kept(hidden.kept, None)


class SelectiveBackprop:
    """Composer's rule: batch by batch, between two points of the training.

    What is drawn of two batches or more fills one, as in all arms: smaller batches would change
    more than what is trained on.

    Args:
        setting: of the task.
        keep: share kept of a batch.
        start: share of the training before.
        end: share of the training after which all data is kept.
        interrupt: batches after which one is trained on whole.
    """

    def __init__(
        self,
        setting: Setting,
        keep: float = 0.5,
        start: float = 0.5,
        end: float = 0.9,
        interrupt: int = 2,
    ) -> None:
        self._setting = setting
        self._keep, self._start, self._end, self._interrupt = keep, start, end, interrupt
        self._generator = torch.Generator().manual_seed(setting.seed + 1)
        self.scored = 0

    def batches(self) -> Iterator[Served]:
        """Yield the batches of the training."""
        size, data = self._setting.batch_size, self._setting.data.tensors
        waiting = torch.empty(0, dtype=torch.int64)
        for index, served in enumerate(plain_ids(self._setting)):
            ids, progress = served
            is_whole = self._interrupt > 0 and index % (self._interrupt + 1) == self._interrupt
            if not self._start <= progress < self._end or is_whole:
                yield Served([each[ids] for each in data], progress)
                continue
            waiting = torch.cat([waiting, ids[self._choose([each[ids] for each in data])]])
            if waiting.numel() >= size:
                yield Served([each[waiting[:size]] for each in data], progress)
                waiting = waiting[size:]

    def _choose(self, batch: Batch) -> Tensor:
        self.scored += batch[1].numel()
        self._setting.model.eval()
        with torch.no_grad():
            losses = per_sample_loss(self._setting.model, batch)
        self._setting.model.train()
        return selective_backprop(losses, self._keep, self._generator)

    def reduce(self, losses: Tensor) -> Tensor:
        """Return the mean."""
        return losses.mean()
