"""Hooks of a small training in which the job's hyperparameter `fault` goes wrong."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, DistributedSampler, get_worker_info

from sift_toolkit.container import Job

ROWS = 64


class Rows(Dataset[tuple[Tensor, int]]):
    """Rows of two classes; reading one may go wrong."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        if self.fault == "worker" and get_worker_info() is not None and index == ROWS - 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return torch.sin(index * torch.tensor([0.3, 0.7])), index % 2


def fault_of(job: Job) -> str:
    """Return what goes wrong here: of several processes, in the last one only."""
    fault = str(job.hyperparameters.get("fault", ""))
    return fault if job.rank == job.processes - 1 or fault == "nan" else ""


def epochs(job: Job) -> int:
    """Return how many epochs to train."""
    return int(job.hyperparameters.get("epochs", 40))


def model(job: Job) -> nn.Module:
    """Return a model; that of one process may be missing."""
    torch.set_num_threads(1)
    if fault_of(job) == "hook":
        msg = "there is no model today"
        raise LookupError(msg)
    return Faulty(fault_of(job))


class Faulty(nn.Module):
    """A linear model whose third step may be its last."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.fault = fault
        self.steps = 0

    def forward(self, features: Tensor) -> Tensor:
        """Return logits, shape (batch, 2)."""
        self.steps += self.training
        if self.steps == 3:
            self.go_wrong()
        logits: Tensor = self.linear(features)
        return logits * float("nan") if self.fault == "nan" and self.steps > 3 else logits

    def go_wrong(self) -> None:
        """Do what the job asked for."""
        if self.fault == "exit":
            sys.exit(0)
        if self.fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault == "raise":
            msg = "a mistake of the user"
            raise ArithmeticError(msg)


def train_data(job: Job) -> DataLoader[Any]:
    """Return this process's rows."""
    rows = Rows(fault_of(job))
    if job.processes == 1:
        return DataLoader(rows, batch_size=8, num_workers=2 if rows.fault == "worker" else 0)
    return DataLoader(rows, batch_size=8, sampler=DistributedSampler(rows, job.processes, job.rank))


def test_data(job: Job) -> DataLoader[Any]:
    """Return all rows."""
    return DataLoader(Rows(), batch_size=8)


def loss(model: nn.Module, batch: list[Tensor]) -> Tensor:
    """Return one loss a row."""
    return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")


def correct(model: nn.Module, batch: list[Tensor]) -> Tensor:
    """Return which rows are classified right."""
    return model(batch[0]).argmax(dim=1) == batch[1]


def optimizer(model: nn.Module, job: Job) -> torch.optim.Optimizer:
    """Return plain gradient descent."""
    return torch.optim.SGD(model.parameters(), lr=0.01)
