"""A run that was saved, ended and resumed is the run that was not: one contract, both engines."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Generator, Tensor
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, WeightedRandomSampler

from sift_toolkit.errors import SiftStateError
from sift_toolkit.sifting import SiftingDataloader

EPOCHS = 3
ROWS = 37
BATCH_SIZE = 8

MakeInner = Callable[[], Any]


class Numbered(Dataset[Any]):
    """Rows (features, label, number), the features with noise from every global generator."""

    def __init__(self, rows: int, *, noise: bool) -> None:
        self._rows = rows
        self._noise = noise

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, number: int) -> tuple[Tensor, int, int]:
        features = torch.sin(number * torch.tensor([0.3, 0.7, 1.1, 1.9]))
        if self._noise:
            legacy = np.random.rand()  # noqa: NPY002 - what users' transforms draw from
            features = features + 0.1 * (torch.randn(4) + random.random() + float(legacy))
        return features, number % 3, number


class Process:
    """All that a training process holds: made anew, nothing in it is from the process before."""

    def __init__(self, make_toy: Any, inner: Any, **config: Any) -> None:
        self.toy = make_toy()
        self.loader: SiftingDataloader = self.toy.sifted(inner, epochs=EPOCHS, **config)

    def save(self) -> bytes:
        """Return a checkpoint."""
        kind, keys, *rest = np.random.get_state()  # noqa: NPY002 - the global state
        content = {
            "loader": self.loader.state_dict(),
            "model": self.toy.model.state_dict(),
            "optimizer": self.toy.optimizer.state_dict(),
            "torch": torch.get_rng_state(),
            "numpy": [kind, keys.tolist(), *rest],
        }
        file = io.BytesIO()
        torch.save(content, file)
        return file.getvalue()

    def load(self, checkpoint: bytes, python_state: Any) -> None:
        """Go on from a checkpoint, as a script does at its start."""
        content = torch.load(io.BytesIO(checkpoint), weights_only=True)
        self.toy.model.load_state_dict(content["model"])
        self.toy.optimizer.load_state_dict(content["optimizer"])
        self.loader.load_state_dict(content["loader"])
        torch.set_rng_state(content["torch"])
        np.random.set_state(tuple(content["numpy"]))  # noqa: NPY002 - the global state
        random.setstate(python_state)

    def epoch(self) -> Iterator[Any]:
        """Train on an epoch, yield each batch after its step."""
        for batch in self.loader:
            self.toy.step(self.loader, batch)
            yield batch

    def facts(self) -> list[Any]:
        """Return what else must be the same in the end."""
        state = self.loader.state_dict()
        meter = {key: value for key, value in state["meter"].items() if "seconds" not in key}
        weights = [parameter.tolist() for parameter in self.toy.model.parameters()]
        return [weights, meter, state["position"], torch.get_rng_state().tolist()]


class Place(NamedTuple):
    """When a run is saved."""

    epoch: int
    batch: int | None
    """After so many batches of the epoch, 0: iter() was called, nothing more; None: before it."""


EVERYWHERE = (
    Place(0, None),
    Place(0, 3),
    Place(1, None),
    Place(1, 0),
    Place(1, 2),
    Place(1, -1),
    Place(2, 1),
)
"""The start, the middle, the end, and a later epoch."""
LATER = (Place(1, 2),)


def begin() -> None:
    """Put every global generator where a run begins."""
    torch.manual_seed(7)
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002 - the global state


def same(first: Any, second: Any) -> bool:
    """Whether two batches are identical to the last bit."""
    return all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def run_resume_contract(
    make_process: Callable[[], Process],
    places: Sequence[Place] = LATER,
    facts: Callable[[Process], Any] = Process.facts,
) -> None:
    """Save at each place, go on in new objects, and compare with the run without interruption."""
    begin()
    whole = make_process()
    expected = [list(whole.epoch()) for _ in range(EPOCHS)]
    expected_facts = facts(whole)
    for place in places:
        begin()
        first = make_process()
        for _ in range(place.epoch):
            list(first.epoch())
        done = 0
        if place.batch is not None:
            done = place.batch % (len(expected[place.epoch]) + 1)
            epoch = iter(first.loader)
            for _ in range(done):
                first.toy.step(first.loader, next(epoch))
            del epoch
        checkpoint, python_state = first.save(), random.getstate()
        del first

        torch.manual_seed(123)
        second = make_process()
        second.load(checkpoint, python_state)
        resumed = [list(second.epoch()) for _ in range(EPOCHS - place.epoch)]
        rest = [expected[place.epoch][done:], *expected[place.epoch + 1 :]]
        assert [len(epoch) for epoch in resumed] == [len(epoch) for epoch in rest], place
        for epoch, expected_epoch in zip(resumed, rest, strict=True):
            assert all(map(same, epoch, expected_epoch)), place
        assert facts(second) == expected_facts, place


def plain(dataset: Dataset[Any] | None = None, **arguments: Any) -> DataLoader[Any]:
    """Return a loader over quiet rows."""
    dataset = dataset or Numbered(ROWS, noise=False)
    return DataLoader(dataset, batch_size=BATCH_SIZE, **arguments)


RICH = {"keep": 0.7, "keep_end": 0.3, "anneal": 0.2, "correction": 0.5, "leftover": "carry"}


@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_unseeded_shuffle(make_toy: Any, scores: str) -> None:
    """The order is drawn from the global generator, and so is noise in the data."""

    def make() -> Process:
        inner = plain(Numbered(ROWS, noise=True), shuffle=True)
        return Process(make_toy, inner, scores=scores, **RICH)

    run_resume_contract(make, EVERYWHERE)


@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_seeded_shuffle(make_toy: Any, scores: str) -> None:
    """The order is drawn from the loader's own generator."""

    def make() -> Process:
        inner = plain(shuffle=True, generator=Generator().manual_seed(5), drop_last=True)
        return Process(make_toy, inner, scores=scores)

    run_resume_contract(make, EVERYWHERE)


