"""The forecast of an epoch's batches, and the part of an epoch that a memory sifts."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting._forecast import (
    Carried,
    SiftedSpan,
    forecast_fresh,
    forecast_memory,
    sifted_span,
)
from sift_toolkit.sifting._schedule import EpochShape, Position

SHAPE = EpochShape(rows=100, batch_size=8, drop_last=False)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("keep", [1.0, 0.5, 1 / 3, 0.01])
def test_an_epoch_of_fresh_scores(keep: float, drop_last: bool) -> None:
    """All rows come by; as many batches as the kept rows fill, and what rests is carried."""
    shape = EpochShape(rows=100, batch_size=8, drop_last=drop_last)
    config = SiftConfig(keep=keep, leftover="carry")
    position = Position()
    carried = forecast_fresh(config, shape, position, None, Carried())
    assert position.rows == position.epoch_rows == shape.rows_given
    if keep == 1:
        assert (position.steps, carried) == (13 - drop_last, Carried())
        return
    kept = position.steps * 8 + carried.waiting
    assert kept + carried.remainder == pytest.approx(keep * shape.rows_given)
    assert -1e-9 < carried.remainder < 1


def test_a_debt_is_paid_out_of_what_comes() -> None:
    """Rows owed from before make windows whole, never more than that."""
    config = SiftConfig(keep=0.5, leftover="carry")
    carried = forecast_fresh(config, SHAPE, position := Position(), None, Carried(remainder=60.0))
    assert (position.steps, carried) == (12, Carried(remainder=10.0, waiting=4))


def test_the_first_epoch_of_a_memory_is_whole() -> None:
    """Until something is known; then the epoch's share is kept."""
    config = SiftConfig(keep=0.5)
    position = Position()
    carried = forecast_memory(config, SHAPE, position, None, Carried())
    assert (position.steps, carried) == (13, Carried(knows=True))
    carried = forecast_memory(config, SHAPE, position, None, carried)
    assert (position.steps, carried) == (13 + 7, Carried(knows=True))
    assert position.rows == 200


@pytest.mark.parametrize(
    ("leftover", "waiting", "steps"), [("carry", 4, 12), ("drop", 0, 12), ("flush", 0, 14)]
)
def test_leftovers_of_two_epochs(leftover: str, waiting: int, steps: int) -> None:
    """Carried rows help to fill the next epoch's batches."""
    config = SiftConfig(keep=0.5, leftover=leftover)  # type: ignore[arg-type] # a word
    position = Position()
    carried = Carried(knows=True)
    for _ in range(2):
        carried = forecast_memory(config, SHAPE, position, None, carried)
    assert (position.steps, carried.waiting) == (steps, waiting)


SPANS: dict[str, Any] = {
    "the whole epoch": ({}, 2, 100, 13, SiftedSpan(0, 100, 50.0)),
    "delay over": ({"sift_delay": 13}, 2, 100, 13, SiftedSpan(0, 100, 50.0)),
    "delay into the epoch": ({"sift_delay": 15}, 2, 100, 13, SiftedSpan(16, 100, 42.0)),
    "delay past the epoch": ({"sift_delay": 99}, 2, 100, 13, SiftedSpan(0, 0, 0.0)),
    "delay in each epoch": (
        {"sift_delay": 3, "repeat_delay_per_epoch": True},
        2,
        100,
        13,
        SiftedSpan(24, 100, 38.0),
    ),
    "annealing from the middle": ({"anneal": 0.375}, 3, 200, 20, SiftedSpan(0, 50, 25.0)),
    "annealed": ({"anneal": 0.5}, 3, 200, 20, SiftedSpan(0, 0, 0.0)),
    "nothing sifted": ({"enabled": False}, 2, 100, 13, SiftedSpan(0, 0, 0.0)),
    "falling": ({"keep_end": 0.1}, 3, 200, 20, SiftedSpan(0, 100, pytest.approx(25.05))),
}


@pytest.mark.parametrize("case", SPANS.values(), ids=SPANS)
def test_the_part_of_an_epoch_that_is_sifted(case: Any) -> None:
    """Delay before it, annealing after it, the share of its middle in it; four epochs of 100."""
    fields, epochs, rows, steps, expected = case
    position = Position(epochs=epochs, rows=rows, steps=steps)
    config = SiftConfig(keep=0.5, **fields)
    assert sifted_span(config, 100, 8, position, 400, knows=True) == expected
    assert sifted_span(config, 100, 8, position, 400, knows=False).rows == 0


def test_the_share_of_a_falling_keep_is_the_mean_over_its_rows() -> None:
    """Exactly the sum that row by row would give."""
    config = SiftConfig(keep=0.8, keep_end=0.2)
    span = sifted_span(config, 100, 8, Position(epochs=2, rows=100), 400, knows=True)
    each = [0.8 + (100 + row) / 400 * (0.2 - 0.8) for row in range(100)]
    assert span.target == pytest.approx(sum(each))


def test_without_the_runs_length_the_share_is_constant() -> None:
    """Neither falls nor anneals, whatever the position."""
    config = SiftConfig(keep=0.5)
    position = Position(epochs=9, rows=900)
    assert sifted_span(config, 100, 8, position, None, knows=True) == SiftedSpan(0, 100, 50.0)


def test_long_epochs_are_forecast_quickly() -> None:
    """A memory's or a whole epoch takes no time at all; a fresh one a microsecond a batch."""
    shape = EpochShape(rows=10**9, batch_size=1000, drop_last=True)
    config = SiftConfig(keep=0.3)
    start = time.perf_counter()
    for _ in range(100):
        forecast_memory(config, shape, Position(), None, Carried(knows=True))
        forecast_fresh(config, shape, Position(sifts=False), None, Carried())
    assert time.perf_counter() - start < 1
    position = Position()
    forecast_fresh(config, shape, position, None, Carried())
    assert position.steps == 300_000
