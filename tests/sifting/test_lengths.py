"""The lengths that progress bars and schedules are told are the lengths that come."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import BatchSampler, DataLoader, RandomSampler

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting import SiftingDataloader

SHARES = [1.0, 0.9, 2 / 3, 0.5, 1 / 3, 0.1, 0.07]


def sifted(inner: Any, epochs: int | None, **config: Any) -> SiftingDataloader:
    """Return a sifted loader over batches of numbers, whose losses those numbers tell."""
    return SiftingDataloader(
        sift_config=SiftConfig(**config),
        orig_dataloader=inner,
        loss_impl=lambda model, batch: torch.sin(batch.float()) + 2,
        model=torch.nn.Identity(),
        epochs=epochs,
        on_note=lambda _: None,
    )


def numbers(count: int, batch_size: int, *, drop_last: bool = False) -> DataLoader[Any]:
    """Return a shuffled loader of the numbers up to *count*."""
    return DataLoader(
        list(range(count)),  # type: ignore[arg-type] # a list is a dataset
        batch_size=batch_size,
        shuffle=True,
        drop_last=drop_last,
    )


def train_epoch(loader: SiftingDataloader) -> int:
    """Hand the losses of an epoch back; return how many batches it had."""
    count = 0
    for batch in loader:
        loader.reduce(torch.sin(batch.float()) + 2)
        count += 1
    return count


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a schedule of any kind."""
    keep = draw(st.sampled_from(SHARES))
    ends = [share for share in SHARES if share <= keep]
    return {
        "keep": keep,
        "keep_end": draw(st.none() | st.sampled_from(ends)),
        "anneal": draw(st.sampled_from([0.0, 0.125, 0.5, 1.0])),
        "sift_delay": draw(st.sampled_from([0, 1, 3, 12])),
        "repeat_delay_per_epoch": draw(st.booleans()),
        "leftover": draw(st.sampled_from(["auto", "flush", "carry", "drop"])),
        "scores": draw(st.sampled_from(["fresh", "memory"])),
        "correction": draw(st.sampled_from([0.0, 0.5])),
        "score_every": draw(st.sampled_from([1, 3])),
        "rescore_every": draw(st.sampled_from([1, 8])),
        "law": draw(st.sampled_from(["percentile", "proportional", "random"])),
    }


@settings(max_examples=250)
@given(
    config=configs(),
    count=st.integers(1, 60),
    batch_size=st.integers(1, 9),
    drop_last=st.booleans(),
    epochs=st.integers(1, 4),
)
def test_total_steps_is_the_sum_of_the_lengths_and_the_batches_seen(
    config: dict[str, Any], count: int, batch_size: int, drop_last: bool, epochs: int
) -> None:
    """In every combination, asked at any time, exactly."""
    loader = sifted(numbers(count, batch_size, drop_last=drop_last), epochs, **config)
    total = loader.total_steps()
    lengths, seen = [], []
    for _ in range(epochs):
        lengths.append(len(loader))
        batches = 0
        for batch in loader:
            assert len(loader) == lengths[-1]
            assert loader.total_steps() == total
            loader.reduce(torch.sin(batch.float()) + 2)
            batches += 1
        seen.append(batches)
        assert loader.total_steps() == total
    assert seen == lengths
    assert sum(seen) == total
    assert loader.progress == 1.0


@settings(max_examples=60)
@given(
    config=configs(),
    count=st.integers(1, 60),
    batch_size=st.integers(1, 9),
    stops=st.lists(st.integers(0, 6), min_size=3, max_size=3),
)
def test_lengths_stay_right_when_the_loop_breaks_out(
    config: dict[str, Any], count: int, batch_size: int, stops: list[int]
) -> None:
    """After epochs that were broken out of, the length of the next one is still exact."""
    loader = sifted(numbers(count, batch_size), 4, **config)
    handed = 0
    for stop in stops:
        iterator = iter(loader)
        length = len(loader)
        batches = list(itertools.islice(iterator, stop))
        assert len(batches) == min(stop, length)
        assert len(loader) == length or stop > length
        for batch in batches:
            loader.reduce(torch.sin(batch.float()) + 2)
        handed += len(batches)
    iterator = iter(loader)
    length = len(loader)
    assert loader.total_steps() == handed + length
    assert len(list(iterator)) == length


