"""A small task for Lightning: rows that know their number, and a module that notes what it saw."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit.integrations._lightning_framework import framework
from sift_toolkit.integrations.lightning import SiftingCallback, reduce

pl = framework()

ROWS = 256
BATCH_SIZE = 16

HARMLESS = (
    "does not have many workers",
    "smaller than the logging interval",
    "have no `val_dataloader`",
    "turning off the train dataloader shuffling",
    "sampler has shuffling enabled",
    "callbacks used to create the checkpoint need",
)
"""Warnings of Lightning that say nothing of sifting."""

NO_DATA = object()
"""For modules that have their own."""

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)


def rows(count: int = ROWS) -> TensorDataset:
    """Return features, labels and the number of each row."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(count, 4, generator=generator)
    return TensorDataset(features, features[:, :3].argmax(dim=1), torch.arange(count))


def loader(count: int = ROWS) -> DataLoader[Any]:
    """Return a shuffled loader of *count* rows."""
    return DataLoader(rows(count), batch_size=BATCH_SIZE, shuffle=True)


class Task(pl.LightningModule):
    """Classifies rows, with dropout, on a learning rate that falls to 0 over the whole run.

    Args:
        returns_losses: whether it hands its losses back.
    """

    def __init__(self, *, returns_losses: bool = True) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.Linear(8, 3))
        self.returns_losses = returns_losses
        self.asked = 0.0
        self.epoch_lengths: list[float] = []
        self.ids: list[list[int]] = []
        self.rates: list[float] = []
        self.validated_at: list[tuple[int, int]] = []
        self.passes = 0

    def forward(self, features: Tensor) -> Tensor:
        """Return logits."""
        self.passes += 1
        return self.net(features)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the mean loss."""
        features, labels, ids = batch
        self.ids.append(ids.tolist())
        self.rates.append(self.optimizers().param_groups[0]["lr"])
        losses = functional.cross_entropy(self(features), labels, reduction="none")
        return reduce(self, losses) if self.returns_losses else losses.mean()

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Hand losses to `reduce` here too, as a step shared with training does."""
        features, labels, _ = batch
        reduce(self, functional.cross_entropy(self.net(features), labels, reduction="none"))
        if not self.trainer.sanity_checking and batch_idx == 0:
            self.validated_at.append((self.trainer.current_epoch, self.trainer.global_step))

    def configure_optimizers(self) -> Any:
        """Return SGD and its schedule."""
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        self.asked = self.trainer.estimated_stepping_batches
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, int(self.asked))
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_train_epoch_start(self) -> None:
        """Note how long the epoch is said to be."""
        self.epoch_lengths.append(self.trainer.num_training_batches)


def losses_of(module: nn.Module, batch: Any) -> Tensor:
    """Return one loss a row."""
    return functional.cross_entropy(module(batch[0]), batch[1], reduction="none")


def trainer(folder: Path, *callbacks: Any, **arguments: Any) -> Any:
    """Return a quiet Trainer on the CPU."""
    quiet = {
        "accelerator": "cpu",
        "default_root_dir": folder,
        "enable_checkpointing": False,
        "enable_model_summary": False,
        "enable_progress_bar": False,
        "logger": False,
        "max_epochs": 3,
    }
    return pl.Trainer(callbacks=list(callbacks), **{**quiet, **arguments})


def fit(made: Any, module: Task, data: Any = None, **arguments: Any) -> Task:
    """Train, and let pass what Lightning says of workers and intervals."""
    with warnings.catch_warnings():
        for words in HARMLESS:
            warnings.filterwarnings("ignore", f".*{words}")
        warnings.filterwarnings("error", ".*not resumable")
        # Torch deprecates what Lightning calls.
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        given = loader() if data is None else data
        made.fit(module, None if given is NO_DATA else given, **arguments)
    return module


def sifting(config: Any) -> SiftingCallback:
    """Return the callback with the task's loss."""
    return SiftingCallback(config, loss=losses_of)
