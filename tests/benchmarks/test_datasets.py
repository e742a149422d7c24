"""Subsets, splits, wrong labels and long tails of the learning benchmark, on made-up rows."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from datasets import Data
from torch import Tensor
from torch.utils.data import TensorDataset

CLASSES = 10


def rows_of(labels: Tensor) -> TensorDataset:
    """Return rows whose input is their number."""
    return TensorDataset(torch.arange(len(labels), dtype=torch.float32).unsqueeze(1), labels)


@pytest.fixture
def data() -> Data:
    draws = datasets.generator(0)
    train = torch.randint(CLASSES, (5000,), generator=draws)
    test = torch.randint(CLASSES, (1000,), generator=draws)
    return Data(rows_of(train), rows_of(test), CLASSES, None)


class TestSubset:
    """Rows drawn once and for all."""

    def test_it_is_the_same_each_time_and_touches_no_global_generator(self) -> None:
        """The draw hangs on its own seed alone, whatever the global state is."""
        labels = torch.zeros(100)
        torch.manual_seed(1)
        first = datasets.subset(labels, 30, seed=3)
        state = torch.get_rng_state()
        torch.manual_seed(2)
        assert first.equal(datasets.subset(labels, 30, seed=3))
        assert not first.equal(datasets.subset(labels, 30, seed=4))
        torch.manual_seed(1)
        assert state.equal(torch.get_rng_state())

    def test_no_row_twice(self) -> None:
        """Rows are drawn without replacement."""
        assert len(datasets.subset(torch.zeros(100), 90, seed=0).unique()) == 90


class TestSplit:
    """A split that a rare class survives."""

    LABELS = torch.tensor([0] * 100 + [1] * 40 + [2] * 2)

    def test_each_row_stands_on_one_side(self) -> None:
        """Nothing is lost and nothing is on both sides."""
        train, test = datasets.split(self.LABELS, 0.25, seed=1)
        assert torch.cat([train, test]).sort().values.tolist() == list(range(142))

    def test_classes_keep_their_share(self) -> None:
        """A quarter of each class is held out; of two rows one."""
        _, test = datasets.split(self.LABELS, 0.25, seed=1)
        assert torch.bincount(self.LABELS[test]).tolist() == [25, 10, 1]

    def test_it_is_the_same_each_time(self) -> None:
        """The same seed gives the same rows in the same order, another seed others."""
        first, again, other = (datasets.split(self.LABELS, 0.25, seed)[0] for seed in (1, 1, 2))
        assert first.equal(again)
        assert not first.equal(other)

    def test_rows_are_mixed(self) -> None:
        """The order of the training rows has no class structure."""
        train, _ = datasets.split(self.LABELS, 0.25, seed=1)
        assert not self.LABELS[train].equal(self.LABELS[train].sort().values)


class TestWrongLabels:
    """A fifth of the labels replaced."""

    def test_a_fifth_is_wrong_and_known(self, data: Data) -> None:
        """Exactly those that are told as wrong differ, all others are as they were."""
        noisy = datasets.with_wrong_labels(data)
        assert noisy.wrong is not None
        assert int(noisy.wrong.sum()) == 1000
        assert (noisy.train.tensors[1] != data.train.tensors[1]).equal(noisy.wrong)

    def test_wrong_labels_are_spread_over_the_other_classes(self, data: Data) -> None:
        """Each other class is drawn about as often, and nothing that is no class."""
        noisy = datasets.with_wrong_labels(data)
        moved = (noisy.train.tensors[1] - data.train.tensors[1])[noisy.wrong] % CLASSES
        counts = torch.bincount(moved, minlength=CLASSES)
        assert counts[0] == 0
        assert counts[1:].min() > 80
        assert noisy.train.tensors[1].max() == CLASSES - 1
        assert noisy.train.tensors[1].min() == 0

    def test_the_rest_is_untouched(self, data: Data) -> None:
        """Inputs and the whole test part are the very ones; the clean data keeps its labels."""
        before = data.train.tensors[1].clone()
        noisy = datasets.with_wrong_labels(data)
        assert noisy.test is data.test
        assert noisy.train.tensors[0] is data.train.tensors[0]
        assert data.train.tensors[1].equal(before)

    def test_it_is_the_same_each_time(self, data: Data) -> None:
        """The same labels are wrong in each run."""
        first, again = datasets.with_wrong_labels(data), datasets.with_wrong_labels(data)
        assert first.train.tensors[1].equal(again.train.tensors[1])


class TestLongTail:
    """Classes that grow rare."""

    def test_counts_fall_to_a_fiftieth(self, data: Data) -> None:
        """Counts fall exponentially, from the most to a fiftieth of it."""
        labels = datasets.with_long_tail(data, most=400).train.tensors[1]
        counts = torch.bincount(labels).tolist()
        assert counts[0] == 400
        assert counts[-1] == 8
        ratios = [after / before for before, after in pairwise(counts)]
        assert ratios == pytest.approx([50 ** (-1 / 9)] * 9, rel=0.05)

    def test_the_test_part_is_balanced(self, data: Data) -> None:
        """Each class has as many test rows as the rarest had."""
        labels = datasets.with_long_tail(data, most=400).test.tensors[1]
        rarest = int(torch.bincount(data.test.tensors[1]).min())
        assert torch.bincount(labels).tolist() == [rarest] * CLASSES

    def test_rows_keep_their_labels_and_their_order(self, data: Data) -> None:
        """A kept row is one of the old rows, with its label, in the old order."""
        inputs, labels = datasets.with_long_tail(data, most=400).train.tensors
        places = inputs.flatten().long()
        assert data.train.tensors[1][places].equal(labels)
        assert places.equal(places.sort().values)


class TestVocabulary:
    """New ids of words."""

    def test_ids_go_by_frequency(self) -> None:
        """The padding stays, frequent words come first, a word met once is any word."""
        tokens = torch.tensor([[7, 7, 7, 5], [5, 9, 0, 0]])
        ids = datasets.vocabulary(tokens, size=10, words=12)
        assert ids[[0, 7, 5, 9, 3]].tolist() == [0, 2, 3, 1, 1]

    def test_ids_stay_below_its_size(self) -> None:
        """Words beyond the size are any word too."""
        tokens = torch.arange(1, 12).repeat(2)
        assert sorted(datasets.vocabulary(tokens, size=5, words=12).tolist())[-1] == 4


class TestFiles:
    """Reading packed files."""

    def test_what_was_not_fetched_says_how(self, tmp_path: Path) -> None:
        """A missing file names the command that fetches it."""
        with pytest.raises(datasets.DataMissingError, match="make bench-data"):
            datasets.arrays_of(tmp_path / "fashion.npz")

    def test_images_lie_between_minus_one_and_one(self) -> None:
        """Grey values become one channel of floats."""
        images = datasets.images_of(np.array([[[0, 255]]], np.uint8))
        assert images.shape == (1, 1, 1, 2)
        assert images.flatten().tolist() == [-1, 1]

    def test_letters_need_no_fetching(self) -> None:
        """The demo's letters come by UCI's split, as float32 and int64."""
        letters = datasets.letters()
        features, labels = letters.train.tensors
        assert (features.shape, features.dtype) == ((16_000, 16), torch.float32)
        assert (len(letters.test), labels.dtype, letters.classes) == (4_000, torch.int64, 26)
        assert letters.wrong is None
