"""The user's loader: its shape, its epochs, and the way back to the same place in one."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

from sift_toolkit import SiftStateError
from sift_toolkit.sifting._rng import kept_global_state
from sift_toolkit.sifting._schedule import EpochShape
from sift_toolkit.sifting._source import Source, shape_of

Unmoved = Callable[[], AbstractContextManager[None]]

ROWS = 23
BATCH_SIZE = 4
BATCHES = 6


class Numbers(Dataset[float]):
    """Numbers, a little off at random, as augmented images are."""

    def __init__(self, rows: int = ROWS, *, augmented: bool = False) -> None:
        self._rows = rows
        self._augmented = augmented

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, index: int) -> float:
        noise = random.random() + float(torch.rand(())) if self._augmented else 0.0
        return index + noise / 4


class Stream(IterableDataset[int]):
    """Numbers nobody knows the end of."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(ROWS))


class NumpySampler(Sampler[int]):
    """Shuffles by numpy's global random state, as many users' samplers do."""

    def __iter__(self) -> Iterator[int]:
        return iter(np.random.permutation(ROWS).tolist())  # noqa: NPY002 - as users do

    def __len__(self) -> int:
        return ROWS


def seeded(**arguments: Any) -> DataLoader[Any]:
    """Return a loader that shuffles by a generator of its own."""
    return DataLoader(
        Numbers(), BATCH_SIZE, shuffle=True, generator=torch.Generator().manual_seed(3), **arguments
    )


def by_epoch() -> DataLoader[Any]:
    """Return a loader whose order follows from the number of the epoch."""
    return DataLoader(
        Numbers(),
        BATCH_SIZE,
        sampler=DistributedSampler(Numbers(), num_replicas=1, rank=0, seed=5),
    )


LOADERS: dict[str, Callable[[], Any]] = {
    "in order": lambda: DataLoader(Numbers(), BATCH_SIZE),
    "seeded": seeded,
    "unseeded": lambda: DataLoader(Numbers(), BATCH_SIZE, shuffle=True),
    "subset": lambda: DataLoader(Numbers(), BATCH_SIZE, sampler=SubsetRandomSampler(range(ROWS))),
    "weighted": lambda: DataLoader(
        Numbers(), BATCH_SIZE, sampler=WeightedRandomSampler([1.0] * ROWS, ROWS)
    ),
    "with replacement": lambda: DataLoader(
        Numbers(), BATCH_SIZE, sampler=RandomSampler(Numbers(), replacement=True)
    ),
    "own batch sampler": lambda: DataLoader(
        Numbers(),
        batch_sampler=BatchSampler(
            RandomSampler(Numbers(), generator=torch.Generator().manual_seed(1)), BATCH_SIZE, False
        ),
    ),
    "numpy": lambda: DataLoader(Numbers(), BATCH_SIZE, sampler=NumpySampler()),
    "by epoch": by_epoch,
    "stream": lambda: DataLoader(Stream(), BATCH_SIZE),
    "list": lambda: [torch.arange(BATCH_SIZE) + BATCH_SIZE * place for place in range(BATCHES)],
}


def disturb() -> None:
    """Move every global random state, as a training step does."""
    torch.rand(3)
    random.random()
    np.random.rand()  # noqa: NPY002 - the global state is the subject


def read(source: Source, batches: int | None = None) -> list[list[float]]:
    """Read batches of the epoch under way, all that are left if no number is given."""
    found: list[list[float]] = []
    while batches is None or len(found) < batches:
        try:
            found.append(source.next().tolist())
        except StopIteration:
            source.end()
            break
        disturb()
    return found


def saved(source: Source) -> dict[str, Any]:
    """Return a source's state as it comes out of a checkpoint."""
    file = io.BytesIO()
    torch.save(source.state_dict(), file)
    file.seek(0)
    state: dict[str, Any] = torch.load(file, weights_only=True)
    return state


