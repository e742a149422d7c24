"""Three small models whose training step takes 10 ms or more on one CPU core, with data to fit.

Only times are measured on them, so the data is random; what is learnt is measured elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

ROWS = 768
BATCH_SIZE = 32


@dataclass(frozen=True)
class Task:
    """A model, its data, its loss, and what half of an input looks like."""

    name: str
    model: Callable[[], nn.Module]
    inputs: Callable[[int], Tensor]
    """Returns as many rows as it is told."""
    classes: int
    halve: Callable[[Tensor], Tensor] | None

    def loader(
        self, batch_size: int = BATCH_SIZE, rows: int = ROWS
    ) -> DataLoader[tuple[Tensor, ...]]:
        """Return a shuffled loader of the task's data."""
        data = TensorDataset(self.inputs(rows), torch.randint(self.classes, (rows,)))
        return DataLoader(data, batch_size=batch_size, shuffle=True)


class Transformer(nn.Module):
    """An encoder over token ids, mean-pooled.

    Args:
        width: of the residual stream.
        layers: of the encoder.
        hidden: width inside a layer.
    """

    def __init__(self, width: int = 64, layers: int = 2, hidden: int = 128) -> None:
        super().__init__()
        self.embedding = nn.Embedding(1000, width)
        layer = nn.TransformerEncoderLayer(width, 4, hidden, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(width, 10)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits, shape (batch, 10)."""
        logits: Tensor = self.head(self.encoder(self.embedding(tokens)).mean(dim=1))
        return logits


def _convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(512, 10),
    )


def _perceptron() -> nn.Module:
    return nn.Sequential(
        nn.Linear(64, 1792), nn.ReLU(), nn.Linear(1792, 1792), nn.ReLU(), nn.Linear(1792, 26)
    )


TASKS = (
    Task(
        "convolutional net, 28x28",
        _convolutional,
        lambda rows: torch.randn(rows, 1, 28, 28),
        10,
        lambda images: images[..., ::2, ::2],
    ),
    Task(
        "transformer, 32 tokens",
        Transformer,
        lambda rows: torch.randint(1000, (rows, 32)),
        10,
        lambda tokens: tokens[:, :16],
    ),
    Task("perceptron, 64 features", _perceptron, lambda rows: torch.randn(rows, 64), 26, None),
)


def per_sample_loss(model: nn.Module, batch: list[Tensor]) -> Tensor:
    """Return one loss a sample."""
    inputs, labels = batch
    return nn.functional.cross_entropy(model(inputs), labels, reduction="none")
