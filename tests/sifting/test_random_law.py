"""law="random": every sample has the same chance, nothing is scored and nothing must come back."""

from __future__ import annotations

import collections
from typing import Any

import pytest
import torch

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting._build import crowded_quota

ENGINES = pytest.mark.parametrize("scores", ["fresh", "memory"])


@ENGINES
def test_the_first_epoch_is_sifted_too(make_toy: type[Any], scores: str) -> None:
    """There is no loss to wait for: each epoch keeps its share, the first one included."""
    toy = make_toy()
    loader = toy.sifted(toy.loader(80, shuffle=True), law="random", scores=scores, epochs=3)

    lengths = [len(toy.epoch(loader)) for _ in range(3)]

    assert lengths == [5, 5, 5]
    assert loader.total_steps() == 15


@ENGINES
def test_nothing_is_scored(make_toy: type[Any], scores: str) -> None:
    """No forward pass is made to choose, and no sample counts as scored."""
    toy = make_toy()
    calls: list[int] = []

    def loss(model: torch.nn.Module, batch: Any) -> torch.Tensor:
        calls.append(len(batch))
        return toy.loss(model, batch)

    loader = toy.sifted(toy.loader(80), law="random", scores=scores, loss=loss)
    for batch in loader:
        loader.reduce(toy.loss(toy.model, batch))

    assert calls == []
    assert loader.state_dict()["meter"]["scored"] == 0


@ENGINES
def test_losses_make_no_difference(make_toy: type[Any], scores: str) -> None:
    """Whatever the losses were, the same seed keeps the same samples."""
    kept = []
    for factor in (0.0, 1.0):
        toy = make_toy()
        loader = toy.sifted(toy.loader(40), law="random", scores=scores)
        numbers = []
        for _ in range(3):
            for batch in loader:
                loader.reduce(batch[2] * factor)
                numbers += batch[2].tolist()
        kept.append(numbers)

    assert kept[0] == kept[1]


@ENGINES
def test_every_sample_has_the_same_chance(make_toy: type[Any], scores: str) -> None:
    """Over many epochs each is kept as often as any other, within five standard deviations."""
    toy, epochs, keep = make_toy(), 400, 0.25
    loader = toy.sifted(toy.loader(40, shuffle=True), law="random", scores=scores, keep=keep)
    torch.manual_seed(0)
    times = collections.Counter(
        number for _ in range(epochs) for batch in loader for number in batch[2].tolist()
    )

    deviation = (epochs * keep * (1 - keep)) ** 0.5
    assert sum(times.values()) == epochs * keep * 40
    assert all(abs(times[number] - epochs * keep) < 5 * deviation for number in range(40))


def test_a_loop_that_hands_nothing_back_keeps_its_memory(make_toy: type[Any]) -> None:
    """Nothing is learnt from losses, so nobody minds that none come back."""
    toy = make_toy()
    notes: list[str] = []
    loader = toy.sifted(law="random", scores="memory", on_note=notes.append)
    for _ in range(3):
        list(loader)

    assert loader.scores == "memory"
    assert not any("reduce" in note for note in notes)


def test_auto_has_ids_where_there_are_any(make_toy: type[Any]) -> None:
    """What is passed over need not be loaded, in a single epoch either."""
    toy = make_toy()
    assert toy.sifted(law="random", epochs=1).scores == "memory"
    assert toy.sifted(law="random", inner=[next(iter(toy.loader()))]).scores == "fresh"


def test_losses_that_are_not_finite_bar_nobody(make_toy: type[Any]) -> None:
    """Lengths and shares stay as they are, whatever `nonfinite` says."""
    toy = make_toy()
    loader = toy.sifted(law="random", scores="memory", nonfinite="drop", epochs=3)
    for _ in range(3):
        expected = len(loader)
        count = 0
        for batch in loader:
            loader.reduce(torch.full((len(batch[2]),), torch.nan))
            count += 1
        assert count == expected


def test_classes_keep_their_floors(make_toy: type[Any]) -> None:
    """With labels, chance cannot starve a class either."""
    toy = make_toy()
    labels = torch.tensor([0] * 36 + [1] * 4)
    loader = toy.sifted(law="random", scores="memory", labels=labels, class_floor=1.0)
    for _ in range(4):
        numbers = [number for batch in loader for number in batch[2].tolist()]
        assert sum(number >= 36 for number in numbers) == 2


def test_no_quota_is_too_small() -> None:
    """Nobody is chosen for certain, so a small share needs no note."""
    assert crowded_quota(SiftConfig(keep=0.05)) is not None
    assert crowded_quota(SiftConfig(keep=0.05, law="random")) is None