@settings(max_examples=100)
@given(
    config=configs(),
    count=st.integers(1, 60),
    batch_size=st.integers(1, 9),
    drop_last=st.booleans(),
    before=st.integers(0, 3),
    stop=st.none() | st.integers(0, 6),
)
def test_lengths_stay_right_when_the_gate_closes(
    config: dict[str, Any],
    count: int,
    batch_size: int,
    drop_last: bool,
    before: int,
    stop: int | None,
) -> None:
    """All data comes then, and what waits as the rule says; nothing is scored or dropped."""
    loader = sifted(numbers(count, batch_size, drop_last=drop_last), 6, **config)
    for _ in range(before):
        train_epoch(loader)
    if stop is not None:
        for batch in itertools.islice(loader, stop):
            loader.reduce(torch.sin(batch.float()) + 2)
    loader._run._position.sifts = False
    earlier = loader.state_dict()["meter"]
    for _ in range(2):
        epoch = iter(loader)
        length, total = len(loader), loader.total_steps(9)
        for _ in range(length):
            loader.reduce(torch.sin(next(epoch).float()) + 2)
        assert list(epoch) == []
        assert loader.total_steps(9) == total
    later = loader.state_dict()["meter"]
    assert later["scored"] == earlier["scored"]
    if config["leftover"] != "drop":
        assert later["dropped"] == earlier["dropped"]
    assert later["seen"] - earlier["seen"] >= 2 * (count - count % batch_size)


@pytest.mark.parametrize("scores", ["fresh", "memory"])
@pytest.mark.parametrize(
    ("config", "later"), [({"keep_end": 0.25}, 2), ({}, 6), ({"anneal": 0.25}, 8)]
)
def test_training_past_the_given_epochs_goes_on_at_the_final_setting(
    scores: str, config: dict[str, float], later: int
) -> None:
    """However far past them: at the share keep fell to, at keep itself, or on all data."""
    loader = sifted(numbers(64, 8), 2, keep=0.75, scores=scores, **config)
    for _ in range(2):
        train_epoch(loader)
    for _ in range(4):
        assert (len(loader), train_epoch(loader)) == (later, later)
    assert loader.progress == 1.0


def test_asking_moves_nothing() -> None:
    """len() and total_steps() leave the loader's state as it was."""
    loader = sifted(numbers(50, 8), 3, keep=0.5, scores="memory")
    train_epoch(loader)
    iterator = iter(loader)
    next(iterator)
    before = copy.deepcopy(loader.state_dict())
    len(loader), loader.total_steps(), loader.progress
    assert str(loader.state_dict()) == str(before)


def test_total_steps_needs_epochs() -> None:
    """Without epochs here or there it is refused in words; given here they are enough."""
    loader = sifted(numbers(40, 8), None, keep=0.5, scores="fresh")
    with pytest.raises(SiftUsageError, match=r"total_steps\(\) needs the number of epochs"):
        loader.total_steps()
    with pytest.raises(SiftUsageError, match="progress needs `epochs`"):
        _ = loader.progress
    assert loader.total_steps(3) == 9
    assert loader.total_steps(1) == len(loader) == 3


def test_a_loader_of_unknown_rows_has_no_length() -> None:
    """A stream refuses len() with TypeError, as a plain iterable does, and can be iterated."""
    stream = sifted([torch.arange(8)] * 3, 2, keep=0.5)
    with pytest.raises(TypeError, match="no known number of rows"):
        len(stream)
    with pytest.raises(TypeError, match="no known number of rows"):
        stream.total_steps()
    assert stream.batch_size is None
    assert [train_epoch(stream) for _ in range(2)] == [2, 2]


@pytest.mark.parametrize(
    "config",
    [
        {"scores": "memory", "rescore_every": 3},
        {"scores": "memory", "law": "percentile"},
        {"scores": "fresh", "law": "percentile", "high_loss_cap": 0.8},
        {"scores": "fresh", "min_probability": 0.2},
    ],
    ids=str,
)
def test_what_comes_beside_the_law_leaves_coins_their_expectation(config: dict[str, Any]) -> None:
    """Rescoring, floor and cap decide who comes, not how many."""
    torch.manual_seed(0)
    loader = sifted(numbers(2000, 8), 20, keep=0.3, selection="bernoulli", **config)
    total = loader.total_steps()
    assert sum(train_epoch(loader) for _ in range(20)) == pytest.approx(total, rel=0.02)


def test_coins_have_an_expected_length() -> None:
    """With bernoulli the length is what quota's would be; what comes scatters around it."""
    torch.manual_seed(0)
    loader = sifted(numbers(400, 8), None, keep=0.5, scores="fresh", selection="bernoulli")
    seen = [train_epoch(loader) for _ in range(8)]
    assert len(loader) == 25
    assert len(set(seen)) > 1
    assert abs(sum(seen) - 200) < 12


@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_a_batch_sampler_of_the_users_own_has_a_length_if_it_tells_its_parts(scores: str) -> None:
    """One with `sampler`, `batch_size` and `drop_last`, as PyTorch's has them."""

    class Own(BatchSampler):
        pass

    inner = DataLoader(
        list(range(45)),  # type: ignore[arg-type] # a list is a dataset
        batch_sampler=Own(RandomSampler(range(45)), 8, drop_last=True),
    )
    loader = sifted(inner, 3, keep=0.5, scores=scores)
    total = loader.total_steps()
    assert loader.batch_size == 8
    assert sum(train_epoch(loader) for _ in range(3)) == total
