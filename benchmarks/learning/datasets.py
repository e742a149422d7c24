"""The real data that the learning benchmark trains and tests on, and two ways to spoil it.

Everything is drawn from generators with fixed seeds of their own: each run, arm and machine has the
same rows in the same order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

FOLDER = Path(__file__).parents[1] / "data"
LETTERS = Path(__file__).parents[2] / "demo" / "letters" / "data" / "letters.npz"

VOCABULARY = 6000
"""Token ids are below it: 0 is padding, 1 any rarer word."""
WORDS = 16
"""Of a definition; 83 % have no more."""

Part = tuple[Tensor, Tensor]
"""Inputs and labels of as many rows."""


class Data(NamedTuple):
    """What a task learns from and is judged by."""

    train: TensorDataset
    """Inputs, as float32 or as int64 token ids, and int64 labels."""
    test: TensorDataset
    """The same; its labels are right, whatever was done to the others."""
    classes: int
    wrong: Tensor | None
    """Which training labels were made wrong, bool, shape (training rows,); None: none was."""


class DataMissingError(Exception):
    """The data has not been fetched."""


def generator(seed: int) -> torch.Generator:
    """Return a random generator that nothing else draws from."""
    return torch.Generator().manual_seed(seed)


def arrays_of(path: Path) -> dict[str, Any]:
    """Return the arrays of a packed file.

    Raises:
        DataMissingError: it is not there.
    """
    if not path.exists():
        msg = f"{path.name} has not been fetched yet: run `make bench-data`"
        raise DataMissingError(msg)
    with np.load(path) as archive:
        return dict(archive)


def labels_of(array: Any) -> Tensor:
    """Return labels as PyTorch's losses take them."""
    return torch.from_numpy(array.astype(np.int64))


def images_of(array: Any) -> Tensor:
    """Return grey values 0..255 of shape (rows, 28, 28) as (rows, 1, 28, 28), about -1..1."""
    return torch.from_numpy(array.astype(np.float32)).unsqueeze(1) / 127.5 - 1


def subset(labels: Tensor, rows: int, seed: int) -> Tensor:
    """Return the places of *rows* rows, drawn without regard to class, in mixed order."""
    return torch.randperm(len(labels), generator=generator(seed))[:rows]


