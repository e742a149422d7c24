"""The small models of the learning benchmark, each cheap enough for one CPU core."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def convolutional(classes: int, width: int = 32) -> nn.Module:
    """Return a net for images of shape (rows, 1, 28, 28), with BatchNorm.

    Patches of 4x4 become channels first: at full resolution a CPU core takes three times as long.
    """
    return nn.Sequential(
        nn.PixelUnshuffle(4),
        nn.Conv2d(16, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(width * 4 * 4, classes),
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


def embedding(vocabulary: int, width: int) -> nn.Embedding:
    """Return word vectors that begin small, else they outweigh what is learnt; 0 is padding."""
    words = nn.Embedding(vocabulary, width, padding_idx=0)
    with torch.no_grad():
        words.weight.mul_(0.1)
    return words


def mean_of_words(vectors: Tensor, tokens: Tensor) -> Tensor:
    """Return the mean over the words that are there, shape (rows, width); none: zeros."""
    there = (tokens != 0).unsqueeze(2).to(vectors.dtype)
    return (vectors * there).sum(dim=1) / there.sum(dim=1).clamp(min=1)


class BagOfWords(nn.Module):
    """Mean and largest of the word vectors, and a perceptron on both; order plays no part.

    Args:
        vocabulary: token ids are below it; 0 is padding.
        classes: of them.
        width: of word vectors and of the hidden layer.
    """

    def __init__(self, vocabulary: int, classes: int, width: int = 64) -> None:
        super().__init__()
        self.embedding = embedding(vocabulary, width)
        self.head = nn.Sequential(
            nn.Dropout(0.5),
            nn.Linear(2 * width, 2 * width),
            nn.ReLU(),
            nn.Linear(2 * width, classes),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits, shape (rows, classes), for ids of shape (rows, words)."""
        vectors = self.embedding(tokens)
        # Padding's vector is zero: above zero the largest is that of words alone.
        both = [mean_of_words(vectors, tokens), vectors.amax(dim=1).relu()]
        logits: Tensor = self.head(torch.cat(both, dim=1))
        return logits


class Transformer(nn.Module):
    """An encoder over token ids, mean-pooled over the words that are there.

    Dropout is 0.1 inside, and 0.3 on words and on what is classified: texts are few here.

    Args:
        vocabulary: token ids are below it; 0 is padding.
        classes: of them.
        words: most ids in a row.
        width: of embeddings.
        layers: of the encoder.
    """

    def __init__(
        self, vocabulary: int, classes: int, words: int, width: int = 32, layers: int = 1
    ) -> None:
        super().__init__()
        self.embedding = embedding(vocabulary, width)
        self.dropout = nn.Dropout(0.3)
        self.places = nn.Parameter(0.02 * torch.randn(words, width))
        layer = nn.TransformerEncoderLayer(
            width, 4, 2 * width, dropout=0.1, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits, shape (rows, classes), for ids of shape (rows, words)."""
        padding = tokens == 0
        padding[:, 0] = False  # a row of padding alone would have nothing to attend to
        vectors = self.dropout(self.embedding(tokens)) + self.places[: tokens.shape[1]]
        encoded = self.encoder(vectors, src_key_padding_mask=padding)
        logits: Tensor = self.head(self.dropout(self.norm(mean_of_words(encoded, tokens))))
        return logits