class TestEpochs:
    """Reading one epoch after the other."""

    @pytest.mark.parametrize("kind", LOADERS)
    def test_an_epoch_is_the_loaders(self, kind: str) -> None:
        """The batches are those that the plain loader gives in the same state."""
        with kept_global_state():
            torch.manual_seed(0)
            np.random.seed(0)  # noqa: NPY002 - the global state is the subject
            expected = [batch.tolist() for batch in LOADERS[kind]()]
            torch.manual_seed(0)
            np.random.seed(0)  # noqa: NPY002 - the global state is the subject
            source = Source(LOADERS[kind]())
            source.begin()
            assert [source.next().tolist() for _ in range(BATCHES)] == expected

    def test_the_end_of_an_epoch_is_told(self) -> None:
        """An epoch ends as any iterator does, and stays ended."""
        source = Source([torch.ones(2)])
        source.begin()
        source.next()
        for _ in range(2):
            with pytest.raises(StopIteration):
                source.next()
        source.end()
        with pytest.raises(StopIteration):
            source.next()

    def test_an_epoch_begins_anew(self) -> None:
        """A new epoch starts at the first batch, whatever was left of the one before."""
        source = Source(LOADERS["list"]())
        source.begin()
        first = read(source, 2)
        source.begin()
        assert read(source, 2) == first


class TestResume:
    """Coming back to the same place."""

    @pytest.mark.parametrize("given", [1, 3, BATCHES])
    @pytest.mark.parametrize("epochs_before", [0, 1])
    @pytest.mark.parametrize("kind", LOADERS)
    def test_the_rest_of_an_epoch_is_the_same(
        self, kind: str, epochs_before: int, given: int, unmoved_rng: Unmoved
    ) -> None:
        """In another process, with other random states, an epoch goes on in its own order."""
        with kept_global_state():
            source = Source(LOADERS[kind]())
            for epoch in range(epochs_before + 1):
                if kind == "by epoch":
                    source._loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined] # it has one
                source.begin()
                if epoch < epochs_before:
                    read(source)
            read(source, given)
            state = saved(source)
            expected = read(source)
            disturb()
            resumed = Source(LOADERS[kind]())
            resumed.load_state_dict(state, mid_epoch=True)
            with unmoved_rng():
                resumed.begin()
            assert read(resumed) == expected
            assert len(expected) == BATCHES - given

    @pytest.mark.parametrize("kind", ["in order", "seeded", "own batch sampler", "list"])
    def test_the_epochs_after_are_the_same(self, kind: str) -> None:
        """What a loader's own generators draw next is the same as well, mid-epoch or between."""
        for given, mid_epoch in ((2, True), (BATCHES, False)):
            source = Source(LOADERS[kind]())
            source.begin()
            read(source, given if mid_epoch else None)
            state = saved(source)
            resumed = Source(LOADERS[kind]())
            resumed.load_state_dict(state, mid_epoch=mid_epoch)
            rest: list[list[list[float]]] = []
            for each in (source, resumed):
                if each is resumed and mid_epoch:
                    each.begin()
                read(each)
                each.begin()
                rest.append(read(each))
            assert rest[0] == rest[1]

    @pytest.mark.parametrize("kind", LOADERS)
    def test_an_epoch_of_which_nothing_was_read_is_drawn_now(self, kind: str) -> None:
        """Samplers draw at the first batch: where there was none, from the user's own states."""
        with kept_global_state():
            source = Source(LOADERS[kind]())
            source.begin()
            state = saved(source)
            with kept_global_state():
                expected = read(source)
                after = float(torch.rand(()))
            resumed = Source(LOADERS[kind]())
            resumed.load_state_dict(state, mid_epoch=True)
            resumed.begin()
            assert read(resumed) == expected
            assert float(torch.rand(())) == after

    def test_a_saved_place_can_be_saved_again(self) -> None:
        """A state loaded and saved before anything was read is the same state."""
        source = Source(seeded())
        source.begin()
        read(source, 2)
        first = saved(source)
        resumed = Source(seeded())
        resumed.load_state_dict(first, mid_epoch=True)
        again = Source(seeded())
        again.load_state_dict(saved(resumed), mid_epoch=True)
        again.begin()
        assert read(again) == read(source)

    def test_augmentations_go_on_where_the_user_left_them(self) -> None:
        """With the global states restored by the user, even random augmentations are the same."""

        def loader() -> DataLoader[Any]:
            return DataLoader(Numbers(augmented=True), BATCH_SIZE, shuffle=True)

        with kept_global_state():
            source = Source(loader())
            source.begin()
            read(source, 2)
            state = saved(source)
            with kept_global_state():
                expected = read(source)
            resumed = Source(loader())
            resumed.load_state_dict(state, mid_epoch=True)
            resumed.begin()
            assert read(resumed) == expected

    def test_workers_draw_the_same(self) -> None:
        """With worker processes the rest of an epoch is the same, their random numbers included."""

        def loader() -> DataLoader[Any]:
            return DataLoader(Numbers(augmented=True), BATCH_SIZE, shuffle=True, num_workers=1)

        source = Source(loader())
        source.begin()
        read(source, 2)
        state = saved(source)
        expected = read(source)
        resumed = Source(loader())
        resumed.load_state_dict(state, mid_epoch=True)
        resumed.begin()
        assert read(resumed) == expected

    def test_a_shorter_loader_is_refused(self) -> None:
        """A loader that ends before the saved place is another one, and the message says so."""
        source = Source(seeded())
        source.begin()
        read(source, 5)
        resumed = Source(
            DataLoader(Numbers(8), BATCH_SIZE, shuffle=True, generator=torch.Generator())
        )
        resumed.load_state_dict(source.state_dict(), mid_epoch=True)
        with pytest.raises(
            SiftStateError, match="after batch 5 of an epoch, this loader gives only 2"
        ):
            resumed.begin()

    def test_a_loader_of_another_make_is_refused(self) -> None:
        """A seeded order cannot be drawn again by an unseeded loader."""
        source = Source(seeded())
        with pytest.raises(SiftStateError, match="shuffle with a seeded generator in both"):
            Source(LOADERS["unseeded"]()).load_state_dict(source.state_dict(), mid_epoch=False)


