"""Hooks of a training that is interrupted: quick steps, much to save, randomness everywhere."""

from __future__ import annotations

import os
import random
import time

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from sift_toolkit.container import Job

BATCH_SIZE = 16
STEP_SECONDS = float(os.environ.get("STEP_SECONDS", 0))
"""Added to each step, where it takes long to kill a job."""


class Noisy(Dataset[tuple[Tensor, Tensor]]):
    """Points of three classes, in overlapping clouds, with noise whenever they are loaded."""

    def __init__(self, count: int) -> None:
        generator = torch.Generator().manual_seed(0)
        self.labels = torch.randint(3, (count,), generator=generator)
        noise = torch.randn(count, 4, generator=generator)
        self.features = noise + self.labels[:, None]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        noise = 0.01 * (random.random() + torch.rand(()))
        return self.features[index] + noise, self.labels[index]


class Network(nn.Sequential):
    """With everything a resume may lose, and ballast, so that writing it takes a while."""

    def __init__(self, ballast: int) -> None:
        super().__init__(
            nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3)
        )
        self.register_buffer("ballast", torch.rand(ballast))


def epochs(job: Job) -> int:
    """Return how many epochs to train."""
    return int(job.hyperparameters["epochs"])


def model(job: Job) -> nn.Module:
    """Return the network; one thread, for results to the bit."""
    torch.set_num_threads(1)
    return Network(int(job.hyperparameters["ballast"]))


def train_data(job: Job) -> DataLoader[tuple[Tensor, Tensor]]:
    """Return what is learned from, shuffled."""
    return DataLoader(Noisy(20 * BATCH_SIZE), batch_size=BATCH_SIZE, shuffle=True)


def test_data(job: Job) -> DataLoader[tuple[Tensor, ...]]:
    """Return what is held out."""
    held_out = Noisy(100)
    return DataLoader(TensorDataset(held_out.features, held_out.labels), batch_size=BATCH_SIZE)


def loss(model: nn.Module, batch: list[Tensor]) -> Tensor:
    """Return one loss a point."""
    time.sleep(STEP_SECONDS)
    return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")


def correct(model: nn.Module, batch: list[Tensor]) -> Tensor:
    """Return which points are told right."""
    time.sleep(0.001)
    return model(batch[0]).argmax(dim=1) == batch[1]


def optimizer(model: nn.Module, job: Job) -> torch.optim.Optimizer:
    """Return AdamW, which has a state of its own."""
    return torch.optim.AdamW(model.parameters(), lr=0.01)
