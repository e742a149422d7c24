"""The letters of the before/after tables, one table row for each way to train on them."""

from __future__ import annotations

import argparse
import io
import statistics
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from machine import write_as_measured
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from sift_toolkit import SiftingDataloader

LETTERS = Path(__file__).parents[1] / "demo" / "letters" / "data" / "letters.npz"
WIDTH = 640
BATCH_SIZE = 128
RATE = 4e-3


class Outcome(NamedTuple):
    """What came of a training."""

    steps: int
    cost: float
    """Passes made, of plain training's at all epochs; a scored sample counts a third."""
    accuracy: float


def letters(part: str) -> TensorDataset:
    """Return the letters to learn from, "train", or those held out, "test"."""
    with np.load(LETTERS) as arrays:
        features = torch.from_numpy(arrays[f"{part}_features"].astype(np.float32))
        labels = torch.from_numpy(arrays[f"{part}_labels"].astype(np.int64))
    return TensorDataset((features - 7.5) / 4, labels)


def reader() -> nn.Module:
    """Return a perceptron with two hidden layers that says which letter 16 numbers describe."""
    return nn.Sequential(
        *(nn.Linear(16, WIDTH), nn.LayerNorm(WIDTH), nn.ReLU()),
        *(nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH), nn.ReLU()),
        nn.Linear(WIDTH, 26),
    )


def losses_of(model: nn.Module, batch: list[Tensor]) -> Tensor:
    """Return one loss a letter."""
    features, labels = batch
    return nn.functional.cross_entropy(model(features), labels, reduction="none")


def accuracy(model: nn.Module) -> float:
    """Return the share of the held-out letters that are read right."""
    features, labels = letters("test").tensors
    with torch.no_grad():
        read = model.eval()(features).argmax(dim=1)
    return float((read == labels).float().mean())


def options(description: str | None) -> argparse.Namespace:
    """Return what the command line asks for; from here on one thread computes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    torch.set_num_threads(1)
    return parser.parse_args()


def counted_cost(loader: SiftingDataloader) -> float:
    """Return the passes made so far, of those that all samples seen would have taken."""
    meter = loader.state_dict()["meter"]
    return float((meter["kept"] + meter["scored"] / 3) / meter["seen"])


def write_table(name: str, ways: dict[str, Callable[..., Outcome]], seeds: int) -> None:
    """Train by each way, which takes a `seed`; print what comes of it, and write a result file.

    Args:
        name: of the file.
        ways: by what the table calls them.
        seeds: trainings of each.
    """
    write_as_measured(name, (row_of(way, train, seeds) for way, train in ways.items()))


def row_of(way: str, train: Callable[..., Outcome], seeds: int) -> dict[str, Any]:
    """Return the row of one way to train."""
    with redirect_stdout(io.StringIO()):  # metric lines
        outcomes = [train(seed=seed) for seed in range(seeds)]
    accuracies = [each.accuracy for each in outcomes]
    return {
        "way": way,
        "steps": outcomes[0].steps,
        "saved_compute": round(1 - statistics.mean(each.cost for each in outcomes), 4),
        "accuracy": {
            "mean": round(statistics.mean(accuracies), 5),
            "deviation": round(statistics.stdev(accuracies), 5),
        },
        "seeds": seeds,
    }