@pytest.mark.parametrize("generator", [None, 3], ids=["unseeded", "seeded"])
@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_with_workers(make_toy: Any, scores: str, generator: int | None) -> None:
    """Two workers that load ahead change nothing."""

    def make() -> Process:
        seeded = None if generator is None else Generator().manual_seed(generator)
        inner = plain(shuffle=True, generator=seeded, num_workers=2)
        return Process(make_toy, inner, scores=scores, **RICH)

    run_resume_contract(make)


def test_noise_made_by_workers_is_the_same_with_fresh_scores(make_toy: Any) -> None:
    """What was given out is loaded again, so that the workers' generators come to the same place.

    A memory does not load again what was given out; its noise inside of workers is drawn anew.
    """

    def make() -> Process:
        inner = plain(Numbered(ROWS, noise=True), shuffle=True, num_workers=2)
        return Process(make_toy, inner, scores="fresh")

    run_resume_contract(make)


SAMPLERS: dict[str, Callable[[], dict[str, Any]]] = {
    "with replacement": lambda: {
        "sampler": WeightedRandomSampler(torch.arange(1.0, ROWS + 1).tolist(), 50)
    },
    "seeded with replacement": lambda: {
        "sampler": RandomSampler(
            range(ROWS), replacement=True, generator=Generator().manual_seed(1)
        )
    },
    "in order": dict,
}


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_samplers(make_toy: Any, scores: str, sampler: Callable[[], dict[str, Any]]) -> None:
    """Whatever draws the order, from whichever generator."""

    def make() -> Process:
        return Process(make_toy, plain(**sampler()), scores=scores)

    run_resume_contract(make)


VARIANTS: dict[str, dict[str, Any]] = {
    "bernoulli": {"selection": "bernoulli"},
    "score_every": {"score_every": 3, "scores": "fresh"},
    "delay in each epoch": {"sift_delay": 2, "repeat_delay_per_epoch": True, "scores": "fresh"},
    "delay": {"sift_delay": 8, "scores": "memory"},
    "learnability": {"law": "proportional", "min_probability": 0.05, "scores": "memory"},
    "rescored": {"rescore_every": 1, "scores": "memory"},
    "plain twin": {"enabled": False},
}


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
def test_variants(make_toy: Any, config: dict[str, Any]) -> None:
    """Every kind of selection and schedule."""

    def make() -> Process:
        return Process(make_toy, plain(shuffle=True), **config)

    run_resume_contract(make)


