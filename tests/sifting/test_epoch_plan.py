"""The plan of an epoch: what comes in which batch, and what has come by when."""

from __future__ import annotations

import io
from typing import Any

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sift_toolkit.sifting._epoch_plan import NOTHING, Chosen, EpochPlan, with_whole_ends
from sift_toolkit.sifting._epoch_sizes import split_sizes
from sift_toolkit.sifting._forecast import SiftedSpan


def rows(*numbers: int) -> Tensor:
    """Return rows."""
    return torch.tensor(numbers, dtype=torch.int64)


def sifted(waiting: int, places: list[int], total: int, size: int, *, flush: bool) -> EpochPlan:
    """Return a plan whose ids are 100 and more for waiting rows, and places otherwise."""
    sizes = split_sizes(waiting + len(places), size, flush=flush)
    return EpochPlan.sifted(
        Chosen(torch.arange(100, 100 + waiting), None),
        Chosen(rows(*places), None),
        rows(*places),
        sizes,
        total,
    )


@given(
    waiting=st.integers(0, 7),
    flags=st.lists(st.booleans(), max_size=40),
    size=st.integers(1, 8),
    flush=st.booleans(),
    drop=st.booleans(),
    stop=st.integers(0, 12),
    saved=st.booleans(),
)
def test_every_row_is_accounted_for_after_every_batch(
    waiting: int,
    flags: list[bool],
    size: int,
    flush: bool,
    drop: bool,
    stop: int,
    saved: bool,
) -> None:
    """Seen is what came by, dropped what was not chosen of it; nothing is given twice or lost."""
    places = [place for place, flag in enumerate(flags) if flag]
    plan = sifted(waiting, places, len(flags), size, flush=flush)
    batches = list(plan.batches())
    seen = dropped = given_out = 0
    for number, batch in enumerate(batches):
        if number == stop and saved:
            plan = EpochPlan.from_state(plan.state_dict())
            assert list(plan.batches()) == batches[number:]
        assert plan.next_size == len(batch)
        ids, weights, more_seen, more_dropped = plan.advance()
        assert (ids.tolist(), weights) == (batch, None)
        seen += more_seen
        dropped += more_dropped
        given_out += len(batch)
        own = [number for number in batch if number < 100]
        if own:
            assert seen == own[-1] + 1
        assert seen + waiting == dropped + given_out + plan.waiting
    rest, left = plan.finish(drop_leftover=drop)
    seen += rest.seen
    dropped += rest.dropped
    assert seen == len(flags)
    assert seen + waiting == dropped + given_out + left.ids.numel()
    assert drop <= (left.ids.numel() == 0)


@given(waiting=st.integers(0, 9), count=st.integers(0, 20), batches=st.integers(0, 9))
def test_an_epoch_that_is_left_keeps_what_waited_before_it(
    waiting: int, count: int, batches: int
) -> None:
    """Rows of the epoch itself were not seen yet; those of the epoch before were."""
    plan = sifted(waiting, list(range(count)), count, 4, flush=True)
    done = [plan.advance() for _, _ in zip(plan.batches(), range(batches), strict=False)]
    given_out = sum(batch.ids.numel() for batch in done)
    assert plan.abandon().ids.tolist() == list(range(100 + given_out, 100 + waiting))
    assert plan.waiting == max(waiting - given_out, 0)


def test_a_whole_epoch_drops_nothing() -> None:
    """Every row comes by with its batch."""
    plan = EpochPlan.whole(torch.arange(7), [3, 3, 1])
    assert list(plan.batches()) == [[0, 1, 2], [3, 4, 5], [6]]
    assert [(batch.seen, batch.dropped) for batch in (plan.advance() for _ in range(3))] == [
        (3, 0),
        (3, 0),
        (1, 0),
    ]
    rest, waiting = plan.finish(drop_leftover=False)
    assert (rest.seen, rest.dropped, waiting.ids.numel()) == (0, 0, 0)


def test_weights_travel_with_their_rows() -> None:
    """Rows that waited without weights count 1."""
    first = Chosen(rows(8), None)
    second = Chosen(rows(3, 5), torch.tensor([0.5, 2.0]))
    assert (first + second).weights is not None
    plan = EpochPlan.sifted(first, second, rows(3, 5), [2, 1], 9)
    weights = [plan.advance().weights for _ in range(2)]
    assert [each.tolist() for each in weights if each is not None] == [[1.0, 0.5], [2.0]]
    assert (second + NOTHING).weights.tolist() == [0.5, 2.0]  # type: ignore[union-attr] # it has some
    assert (first + NOTHING).weights is None


def test_batches_given_twice_are_the_same() -> None:
    """A DataLoader may ask for an iterator as often as it likes; what was given is not repeated."""
    plan = EpochPlan.whole(torch.arange(6), [2, 2, 2])
    assert list(plan.batches()) == list(plan.batches())
    plan.advance()
    assert list(plan.batches()) == [[2, 3], [4, 5]]


def test_the_state_holds_only_what_is_to_come() -> None:
    """Through a file read without running code."""
    plan = EpochPlan.whole(torch.arange(100, dtype=torch.int32), [10] * 10)
    for _ in range(9):
        plan.advance()
    file = io.BytesIO()
    torch.save(plan.state_dict(), file)
    file.seek(0)
    state: dict[str, Any] = torch.load(file, weights_only=True)
    assert state["chosen"][0].untyped_storage().nbytes() == 40
    assert list(EpochPlan.from_state(state).batches()) == [list(range(90, 100))]


def test_what_is_kept_whole_stands_around_what_was_chosen() -> None:
    """In the order of the epoch, with weight 1."""
    ids = torch.arange(10) * 10
    weights = torch.tensor([0.5, 4.0])
    places, chosen = with_whole_ends(ids, SiftedSpan(2, 8, 2.0), rows(1, 4), weights)
    assert places.tolist() == [0, 1, 3, 6, 8, 9]
    assert chosen.ids.tolist() == [0, 10, 30, 60, 80, 90]
    assert chosen.weights is not None
    assert chosen.weights.tolist() == [1, 1, 0.5, 4, 1, 1]
    places, chosen = with_whole_ends(ids, SiftedSpan(2, 8, 2.0), rows(1, 4), None)
    assert (places.tolist(), chosen.weights) == ([0, 1, 3, 6, 8, 9], None)
    places, chosen = with_whole_ends(ids, SiftedSpan(0, 10, 2.0), rows(1, 4), weights)
    assert (places.tolist(), chosen.ids.tolist()) == ([1, 4], [10, 40])