def split(labels: Tensor, test_share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return the places of the training and of the test rows, each in mixed order.

    Every class is split by the same share, a rare one too: at least one row of each stands on
    either side.
    """
    draws = generator(seed)
    train, test = [], []
    for label in labels.unique():  # type: ignore[no-untyped-call] # torch's own gap
        places = (labels == label).nonzero().flatten()
        places = places[torch.randperm(len(places), generator=draws)]
        held_out = min(max(round(len(places) * test_share), 1), len(places) - 1)
        test.append(places[:held_out])
        train.append(places[held_out:])
    return tuple(  # type: ignore[return-value] # two parts, two tensors
        places[torch.randperm(len(places), generator=draws)]
        for places in (torch.cat(train), torch.cat(test))
    )


def data_of(train: Part, test: Part) -> Data:
    """Return clean data; every class stands in the training part."""
    classes = int(train[1].max()) + 1
    return Data(TensorDataset(*train), TensorDataset(*test), classes, None)


def fashion(rows: int | None = 10_000) -> Data:
    """Return Fashion-MNIST: *rows* of its 60,000 to train on (None: all), its 10,000 to test on."""
    arrays = arrays_of(FOLDER / "fashion.npz")
    labels = labels_of(arrays["train_labels"])
    chosen = subset(labels, rows or len(labels), seed=1)
    return data_of(
        (images_of(arrays["train_images"][chosen.numpy()]), labels[chosen]),
        (images_of(arrays["test_images"]), labels_of(arrays["test_labels"])),
    )


def mnist() -> Data:
    """Return 8,000 digits of MNIST to train on and 2,000 to test on."""
    arrays = arrays_of(FOLDER / "mnist.npz")
    images, labels = images_of(arrays["images"]), labels_of(arrays["labels"])
    train, test = split(labels, 0.2, seed=2)
    return data_of((images[train], labels[train]), (images[test], labels[test]))


def letters() -> Data:
    """Return UCI Letter Recognition by its authors' split: 16,000 rows and 4,000."""
    arrays = arrays_of(LETTERS)
    return data_of(
        *(
            # Every feature runs from 0 to 15.
            (
                torch.from_numpy((arrays[f"{part}_features"].astype(np.float32) - 7.5) / 4),
                labels_of(arrays[f"{part}_labels"]),
            )
            for part in ("train", "test")
        )
    )


def wordnet(rows: int = 20_000, test_rows: int = 5_000) -> Data:
    """Return definitions of words, to be told which of 41 categories the word belongs to."""
    arrays = arrays_of(FOLDER / "wordnet.npz")
    labels = labels_of(arrays["labels"])
    tokens = torch.from_numpy(arrays["tokens"][:, :WORDS].astype(np.int64))
    chosen = subset(labels, rows + test_rows, seed=3)
    train, test = chosen[:rows], chosen[rows:]
    known = vocabulary(tokens[train])
    return data_of((known[tokens[train]], labels[train]), (known[tokens[test]], labels[test]))


def vocabulary(tokens: Tensor, size: int = VOCABULARY, words: int = 2**16) -> Tensor:
    """Return the new id of every old one, shape (*words*,): ids are given by frequency in *tokens*.

    0, the padding, stays 0; the *size* - 2 most frequent words have ids from 2 on, if they stand
    there twice; all others have 1.
    """
    counts = torch.bincount(tokens.flatten(), minlength=words)
    counts[0] = 0
    frequent = counts.argsort(descending=True, stable=True)[: size - 2]
    frequent = frequent[counts[frequent] > 1]
    ids = torch.ones(words, dtype=torch.int64)
    ids[frequent] = torch.arange(2, 2 + len(frequent))
    ids[0] = 0
    return ids


def shuttle(rows: int = 20_000) -> Data:
    """Return Statlog Shuttle, seven classes from 79 % down to a few rows.

    A quarter of each class is to test on. Of the rest, the three common classes alone are thinned
    until about *rows* are left, each by the same share.
    """
    arrays = arrays_of(FOLDER / "shuttle.npz")
    labels = labels_of(arrays["labels"])
    features = torch.from_numpy(arrays["features"].astype(np.float32))
    train, test = split(labels, 0.25, seed=4)
    counts = torch.bincount(labels[train])
    common = (counts > 1000)[labels[train]]
    share = (rows - int((~common).sum())) / int(common.sum())
    keep = ~common | (torch.rand(len(train), generator=generator(5)) < share)
    train = train[keep]
    # Some features have a few values a thousand times the usual ones.
    centre = features[train].median(dim=0).values
    spread = (features[train] - centre).abs().mean(dim=0)
    squeezed = ((features - centre) / spread).asinh()
    return data_of((squeezed[train], labels[train]), (squeezed[test], labels[test]))


def with_wrong_labels(data: Data, share: float = 0.2, seed: int = 6) -> Data:
    """Return the data with *share* of the training labels replaced, each by any other class."""
    inputs, labels = data.train.tensors
    draws = generator(seed)
    places = torch.randperm(len(labels), generator=draws)[: round(share * len(labels))]
    wrong = torch.zeros(len(labels), dtype=torch.bool)
    wrong[places] = True
    moves = torch.randint(1, data.classes, (len(labels),), generator=draws)
    noisy = torch.where(wrong, (labels + moves) % data.classes, labels)
    return data._replace(train=TensorDataset(inputs, noisy), wrong=wrong)


def with_long_tail(data: Data, most: int, imbalance: float = 50.0) -> Data:
    """Return the data with classes that grow rare exponentially, and a balanced test part.

    Class 0 keeps *most* training rows, or all it has, the last class 1 / *imbalance* of *most*;
    these are the first in the order of the data. Of the test rows each class keeps as many as the
    rarest has.
    """
    last = data.classes - 1
    counts = [round(most * imbalance ** (-label / last)) for label in range(data.classes)]
    test_labels = data.test.tensors[1]
    rarest = int(torch.bincount(test_labels, minlength=data.classes).min())
    return data._replace(
        train=firsts(data.train, counts), test=firsts(data.test, [rarest] * data.classes)
    )


def firsts(rows: TensorDataset, counts: list[int]) -> TensorDataset:
    """Return the first rows of each class, as many as *counts* says, in their old order."""
    inputs, labels = rows.tensors
    chosen = torch.cat(
        [(labels == label).nonzero().flatten()[:count] for label, count in enumerate(counts)]
    )
    chosen = chosen.sort().values
    return TensorDataset(inputs[chosen], labels[chosen])
