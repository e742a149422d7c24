"""Hooks for UCI Letter Recognition: 16 numbers describe a printed letter; say which one it is."""

from __future__ import annotations

import zipfile
import zlib

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from sift_toolkit.container import Job

LETTERS = 26
FEATURES = 16
WIDTH = 640
BATCH_SIZE = 128


def epochs(job: Job) -> int:
    """Return how many epochs to train."""
    return int(job.hyperparameters.get("epochs", 20))


def model(job: Job) -> nn.Module:
    """Return a perceptron with two hidden layers; one step of it takes over 5 ms."""
    # Twins are compared by their times, which one thread makes far steadier.
    torch.set_num_threads(1)
    return nn.Sequential(
        nn.Linear(FEATURES, WIDTH),
        nn.LayerNorm(WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.LayerNorm(WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, LETTERS),
    )


def train_data(job: Job) -> DataLoader[tuple[Tensor, ...]]:
    """Return the 16,000 letters to learn from, shuffled; of several processes each has its part."""
    letters = _letters(job, "train")
    if job.processes == 1:
        return DataLoader(letters, batch_size=BATCH_SIZE, shuffle=True)
    share = DistributedSampler(letters, job.processes, job.rank)
    # The batch that makes a step is that of all processes together.
    return DataLoader(letters, batch_size=BATCH_SIZE // job.processes, sampler=share)


def test_data(job: Job) -> DataLoader[tuple[Tensor, ...]]:
    """Return the 4,000 letters held out, all of them: the trainer shares them out."""
    return DataLoader(_letters(job, "test"), batch_size=1000)


def loss(model: nn.Module, batch: list[Tensor]) -> Tensor:
    """Return one loss a letter."""
    features, labels = batch
    return nn.functional.cross_entropy(model(features), labels, reduction="none")


def correct(model: nn.Module, batch: list[Tensor]) -> Tensor:
    """Return which letters the model reads right."""
    features, labels = batch
    return model(features).argmax(dim=1) == labels


def optimizer(model: nn.Module, job: Job) -> torch.optim.Optimizer:
    """Return AdamW at the peak learning rate."""
    rate = float(job.hyperparameters.get("learning_rate", 4e-3))
    return torch.optim.AdamW(model.parameters(), lr=rate)


def _letters(job: Job, part: str) -> TensorDataset:
    path = job.channel("letters") / "letters.npz"
    try:
        with np.load(path) as arrays:
            features = torch.from_numpy(arrays[f"{part}_features"].astype(np.float32))
            labels = torch.from_numpy(arrays[f"{part}_labels"].astype(np.int64))
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        # What reads it says what is wrong, not where.
        msg = f"{path} is not the file that pack_data.py writes: {error}"
        raise ValueError(msg) from error
    # Every feature runs from 0 to 15.
    return TensorDataset((features - 7.5) / 4, labels)