def label_of(batch: Any) -> Tensor:
    """Return the class of each row of a batch; some are rare."""
    return class_of(batch[2])


def class_of(numbers: Tensor) -> Tensor:
    """Return the class of each row by its number."""
    return torch.where(numbers % 5 == 0, 7, numbers % 3)


@pytest.mark.parametrize("selection", ["quota", "bernoulli"])
@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_with_classes(make_toy: Any, scores: str, selection: str) -> None:
    """What is kept of each class, and the counts of it."""
    labels = label_of if scores == "fresh" else class_of(torch.arange(ROWS))

    def make() -> Process:
        return Process(
            make_toy,
            plain(shuffle=True),
            scores=scores,
            selection=selection,
            labels=labels,
            **{**RICH, "class_floor": 0.9},
        )

    run_resume_contract(make, EVERYWHERE)


def test_labels_that_came_or_went_are_refused(make_toy: Any) -> None:
    """With other labels it would be another choice."""
    toy = make_toy()
    labels = torch.arange(40) % 3
    state = toy.sifted(scores="memory", labels=labels).state_dict()
    with pytest.raises(SiftStateError, match="labels: 'by sample' there, None here"):
        make_toy().sifted(scores="memory").load_state_dict(state)
    make_toy().sifted(scores="memory", labels=labels).load_state_dict(state)


@pytest.mark.filterwarnings("ignore:'set_vital' is deprecated")
def test_around_a_stateful_dataloader(make_toy: Any) -> None:
    """The StatefulDataLoader of torchdata is asked for its own place and is not replayed."""
    stateful = pytest.importorskip(
        "torchdata.stateful_dataloader", reason="torchdata is not installed"
    )

    def make() -> Process:
        inner = stateful.StatefulDataLoader(
            Numbered(ROWS, noise=False), batch_size=BATCH_SIZE, shuffle=True
        )
        return Process(make_toy, inner, scores="auto")

    # It draws from the global generator when it is asked for its state: that one is not compared.
    run_resume_contract(make, EVERYWHERE, lambda process: process.facts()[:3])


def test_a_batch_sampler_of_the_users_own(make_toy: Any) -> None:
    """One that is no BatchSampler at all, and whose batches differ in size."""

    class Buckets:
        def __iter__(self) -> Iterator[list[int]]:
            order = torch.randperm(ROWS).tolist()
            yield from (order[:4], order[4:14], order[14:30], order[30:])

    def make() -> Process:
        inner = DataLoader(
            Numbered(ROWS, noise=False),
            batch_sampler=Buckets(),  # type: ignore[arg-type] # an iterable does
        )
        return Process(make_toy, inner, scores="memory")

    run_resume_contract(make)


def test_losses_outstanding_when_saved_come_back_until_the_next_batch(make_toy: Any) -> None:
    """Saved between a batch and its losses, the losses still find their samples."""
    begin()
    toy = make_toy()
    loader = toy.sifted(toy.loader(16), scores="memory", epochs=3)
    batch = next(iter(loader))
    state = loader.state_dict()
    other = make_toy().sifted(toy.loader(16), scores="memory", epochs=3)
    other.load_state_dict(state)
    other.reduce(toy.loss(toy.model, batch))
    assert other.state_dict()["engine"]["memory"]["losses"][batch[2]].isfinite().all()
    # A new batch is never taken for the one that its process took along.
    state = loader.state_dict()
    other.load_state_dict(state)
    following = next(iter(other))
    other.reduce(torch.full((8,), 3.0), following)
    learned = other.state_dict()["engine"]["memory"]["losses"]
    assert learned[following[2]].tolist() == [3.0] * 8
    assert learned[batch[2]].isnan().all()


def test_a_loaded_state_ends_the_iterator_before(make_toy: Any) -> None:
    """An iterator of before cannot be gone on with: which epoch would it be in?"""
    toy = make_toy()
    loader = toy.sifted(scores="fresh")
    iterator = iter(loader)
    next(iterator)
    loader.load_state_dict(loader.state_dict())
    with pytest.raises(RuntimeError, match="loading a state"):
        next(iterator)
    assert len(list(loader)) == len(loader) - 1


