"""Classes in real epochs of both engines: none disappears, and what is kept of each is told."""

from __future__ import annotations

import collections
import itertools
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit.config import SiftConfig
from sift_toolkit.report import ClassTotals
from sift_toolkit.sifting import SiftingDataloader

ROWS = 200
RARE = 20
BOTH = pytest.mark.parametrize("scores", ["fresh", "memory"])


def class_of(numbers: Tensor) -> Tensor:
    """Return a row's class by its number: the first ones are rare, the others of two classes."""
    return torch.where(numbers < RARE, 7, 1 + numbers % 2)


def of_batch(batch: Any) -> Tensor:
    """Return the classes of a batch of (features, label, number)."""
    return class_of(batch[2])


def labels_for(scores: str, rows: int = ROWS) -> Any:
    """Return labels of the kind that an engine can use."""
    return of_batch if scores == "fresh" else class_of(torch.arange(rows))


def rising(_: torch.nn.Module, batch: Any) -> Tensor:
    """Give rows losses in the order of their numbers: those of the rare class are the lowest."""
    losses: Tensor = batch[2].float() / 100 + 0.1
    return losses


def kept_by_class(loader: Any, model: torch.nn.Module) -> dict[int, int]:
    """Train on an epoch; return how many rows of each class came."""
    came: collections.Counter[int] = collections.Counter()
    for batch in loader:
        loader.reduce(rising(model, batch))
        came.update(of_batch(batch).tolist())
    return dict(came)


def vanishing(toy: Any, scores: str, **arguments: Any) -> Any:
    """Return a loader under which the law alone chooses next to nothing of the rare class."""
    torch.manual_seed(0)
    return toy.sifted(
        toy.loader(ROWS, shuffle=True),
        loss=rising,
        **{
            "law": "percentile",
            "scores": scores,
            "keep": 0.25,
            "rescore_every": 256,
            "epochs": 4,
            "labels": labels_for(scores),
            **arguments,
        },
    )


@BOTH
@pytest.mark.parametrize("selection", ["quota", "bernoulli"])
def test_no_class_disappears(toy: Any, scores: str, selection: str) -> None:
    """The class whose losses are all the lowest: gone without a floor, there with one."""
    kept: dict[float, int] = {}
    for floor in (0.0, 0.5):
        loader = vanishing(toy, scores, selection=selection, class_floor=floor)
        epochs = [kept_by_class(loader, toy.model) for _ in range(4)]
        kept[floor] = sum(epoch.get(7, 0) for epoch in epochs[1:])
    assert kept[0.0] == 0
    # Half of its fair number, a quarter of 20 rows in 3 epochs, is 7.5.
    assert 4 <= kept[0.5] <= 12


@pytest.mark.parametrize("floor", [0.5, 0.8, 1.0])
def test_a_memory_holds_the_floor_in_every_epoch(toy: Any, floor: float) -> None:
    """The whole epoch is one window: each class has its number to less than one row."""
    loader = vanishing(toy, "memory", class_floor=floor)
    kept_by_class(loader, toy.model)
    for _ in range(3):
        came = kept_by_class(loader, toy.model)
        assert sum(came.values()) == ROWS // 4
        assert abs(came[7] - floor * RARE / 4) < 1


def test_rows_that_come_for_certain_count_for_their_class(toy: Any) -> None:
    """What is rescored is part of what its class keeps; the others of it make up its floor."""
    loader = vanishing(toy, "memory", rescore_every=2, keep=0.6, class_floor=1.0)
    kept_by_class(loader, toy.model)
    for _ in range(3):
        came = kept_by_class(loader, toy.model)
        assert sum(came.values()) == ROWS * 0.6
        assert abs(came[7] - RARE * 0.6) < 1


@BOTH
def test_a_floor_of_0_is_no_floor(make_toy: Any, scores: str) -> None:
    """Labels are counted, and the very same rows are chosen as without labels."""
    chosen = []
    for labels in (labels_for(scores), None):
        again = make_toy()
        loader = vanishing(again, scores, class_floor=0.0, labels=labels)
        chosen.append([again.epoch(loader) for _ in range(4)])
    assert chosen[0] == chosen[1]


@BOTH
def test_lengths_stay_exact(toy: Any, scores: str) -> None:
    """Floors shift rows between classes, never their number."""
    loader = vanishing(toy, scores, class_floor=0.9, correction=0.5, leftover="carry")
    steps = loader.total_steps()
    lengths = [(len(loader), len(toy.epoch(loader))) for _ in range(4)]
    assert all(told == given for told, given in lengths)
    assert sum(given for _, given in lengths) == steps