class StatefulLoader:
    """A loader that knows its own place, as torchdata's StatefulDataLoader does."""

    def __init__(self) -> None:
        self.place = 0
        self.resumes_at = 0
        self.iterations = 0

    def __iter__(self) -> Iterator[torch.Tensor]:
        self.iterations += 1
        self.place, self.resumes_at = self.resumes_at, 0
        while self.place < BATCHES:
            self.place += 1
            yield torch.tensor([self.place])

    def state_dict(self) -> dict[str, int]:
        """Return the place."""
        return {"place": self.place}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on at a place."""
        self.resumes_at = state["place"]


class TestStatefulLoader:
    """A loader that comes back to its place by itself."""

    def test_one_that_says_it_has_none_is_replayed(self) -> None:
        """Accelerate's loaders have the methods, and a state only where they say so."""

        class Prepared(StatefulLoader):
            use_stateful_dataloader = False

            def state_dict(self) -> dict[str, int]:
                raise AttributeError

        source = Source(Prepared())
        source.begin()
        read(source, 2)
        resumed = Source(Prepared())
        resumed.load_state_dict(saved(source), mid_epoch=True)
        resumed.begin()
        assert resumed.next().item() == 3

    def test_it_is_asked_and_not_replayed(self) -> None:
        """The loader's own state travels along, and no batch is read twice."""
        source = Source(StatefulLoader())
        source.begin()
        read(source, 2)
        state = saved(source)
        loader = StatefulLoader()
        resumed = Source(loader)
        resumed.load_state_dict(state, mid_epoch=True)
        resumed.begin()
        assert read(resumed) == read(source) == [[3], [4], [5], [6]]
        assert loader.iterations == 1

    def test_an_epoch_that_ended_is_not_begun_again(self) -> None:
        """Where the loader had nothing left, it has nothing left when the run goes on."""
        source = Source(StatefulLoader())
        source.begin()
        read(source)
        loader = StatefulLoader()
        resumed = Source(loader)
        resumed.load_state_dict(saved(source), mid_epoch=True)
        resumed.begin()
        assert read(resumed) == []
        assert loader.iterations == 0

    def test_its_next_epoch_is_whole(self) -> None:
        """After the resumed epoch the next one starts at the beginning."""
        source = Source(StatefulLoader())
        source.begin()
        read(source, 4)
        resumed = Source(StatefulLoader())
        resumed.load_state_dict(saved(source), mid_epoch=True)
        for expected in (2, BATCHES):
            resumed.begin()
            assert len(read(resumed)) == expected


