"""The small models of the learning benchmark, each cheap enough for one CPU core."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def convolutional(classes: int, width: int = 16) -> nn.Module:
    """Return a net for images of shape (rows, 1, 28, 28), with BatchNorm."""
    return nn.Sequential(
        nn.Conv2d(1, width, 5, stride=2, padding=2, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(2 * width * 7 * 7, 4 * width),
        nn.ReLU(),
        nn.Linear(4 * width, classes),
    )


def perceptron(features: int, classes: int, width: int) -> nn.Module:
    """Return a net for rows of numbers, with two hidden layers and LayerNorm."""
    return nn.Sequential(
        nn.Linear(features, width),
        nn.LayerNorm(width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.LayerNorm(width),
        nn.ReLU(),
        nn.Linear(width, classes),
    )


class TextConvolution(nn.Module):
    """Convolutions over word embeddings, the largest answer of each over all places.

    Args:
        vocabulary: token ids are below it; 0 is padding.
        classes: of them.
        width: of embeddings; each of two sizes of convolution has as many filters.
    """

    def __init__(self, vocabulary: int, classes: int, width: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=0)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, width, size, padding=size // 2) for size in (1, 3)
        )
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(2 * width, classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits, shape (rows, classes), for ids of shape (rows, words)."""
        embedded = self.embedding(tokens).transpose(1, 2)
        largest = [layer(embedded).amax(dim=2).relu() for layer in self.convolutions]
        logits: Tensor = self.head(self.dropout(torch.cat(largest, dim=1)))
        return logits


class Transformer(nn.Module):
    """An encoder over token ids, mean-pooled over the words that are there.

    Args:
        vocabulary: token ids are below it; 0 is padding.
        classes: of them.
        words: most ids in a row.
        width: of embeddings.
        layers: of the encoder.
    """

    def __init__(
        self, vocabulary: int, classes: int, words: int, width: int = 64, layers: int = 2
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=0)
        self.places = nn.Parameter(0.02 * torch.randn(words, width))
        layer = nn.TransformerEncoderLayer(
            width, 4, 2 * width, dropout=0.1, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits, shape (rows, classes), for ids of shape (rows, words)."""
        there = tokens != 0
        there[:, 0] = True  # a row of padding alone would have nothing to attend to
        embedded = self.embedding(tokens) + self.places[: tokens.shape[1]]
        encoded = self.encoder(embedded, src_key_padding_mask=~there)
        weights = there.unsqueeze(2).to(encoded.dtype)
        pooled = (encoded * weights).sum(dim=1) / weights.sum(dim=1)
        logits: Tensor = self.head(self.norm(pooled))
        return logits