class TestReport:
    """What is told at the end of each epoch."""

    @BOTH
    @pytest.mark.parametrize(
        "arguments",
        [
            {},
            {"class_floor": 0.0},
            {"sift_delay": 30, "anneal": 0.3},
            {"selection": "bernoulli"},
            {"keep_end": 0.1},
            {"score_every": 2},
        ],
        ids=str,
    )
    def test_each_class_is_told_as_it_came(
        self, toy: Any, scores: str, arguments: dict[str, Any]
    ) -> None:
        """Rows seen and chosen since the start, of whole epochs and whole batches too."""
        told: list[Any] = []
        loader = vanishing(toy, scores, listener=told.append, log_every=3, **arguments)
        came: collections.Counter[int] = collections.Counter()
        for epoch in range(1, 5):
            came.update(kept_by_class(loader, toy.model))
            expected = ClassTotals(
                labels=(1, 2, 7),
                seen=(90 * epoch, 90 * epoch, RARE * epoch),
                # A single row left over waits for the next epoch.
                chosen=told[-1].classes.chosen,
            )
            assert told[-1].classes == expected
            waiting = told[-1].values["samples_waiting"]
            chosen = dict(zip(expected.labels, expected.chosen, strict=True))
            assert sum(chosen.values()) - sum(came.values()) == waiting
            assert waiting <= 1
            assert sum(abs(chosen[each] - came[each]) for each in chosen) == waiting
        at_ends = [place for place, each in enumerate(told) if each.classes is not None]
        assert len(at_ends) == 4
        assert len(told) > 8

    @BOTH
    def test_nothing_is_told_without_labels(self, toy: Any, scores: str) -> None:
        """There is nothing to tell."""
        told: list[Any] = []
        loader = vanishing(toy, scores, labels=None, listener=told.append)
        kept_by_class(loader, toy.model)
        assert told[-1].classes is None
        assert loader.state_dict()["meter"]["classes"]["totals"] == [[], [], []]

    def test_too_many_classes_are_said_and_still_have_their_floors(self, toy: Any) -> None:
        """Ten thousand are reported; every one counts."""
        rows = 10_001
        data = TensorDataset(torch.zeros(rows, 4), torch.zeros(rows).long(), torch.arange(rows))
        notes: list[str] = []
        told: list[Any] = []
        loader = toy.sifted(
            DataLoader(data, batch_size=4096),
            scores="memory",
            labels=torch.arange(rows),
            on_note=notes.append,
            listener=told.append,
        )
        for _ in range(2):
            kept_by_class(loader, toy.model)
        assert sum("is not reported: there are 10,001 classes" in note for note in notes) == 1
        assert told[-1].classes is None


def test_labels_are_of_the_batch_as_the_user_has_it(toy: Any) -> None:
    """Where samples are a list, the function is given a list, sifted or kept whole."""
    batches = [[(float(row), row % 2) for row in range(8)] for _ in range(4)]
    forms: list[Any] = []

    def labels(batch: Any) -> Tensor:
        forms.append(batch)
        return torch.tensor([label for _, label in batch])

    def losses(_: torch.nn.Module, batch: Any) -> Tensor:
        return torch.tensor([loss for loss, _ in batch])

    loader = SiftingDataloader(
        sift_config=SiftConfig(keep=0.5, scores="fresh", sift_delay=2),
        orig_dataloader=batches,
        loss_impl=losses,
        model=toy.model,
        labels=labels,
        batch_format_index=0,
    )
    given = list(itertools.chain.from_iterable(loader))
    assert len(given) == 8 + 8 + 8
    assert forms == batches


def test_a_batch_whose_labels_fail_is_lost_and_nothing_else(toy: Any) -> None:
    """As one whose loss fails: the epoch goes on with the next one."""
    calls = itertools.count()

    def labels(batch: Any) -> Tensor:
        if next(calls) == 1:
            msg = "no label here"
            raise KeyError(msg)
        return of_batch(batch)

    loader = toy.sifted(toy.loader(40), scores="fresh", keep=0.5, labels=labels)
    iterator = iter(loader)
    with pytest.raises(KeyError, match="no label here"):
        list(iterator)
    assert sum(batch[2].numel() for batch in iterator) == 16
    assert loader.state_dict()["meter"]["seen"] == 32
