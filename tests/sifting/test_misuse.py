"""What realistic mistakes lead to: a word, never a wrong score in silence."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, Sampler

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftLossError, SiftStateError, SiftUsageError
from sift_toolkit.sifting import SiftingDataloader


class SomeRows(Sampler[list[int]]):
    """A batch sampler in torchvision's style: it names its sampler, but leaves rows out."""

    sampler = range(40)
    batch_size = 8

    def __iter__(self) -> Iterator[list[int]]:
        yield from (list(range(8)), list(range(10, 18)), list(range(20, 26)))

    def __len__(self) -> int:
        return 3


class SizedStream(IterableDataset[Any]):
    """A stream that says how long it is."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(20))

    def __len__(self) -> int:
        return 20


class TestMissingLosses:
    """A training loop that skips `reduce` for a batch."""

    def run(self, toy: Any, *, names_batch: bool, notes: list[str]) -> SiftingDataloader:
        """Skip the third batch of each of three epochs."""
        loader: SiftingDataloader = toy.sifted(scores="memory", epochs=3, on_note=notes.append)
        for _ in range(3):
            for place, batch in enumerate(loader):
                if place != 2:
                    losses = batch[2].float()
                    loader.reduce(losses, batch if names_batch else None)
        return loader

    def test_it_is_said_once(self, toy: Any) -> None:
        """Losses may have gone to other samples, and the note says how to prevent that."""
        notes: list[str] = []
        self.run(toy, names_batch=False, notes=notes)
        (note,) = [note for note in notes if "never came back" in note]
        assert "reduce(losses, batch)" in note

    def test_a_batch_that_is_named_keeps_every_loss_right(self, toy: Any) -> None:
        """With the batch named, each sample has its own loss or none."""
        notes: list[str] = []
        loader = self.run(toy, names_batch=True, notes=notes)
        losses = loader.state_dict()["engine"]["memory"]["losses"]
        known = ~losses.isnan()
        assert torch.equal(losses[known], torch.arange(40.0)[known])
        assert int(known.sum()) >= 32
        assert not [note for note in notes if "never came back" in note]


class TestArguments:
    """Arguments of the wrong kind are refused in words, all of them at once."""

    def test_all_at_once(self, toy: Any) -> None:
        """A dict for a config, a number for a loader, a string for epochs."""
        with pytest.raises(SiftUsageError) as caught:
            SiftingDataloader(
                sift_config={"keep": 0.5},  # type: ignore[arg-type] # the mistake
                orig_dataloader=3,  # type: ignore[arg-type] # the mistake
                loss_impl=toy.loss,
                model=toy.model,
                epochs="3",  # type: ignore[arg-type] # the mistake
            )
        for words in ("sift_config must be a SiftConfig", "must be iterable", "epochs must be"):
            assert words in str(caught.value)

    @pytest.mark.parametrize("epochs", [0, -1, 2.5, True])
    def test_epochs_is_a_count(self, toy: Any, epochs: Any) -> None:
        """No epochs, fractions and flags are no number of epochs."""
        with pytest.raises(SiftUsageError, match="epochs must be a whole number from 1"):
            toy.sifted(epochs=epochs)

    def test_losses_are_a_tensor(self, toy: Any) -> None:
        """A list of numbers is refused with what is wanted."""
        loader = toy.sifted()
        next(iter(loader))
        with pytest.raises(SiftLossError, match=r"a tensor of shape \(batch,\), got list"):
            loader.reduce([1.0] * 8)

    def test_memory_in_one_epoch_is_said_to_keep_all(self, toy: Any) -> None:
        """Nothing can be sifted by what no epoch before has shown."""
        notes: list[str] = []
        toy.sifted(scores="memory", epochs=1, on_note=notes.append)
        assert "all are kept" in notes[0]


class TestLength:
    """Lengths are exact where they can be known, and the plain twin's are the loader's own."""

    @pytest.mark.parametrize(
        "inner",
        [
            pytest.param(lambda toy: DataLoader(toy.rows(40), batch_sampler=SomeRows()), id="own"),
            pytest.param(lambda toy: DataLoader(toy.rows(40), batch_size=None), id="no batches"),
            pytest.param(lambda _: DataLoader(SizedStream(), batch_size=8), id="sized stream"),
        ],
    )
    def test_the_plain_twin_has_the_length_of_the_loader_inside(self, toy: Any, inner: Any) -> None:
        """A script whose schedule asks for len(loader) works with sifting off."""
        given = inner(toy)
        loader = toy.sifted(given, enabled=False, epochs=3)
        assert len(loader) == len(given)
        assert loader.total_steps() == 3 * len(given)

    def test_a_batch_sampler_that_leaves_rows_out_promises_no_length(self, toy: Any) -> None:
        """What cannot be known is not guessed from the sampler it names."""
        loader = toy.sifted(DataLoader(toy.rows(40), batch_sampler=SomeRows()), scores="fresh")
        with pytest.raises(TypeError, match="no known number of rows"):
            len(loader)

    def test_samples_barred_for_good_shorten_the_epochs_as_foretold(self, toy: Any) -> None:
        """With nonfinite="drop" a quota above the finite rows is not owed for ever."""
        loader = toy.sifted(scores="memory", keep=0.95, nonfinite="drop", rescore_every=300)
        for _ in range(5):
            foretold, given = len(loader), 0
            for batch in loader:
                losses = torch.ones(len(batch[2]))
                losses[batch[2] % 5 == 0] = torch.nan
                loader.reduce(losses)
                given += 1
            assert given == foretold
        assert given == 4


def test_an_empty_batch_is_passed_over(toy: Any) -> None:
    """A batch of no rows, also as the very first one, is no reason to stop."""
    rows = toy.rows(16).tensors
    batches = [
        [each[:0] for each in rows],
        [each[:8] for each in rows],
        [each[8:] for each in rows],
    ]
    assert sum(len(numbers) for numbers in toy.epoch(toy.sifted(batches, scores="fresh"))) == 8


def test_never_rescored(toy: Any) -> None:
    """Above 255 visits are not counted, and nobody is chosen for certain."""
    loader = toy.sifted(law="percentile", scores="memory", rescore_every=256, keep=0.1)
    for _ in range(260):
        for batch in loader:
            loader.reduce((batch[2] > 3).float() * batch[2])
    state = loader.state_dict()["engine"]["memory"]
    assert int(state["passed_over"].max()) == 255


class TestState:
    """What may and may not differ between the loader that saved and the one that loads."""

    def test_how_often_it_reports_may_change(self, toy: Any) -> None:
        """Another log_every or gate is the same run."""
        state = toy.sifted(log_every=50).state_dict()
        toy.sifted(log_every=5, gate="off").load_state_dict(state)

    def test_something_else_is_no_state(self, toy: Any) -> None:
        """A dict with a version alone is refused in words."""
        with pytest.raises(SiftStateError, match="no state of a SiftingDataloader"):
            toy.sifted().load_state_dict({"version": 1})

    def test_a_config_of_numpy_numbers_loads_safely(self, toy: Any) -> None:
        """np.float64 is a float; the state holds a plain one, as weights_only loading needs."""
        file = io.BytesIO()
        torch.save(toy.sifted(keep=np.float64(0.25)).state_dict(), file)
        file.seek(0)
        toy.sifted(keep=0.25).load_state_dict(torch.load(file, weights_only=True))
        assert type(SiftConfig(keep=np.float64(0.25)).keep) is float