def test_auto_that_turned_to_fresh_resumes_as_fresh(make_toy: Any) -> None:
    """The engine is part of the state."""
    toy = make_toy()
    loader = toy.sifted()
    assert loader.scores == "memory"
    list(loader)
    iter(loader)
    assert loader.scores == "fresh"
    notes: list[str] = []
    other = make_toy().sifted(on_note=notes.append)
    other.load_state_dict(loader.state_dict())
    assert other.scores == "fresh"
    assert notes[-1] == "scores: fresh, because the saved state has them so"


def test_changed_data_is_refused_in_words(make_toy: Any) -> None:
    """Every difference is named, and nothing of the state is taken over."""
    toy = make_toy()
    state = toy.sifted(toy.loader(40), scores="memory").state_dict()
    other = make_toy().sifted(
        toy.loader(48, batch_size=4, drop_last=True), scores="memory", keep=0.25
    )
    before = str(other.state_dict())
    with pytest.raises(SiftStateError) as caught:
        other.load_state_dict(state)
    message = str(caught.value)
    for words in (
        "samples in the dataset: 40 there, 48 here",
        "rows an epoch: 40 there, 48 here",
        "rows a batch: 8 there, 4 here",
        "drop_last: 0 there, 1 here",
        "0.5 there, 0.25 here",
    ):
        assert words in message
    assert str(other.state_dict()) == before


def test_a_stream_that_lost_its_dataset_is_refused(make_toy: Any) -> None:
    """A loader that tells its rows and one that does not are not the same data."""
    toy = make_toy()
    state = toy.sifted(toy.loader(40), scores="fresh").state_dict()
    with pytest.raises(SiftStateError, match="rows an epoch: 40 there, None here"):
        make_toy().sifted(list(toy.loader(40)), scores="fresh").load_state_dict(state)


def test_another_version_is_refused_in_words(make_toy: Any) -> None:
    """A state of a newer package, or something else, is not half loaded."""
    loader = make_toy().sifted(scores="fresh")
    with pytest.raises(SiftStateError, match=r"no state of a SiftingDataloader.*version=99"):
        loader.load_state_dict({**loader.state_dict(), "version": 99})
    with pytest.raises(SiftStateError, match="version=None"):
        loader.load_state_dict({"model": 1})


def test_a_schedule_goes_on_where_it_was(make_toy: Any) -> None:
    """Progress, lengths and total_steps are the same on both sides of a checkpoint."""
    toy = make_toy()
    loader = toy.sifted(scores="memory", epochs=5, keep_end=0.2)
    toy.epoch(loader)
    for _, batch in zip(range(2), loader, strict=False):
        toy.step(loader, batch)
    other = make_toy().sifted(scores="memory", epochs=5, keep_end=0.2)
    other.load_state_dict(loader.state_dict())
    assert (other.progress, len(other), other.total_steps()) == (
        loader.progress,
        len(loader),
        loader.total_steps(),
    )


def test_observations_go_on_at_the_same_steps(make_toy: Any) -> None:
    """The interval between two metric lines spans the checkpoint."""
    steps: list[float] = []

    def make() -> Any:
        return make_toy().sifted(
            scores="fresh",
            enabled=False,
            log_every=3,
            listener=lambda seen: steps.append(seen.values["training_steps"]),
        )

    loader = make()
    for _ in zip(range(2), loader, strict=False):
        pass
    other = make()
    other.load_state_dict(loader.state_dict())
    list(other)
    assert steps == [3, 5]


def test_batch_sampler_with_parts(make_toy: Any) -> None:
    """A BatchSampler given as such is the loader's own."""

    def make() -> Process:
        batches = BatchSampler(RandomSampler(range(ROWS)), BATCH_SIZE, drop_last=True)
        inner = DataLoader(Numbered(ROWS, noise=False), batch_sampler=batches)
        return Process(make_toy, inner, scores="memory")

    run_resume_contract(make)