class Told(Sampler[int]):
    """A sampler that is told the epoch, but does not tell it."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(ROWS))

    def set_epoch(self, epoch: int) -> None:
        """Listen."""


def test_a_sampler_that_tells_no_epoch_is_not_asked() -> None:
    """A sampler with `set_epoch` alone is left to the user, and read like any other."""
    source = Source(DataLoader(Numbers(), BATCH_SIZE, sampler=Told()))
    source.begin()
    read(source, 2)
    resumed = Source(DataLoader(Numbers(), BATCH_SIZE, sampler=Told()))
    resumed.load_state_dict(saved(source), mid_epoch=True)
    resumed.begin()
    assert read(resumed) == read(source)


class OwnBatches(Sampler[list[int]]):
    """A batch sampler that says what it is made of, but not what becomes of the last batch."""

    sampler = range(9)
    batch_size = 4

    def __iter__(self) -> Iterator[list[int]]:
        yield from ([0, 1, 2, 3], [4, 5, 6, 7], [8])


class NoLength(Sampler[int]):
    """A sampler that does not say how long it is."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(ROWS))


class TestShape:
    """What an epoch looks like, known without reading."""

    @pytest.mark.parametrize(
        ("loader", "shape"),
        [
            pytest.param(
                DataLoader(Numbers(), BATCH_SIZE),
                EpochShape(rows=ROWS, batch_size=BATCH_SIZE, drop_last=False),
                id="plain",
            ),
            pytest.param(
                DataLoader(Numbers(), BATCH_SIZE, drop_last=True),
                EpochShape(rows=ROWS, batch_size=BATCH_SIZE, drop_last=True),
                id="drop last",
            ),
            pytest.param(
                DataLoader(Numbers(), BATCH_SIZE, sampler=SubsetRandomSampler(range(9))),
                EpochShape(rows=9, batch_size=BATCH_SIZE, drop_last=False),
                id="sampler",
            ),
            pytest.param(
                DataLoader(
                    Numbers(), batch_sampler=BatchSampler(SequentialSampler(range(9)), 2, True)
                ),
                EpochShape(rows=9, batch_size=2, drop_last=True),
                id="batch sampler",
            ),
            pytest.param(
                DataLoader(Numbers(), batch_sampler=OwnBatches()),
                None,
                id="own batch sampler, which may leave rows out",
            ),
            pytest.param(DataLoader(Stream(), BATCH_SIZE), None, id="stream"),
            pytest.param(DataLoader(Numbers(), None), None, id="no batches"),
            pytest.param(
                DataLoader(Numbers(), BATCH_SIZE, sampler=NoLength()), None, id="no length"
            ),
            pytest.param(DataLoader(Numbers(), batch_sampler=[[0, 1], [2]]), None, id="list"),
            pytest.param([torch.ones(2)], None, id="iterable"),
        ],
    )
    def test_it_is_read_off_the_loader(self, loader: Any, shape: EpochShape | None) -> None:
        """Rows, batch size and the last batch's fate are those of the loader; None if unknown."""
        assert shape_of(loader) == shape
