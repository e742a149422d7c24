"""The fresh engine: an extra forward pass over each loaded batch, and what makes it cheaper."""

from __future__ import annotations

import dataclasses
import io
from collections import UserDict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from sift_toolkit.errors import SiftBatchError, SiftLossError
from sift_toolkit.sifting import SiftingDataloader


class Pair(NamedTuple):
    """A batch with names."""

    x: Tensor
    numbers: Tensor


@dataclasses.dataclass
class Record:
    """A batch with fields."""

    x: Tensor
    numbers: Tensor
    note: str | None = None


def batches_of(make: Any, sizes: Sequence[int] = (8, 8, 8, 8, 3)) -> list[Any]:
    """Return batches of rows with numbers of their own."""
    ends = torch.tensor(sizes).cumsum(0).tolist()
    return [
        make(torch.arange(end - size, end)[:, None] / 7, torch.arange(end - size, end))
        for size, end in zip(sizes, ends, strict=True)
    ]


FORMS: dict[str, Any] = {
    "tuple": (lambda x, numbers: (x, numbers), lambda batch: batch[1]),
    "namedtuple": (Pair, lambda batch: batch.numbers),
    "dict": (lambda x, numbers: {"x": x, "numbers": numbers}, lambda batch: batch["numbers"]),
    "UserDict": (
        lambda x, numbers: UserDict(x=x, numbers=numbers),
        lambda batch: batch["numbers"],
    ),
    "dataclass": (Record, lambda batch: batch.numbers),
    "nested": (
        lambda x, numbers: {
            "x": [x, (x, None)],
            "words": [f"row {number}" for number in numbers.tolist()],
            "array": x.numpy(),
            "numbers": numbers,
        },
        lambda batch: batch["numbers"],
    ),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_waiting_rows_of_any_form_go_through_a_checkpoint(toy: Any, form: Any) -> None:
    """Loaded with weights_only=True, they come out in the form of the batches around them."""
    make, numbers_of = form

    def loss(model: nn.Module, batch: Any) -> Tensor:
        return 1 + torch.sin(numbers_of(batch).float())

    def sifted() -> SiftingDataloader:
        return toy.sifted(batches_of(make), loss=loss, scores="fresh", keep=0.6, leftover="carry")

    expected = sifted()
    expected_epochs = [[numbers_of(batch).tolist() for batch in expected] for _ in range(2)]
    file = io.BytesIO()
    loader = sifted()
    first = list(loader)
    torch.save(loader.state_dict(), file)
    file.seek(0)
    resumed = sifted()
    resumed.load_state_dict(torch.load(file, weights_only=True))
    held = sum(part["rows"] for part in resumed.state_dict()["engine"]["waiting"]["parts"])
    assert held > 0
    second = list(resumed)
    assert type(second[0]) is type(first[0])
    assert [numbers_of(batch).tolist() for batch in second] == expected_epochs[1]
    if isinstance(second[0], dict) and "array" in second[0]:
        assert isinstance(second[0]["array"], np.ndarray)
        assert second[0]["words"][0] == f"row {int(second[0]['numbers'][0])}"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("handed_out", range(3))
def test_rows_that_no_batch_comes_after_are_flushed_all_the_same(
    toy: Any, form: Any, handed_out: int
) -> None:
    """Saved when the loader inside had been read to its last batch, or to its end."""
    make, numbers_of = form

    def sifted() -> SiftingDataloader:
        return toy.sifted(
            batches_of(make, (8, 8, 8)),
            loss=lambda model, batch: numbers_of(batch).float(),
            scores="fresh",
            keep=0.75,
            leftover="flush",
        )

    expected = [numbers_of(batch).tolist() for batch in sifted()]
    assert [len(batch) for batch in expected] == [8, 8, 2]
    loader = sifted()
    iterator = iter(loader)
    for _ in range(handed_out):
        next(iterator)
    resumed = sifted()
    resumed.load_state_dict(loader.state_dict())
    assert [numbers_of(batch).tolist() for batch in resumed] == expected[handed_out:]


def test_saved_rows_that_nobody_needs_yet_stay_saved(toy: Any) -> None:
    """A state that was loaded and is saved again is the same; rows are dropped as configured."""
    batches = batches_of(Pair)

    def sifted(inner: Any, leftover: str) -> SiftingDataloader:
        return toy.sifted(
            inner,
            loss=lambda model, batch: batch.numbers.float(),
            scores="fresh",
            keep=0.6,
            leftover=leftover,
        )

    loader = sifted(batches, "carry")
    list(loader)
    state = loader.state_dict()
    other = sifted([], "carry")
    other.load_state_dict(state)
    assert list(other) == []
    saved = other.state_dict()
    assert str(saved["engine"]["waiting"]) == str(state["engine"]["waiting"])
    dropping = sifted([], "drop")
    dropping.load_state_dict({**saved, "config": dropping.state_dict()["config"]})
    assert list(dropping) == []
    counters = dropping.state_dict()["meter"]
    assert counters["seen"] == counters["kept"] + counters["dropped"]


def test_sizes_that_differ_between_batches_are_padded_by_the_user(toy: Any) -> None:
    """Rows of sources of different length meet in one batch through the `pad` hook."""
    batches = [torch.ones(8, length) for length in (3, 5, 4, 5)]

    def pad(tensors: Sequence[Tensor]) -> list[Tensor]:
        longest = max(tensor.shape[1] for tensor in tensors)
        return [nn.functional.pad(tensor, (0, longest - tensor.shape[1])) for tensor in tensors]

    def loss(model: nn.Module, batch: Tensor) -> Tensor:
        return batch.sum(1)

    loader = toy.sifted(batches, loss=loss, scores="fresh", pad=pad)
    assert [tuple(batch.shape) for batch in loader] == [(8, 5), (8, 5)]
    with pytest.raises(SiftBatchError, match="give `pad=`"):
        list(toy.sifted(batches, loss=loss, scores="fresh"))


def test_the_first_batch_is_sifted_already(toy: Any) -> None:
    """The own batch joins the history first: no warm-up is needed."""
    loader = toy.sifted(toy.loader(16), scores="fresh")
    assert sum(len(batch[2]) for batch in loader) == 8


def test_the_hard_ones_of_each_batch_are_kept(toy: Any) -> None:
    """By the loss under the model as it is now."""
    loader = toy.sifted(
        toy.loader(64),
        loss=lambda model, batch: (batch[2] % 8).float() + 1,
        law="percentile",
        scores="fresh",
        keep=0.25,
    )
    kept = torch.cat([batch[2] for _ in range(20) for batch in loader])
    assert float((kept % 8).float().mean()) > 5.4
    assert len(kept) == 20 * 16


def test_scoring_only_every_kth_batch_costs_only_every_kth_pass(toy: Any) -> None:
    """The batches between are thinned at random, with the same exact share."""
    calls = []

    def loss(model: nn.Module, batch: Any) -> Tensor:
        calls.append(len(batch[0]))
        return (batch[2] % 8).float() + 1

    loader = toy.sifted(
        toy.loader(96),
        loss=loss,
        law="percentile",
        scores="fresh",
        score_every=3,
        keep=0.25,
        correction=1.0,
    )
    rows: list[int] = []
    for _ in range(30):
        for batch in loader:
            weights = loader.reduce(torch.ones(len(batch[2])))
            assert weights.isfinite()
            rows += batch[2].tolist()
    assert sum(calls) == 30 * 32
    assert loader.state_dict()["meter"]["scored"] == 30 * 32
    assert len(rows) == 30 * 24
    scored = [row % 8 for row in rows if row // 8 % 3 == 0]
    others = [row % 8 for row in rows if row // 8 % 3]
    assert sum(scored) / len(scored) > 5
    assert 3 < sum(others) / len(others) < 4


def test_the_scoring_transform_makes_the_pass_cheaper(toy: Any) -> None:
    """The model sees half of the features; the batch that comes out has them all."""
    shapes = []

    def loss(model: nn.Module, batch: Any) -> Tensor:
        shapes.append(tuple(batch[0].shape))
        return batch[0].abs().sum(1)

    loader = SiftingDataloader(
        sift_config=toy_config(),
        orig_dataloader=toy.loader(16),
        loss_impl=loss,
        model=toy.model,
        scoring_transform=lambda batch: [batch[0][:, :2], batch[1]],
        on_note=lambda _: None,
    )
    assert [tuple(batch[0].shape) for batch in loader] == [(8, 4)]
    assert shapes == [(8, 2), (8, 2)]


def toy_config() -> Any:
    """Return the config of fresh scores."""
    from sift_toolkit.config import SiftConfig

    return SiftConfig(keep=0.5, scores="fresh")


@pytest.mark.parametrize("policy", ["keep", "drop"])
def test_losses_that_are_not_finite_follow_the_policy(toy: Any, policy: str) -> None:
    """Kept before all others or left out, counted; the quota is exact, the history stays clean."""

    def loss(model: nn.Module, batch: Any) -> Tensor:
        losses = (batch[2] % 8).float() + 1
        losses[2] = torch.nan
        losses[6] = torch.inf
        return losses

    loader = toy.sifted(toy.loader(64), loss=loss, scores="fresh", nonfinite=policy, correction=0.5)
    rows = [row for batch in loader for row in batch[2].tolist()]
    bad = [row for row in rows if row % 8 in {2, 6}]
    assert len(rows) == 32
    assert len(bad) == (16 if policy == "keep" else 0)
    state = loader.state_dict()
    assert state["meter"]["nonfinite"] == 16
    assert state["engine"]["sifter"]["history"]["losses"].isfinite().all()


def test_losses_that_are_not_finite_raise(toy: Any) -> None:
    """With nonfinite="raise" the batch that has them raises, and says how many."""

    def loss(model: nn.Module, batch: Any) -> Tensor:
        return torch.full((len(batch[2]),), torch.nan)

    with pytest.raises(SiftLossError, match="8 of 8 losses are NaN or infinite"):
        next(iter(toy.sifted(loss=loss, scores="fresh", nonfinite="raise")))


def test_what_dropped_nan_rows_cost_is_paid_back(toy: Any) -> None:
    """Rows that a bad batch owes come out of the next ones: the run keeps its length."""
    calls = [0]

    def loss(model: nn.Module, batch: Any) -> Tensor:
        calls[0] += 1
        return torch.full((8,), torch.nan if calls[0] <= 2 else 1.0)

    loader = toy.sifted(toy.loader(64), loss=loss, scores="fresh", nonfinite="drop", epochs=1)
    assert loader.total_steps() == len(list(loader)) == 4


def test_own_values_that_are_not_finite_count_as_such_losses(toy: Any) -> None:
    """A NaN value marks its row as a NaN loss does."""

    def loss(model: nn.Module, batch: Any) -> tuple[Tensor, Tensor]:
        values = torch.ones(len(batch[2]))
        values[3] = torch.nan
        return torch.ones(len(batch[2])), values

    loader = toy.sifted(
        toy.loader(16), loss=loss, scores="fresh", law="proportional", value="own", nonfinite="drop"
    )
    assert {3, 11}.isdisjoint({row for batch in loader for row in batch[2].tolist()})
    assert loader.state_dict()["meter"]["nonfinite"] == 2


@pytest.mark.parametrize(
    ("leftover", "drop_last", "expected"),
    [
        ("auto", False, [8, 8, 6]),
        ("auto", True, [8, 8]),
        ("flush", True, [8, 8, 4]),
        ("carry", False, [8, 8]),
        ("drop", False, [8, 8]),
    ],
)
def test_leftovers(toy: Any, leftover: str, drop_last: bool, expected: list[int]) -> None:
    """Rows that fill no batch leave as a smaller one, wait for the next epoch, or are dropped."""
    loader = toy.sifted(
        toy.loader(44, drop_last=drop_last), scores="fresh", leftover=leftover, epochs=2
    )
    assert [len(batch[2]) for batch in loader] == expected
    counters = loader.state_dict()["meter"]
    waiting = counters["seen"] - counters["kept"] - counters["dropped"]
    assert (waiting > 0) == (sum(expected) < counters["seen"] // 2 and leftover != "drop")


def test_a_single_row_is_no_batch(toy: Any) -> None:
    """Batch normalisation fails on it: it waits for the next epoch instead."""
    loader = toy.sifted(toy.loader(34), scores="fresh", leftover="flush")
    assert [[len(batch[2]) for batch in loader] for _ in range(2)] == [[8, 8], [8, 8, 2]]


def test_a_loader_that_gives_a_single_row_gives_it(toy: Any) -> None:
    """At batch size 1 every batch is a single row."""
    loader = toy.sifted(toy.loader(6, batch_size=1), scores="fresh")
    assert [len(batch[2]) for batch in loader] == [1, 1, 1]


@pytest.mark.parametrize(
    ("sizes", "expected"), [((6, 6, 6, 6, 6, 2), [6, 6, 4]), ((2, 8, 8, 8, 6), [8, 8])]
)
def test_batches_of_unknown_size_make_ones_of_the_largest(
    toy: Any, sizes: Sequence[int], expected: list[int]
) -> None:
    """Where no batch size is known, batches tell it, a short first one as little as a last one."""
    make, numbers_of = FORMS["dict"]
    loader = toy.sifted(
        batches_of(make, sizes), loss=lambda model, batch: batch["x"].sum(1), scores="fresh"
    )
    assert [len(numbers_of(batch)) for batch in loader] == expected


class Shares(IterableDataset[Tensor]):
    """A stream whose first worker has little of it."""

    def __iter__(self) -> Iterator[Tensor]:
        info = get_worker_info()
        assert info is not None
        yield from torch.ones([3, 37][info.id], 4)


def test_a_stream_has_batches_of_its_loaders_size(toy: Any) -> None:
    """The short first batch of a worker with little data decides nothing."""
    loader = toy.sifted(
        DataLoader(Shares(), batch_size=8, num_workers=2),
        loss=lambda model, batch: batch.sum(1),
        scores="fresh",
    )
    assert [len(batch) for batch in loader] == [8, 8, 4]


class Blocks(IterableDataset[Tensor]):
    """A stream of blocks of rows."""

    def __iter__(self) -> Iterator[Tensor]:
        yield from torch.arange(64.0 * 4).reshape(8, 8, 4)


@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize("streams", [True, False], ids=["stream", "map"])
def test_blocks_of_rows_stay_batches_of_rows(toy: Any, blocks: int, streams: bool) -> None:
    """Where the collate function joins them, the loader's own size counts blocks, not rows."""
    data = Blocks() if streams else list(Blocks())
    loader = toy.sifted(
        DataLoader(data, batch_size=blocks, collate_fn=torch.cat),
        loss=lambda model, batch: batch.sum(1),
        scores="fresh",
    )
    assert [len(batch) for batch in loader] == [8 * blocks] * (4 // blocks)


def test_refined_batches_can_be_trained_on(toy: Any) -> None:
    """Nothing of inference mode clings to them."""
    loader = toy.sifted(toy.loader(40), scores="fresh")
    before = [parameter.clone() for parameter in toy.model.parameters()]
    toy.epoch(loader)
    assert not any(map(torch.equal, before, toy.model.parameters()))


def test_an_engine_that_is_closed_lets_go_of_its_loader(toy: Any) -> None:
    """When a loaded state brings another engine, the one before holds nothing open."""
    fresh = toy.sifted(scores="auto")
    list(fresh)
    next(iter(fresh))
    assert fresh.scores == "fresh"
    untrained = toy.sifted(scores="auto").state_dict()
    fresh.load_state_dict(untrained)
    assert fresh.scores == "memory"
    assert len(list(fresh)) == 5
