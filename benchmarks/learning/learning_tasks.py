"""What the learning benchmark trains: each task with its data, model and plain training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Literal

import datasets
from datasets import Data
from models import BagOfWords, Transformer, convolutional, perceptron
from torch import nn

Kind = Literal["clean", "noisy", "tail"]


@dataclass(frozen=True)
class Task:
    """A model, its data, and how plain training trains it."""

    name: str
    kind: Kind
    """noisy: a fifth of the training labels is wrong; tail: some classes are rare in training."""
    modality: Literal["images", "text", "tabular"]
    load: Callable[[], Data]
    """Reads the data at its first call in a process."""
    model: Callable[[int], nn.Module]
    """Takes the number of classes; draws from PyTorch's global generator."""
    epochs: int
    """Of full plain training."""
    batch_size: int
    weight_decay: float
    rates: tuple[float, ...]
    """Peak learning rates for AdamW to choose from, ascending, each twice the one before."""


def doubling(lowest: float) -> tuple[float, ...]:
    """Return five learning rates from *lowest* on."""
    return tuple(lowest * 2**power for power in range(5))


FASHION = Task(
    name="fashion",
    kind="clean",
    modality="images",
    load=cache(datasets.fashion),
    model=convolutional,
    epochs=12,
    batch_size=128,
    weight_decay=0.01,
    rates=doubling(2e-3),
)
MNIST = replace(FASHION, name="mnist", load=cache(datasets.mnist))
LETTERS = Task(
    name="letters",
    kind="clean",
    modality="tabular",
    load=cache(datasets.letters),
    model=lambda classes: perceptron(16, classes, 256),
    epochs=16,
    batch_size=128,
    weight_decay=0.01,
    rates=doubling(2e-3),
)
WORDNET = Task(
    name="wordnet",
    kind="clean",
    modality="text",
    load=cache(datasets.wordnet),
    model=partial(BagOfWords, datasets.VOCABULARY),
    epochs=10,
    batch_size=128,
    weight_decay=0.01,
    rates=doubling(2e-3),
)
SHUTTLE = Task(
    name="shuttle",
    kind="clean",
    modality="tabular",
    load=cache(datasets.shuttle),
    model=lambda classes: perceptron(9, classes, 64),
    epochs=14,
    batch_size=128,
    weight_decay=0.01,
    rates=doubling(2e-3),
)


def noisy(task: Task) -> Task:
    """Return the task with a fifth of its training labels made wrong."""
    return replace(
        task,
        name=f"{task.name}-noisy",
        kind="noisy",
        load=cache(lambda: datasets.with_wrong_labels(task.load())),
    )


def tail(task: Task, load: Callable[[], Data], most: int, epochs: int) -> Task:
    """Return the task with classes of *most* training rows down to a fiftieth of them."""
    return replace(
        task,
        name=f"{task.name}-tail",
        kind="tail",
        load=cache(lambda: datasets.with_long_tail(load(), most)),
        epochs=epochs,
    )


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        FASHION,
        MNIST,
        LETTERS,
        replace(LETTERS, name="letters-long", epochs=2 * LETTERS.epochs),
        WORDNET,
        replace(
            WORDNET,
            name="wordnet-transformer",
            load=cache(partial(datasets.wordnet, rows=10_000)),
            model=lambda classes: Transformer(datasets.VOCABULARY, classes, datasets.WORDS),
        ),
        SHUTTLE,
        *(noisy(task) for task in (FASHION, MNIST, LETTERS, WORDNET, SHUTTLE)),
        tail(FASHION, lambda: datasets.fashion(None), most=3000, epochs=14),
        tail(LETTERS, datasets.letters, most=600, epochs=40),
    )
}
