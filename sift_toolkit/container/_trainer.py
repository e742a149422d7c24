"""A complete trainer around a hooks module: schedule, evaluation, checkpoints, the saved model."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from sift_toolkit.container._checkpoint import load_checkpoint, save_checkpoint
from sift_toolkit.container._hooks import Hooks, Job
from sift_toolkit.container._recorder import is_first_rank
from sift_toolkit.container._sift import sift
from sift_toolkit.sifting import Batch, SiftingDataloader, to_device

_WARM_UP: Final = 0.05
"""Share of the run over which the learning rate rises to its peak."""
MODEL_FILE: Final = "model.pt"
"""The trained weights, a state dict, in the job's model folder."""


def train(hooks: Hooks, job: Job) -> None:
    """Train, evaluate after each epoch, checkpoint, and save the model.

    The learning rate follows the share of the run's data that came by, so that it ends where it
    should however many batches sifting leaves.
    """
    torch.manual_seed(int(job.hyperparameters.get("seed", 0)))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    epochs = hooks.epochs(job)
    model = hooks.model(job).to(device)
    test_data = hooks.test_data(job)
    loader = sift(hooks.train_data(job), model=model, loss=hooks.loss, epochs=epochs)
    optimizer = hooks.optimizer(model, job)
    scheduler = LambdaLR(optimizer, lambda _: learning_rate_factor(loader.progress))
    run = _Run(job, device, model, loader, optimizer, scheduler)
    for epoch in range(run.restore(), epochs):
        loader.set_epoch(epoch)
        train_epoch(hooks, run)
        loader.record(validation_accuracy=accuracy(hooks, model, test_data, device))
        run.save(epoch + 1)
    if is_first_rank():
        job.tree.model_dir.mkdir(parents=True, exist_ok=True)
        torch.save(model.state_dict(), job.tree.model_dir / MODEL_FILE)


def learning_rate_factor(progress: float) -> float:
    """Return the share of the peak learning rate: a short rise, then half a cosine to 0.

    Args:
        progress: share of the run's data that came by, from 0 to 1.
    """
    if progress < _WARM_UP:
        return max(progress / _WARM_UP, 0.1)
    return 0.5 * (1 + math.cos(math.pi * (progress - _WARM_UP) / (1 - _WARM_UP)))


class _Run:
    """The moving parts of one training run, and the way in and out of a checkpoint."""

    def __init__(
        self,
        job: Job,
        device: torch.device,
        model: nn.Module,
        loader: SiftingDataloader,
        optimizer: Optimizer,
        scheduler: LambdaLR,
    ) -> None:
        self._folder = job.tree.checkpoints_dir
        self.device = device
        self.model = model
        self.loader = loader
        self.optimizer = optimizer
        self.scheduler = scheduler

    def save(self, epochs_done: int) -> None:
        """Write a checkpoint."""
        if is_first_rank():
            save_checkpoint(
                self._folder,
                {
                    "epochs_done": epochs_done,
                    "model": self.model.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "scheduler": self.scheduler.state_dict(),
                    "loader": self.loader.state_dict(),
                    "rng": torch.get_rng_state(),
                },
            )

    def restore(self) -> int:
        """Go on from the checkpoint there is; return the epochs it had done."""
        content = load_checkpoint(self._folder, device=torch.device("cpu"))
        if content is None:
            return 0
        self.loader.load_state_dict(content["loader"])
        self.model.load_state_dict(content["model"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.scheduler.load_state_dict(content["scheduler"])
        torch.set_rng_state(content["rng"])
        epochs_done: int = content["epochs_done"]
        return epochs_done


def train_epoch(hooks: Hooks, run: _Run) -> None:
    """Train on one epoch of the run's loader."""
    run.model.train()
    for batch in run.loader:
        losses = hooks.loss(run.model, to_device(batch, run.device))
        run.optimizer.zero_grad(set_to_none=True)
        run.loader.reduce(losses).backward()  # type: ignore[no-untyped-call] # torch's own gap
        run.optimizer.step()
        run.scheduler.step()


@torch.no_grad()
def accuracy(
    hooks: Hooks, model: nn.Module, test_data: Iterable[Batch], device: torch.device
) -> float:
    """Return the share of held-out samples the model gets right."""
    model.eval()
    right = total = 0
    for batch in test_data:
        correct = hooks.correct(model, to_device(batch, device))
        right += int(correct.sum())
        total += correct.numel()
    return right / max(total, 1)
