"""What ranks must have in common, and the epoch that all of them can give."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftRankError
from sift_toolkit.sifting._agreement import check_same, common_shape, figures_of
from sift_toolkit.sifting._schedule import EpochShape, Position

CONFIG = SiftConfig(keep=0.5)


def shape(rows: int = 100, batch_size: int = 8) -> EpochShape:
    """Return the shape of an epoch."""
    return EpochShape(rows=rows, batch_size=batch_size, drop_last=False)


def said(
    config: SiftConfig = CONFIG,
    engine: str = "fresh",
    rows: EpochShape | None = None,
    position: Position | None = None,
    *,
    samples: int | None = None,
    resumes: bool = False,
) -> dict[str, Any]:
    """Return what a rank says of itself."""
    at_work: Any = SimpleNamespace(name=engine, shared_samples=samples)
    return figures_of(config, at_work, rows, position or Position(), resumes=resumes)


def test_equal_ranks_are_let_through() -> None:
    """How often something is told, and how much data there is, may differ."""
    check_same([said(rows=shape(100)), said(SiftConfig(keep=0.5, log_every=1), rows=shape(90))])


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (said(SiftConfig(keep=0.4)), "sift configs"),
        (said(engine="memory"), "ways to score: 'fresh' on rank 0, 'memory' on rank 1"),
        (said(rows=shape(batch_size=4)), "batch sizes: None on rank 0, 4 on rank 1"),
        (said(position=Position(epochs=2)), "numbers of epochs behind them: 0 on rank 0, 2"),
        (said(position=Position(steps=7)), "numbers of training steps behind them"),
        (said(samples=40), "the dataset they share: None on rank 0, 40 on rank 1"),
        (said(resumes=True), "ways to begin"),
    ],
)
def test_a_difference_is_named(other: dict[str, Any], told: str) -> None:
    """With what each rank has."""
    with pytest.raises(SiftRankError, match="the same") as caught:
        check_same([said(), other])
    assert told in str(caught.value)


def test_all_differences_are_named_at_once() -> None:
    """Not one for each start of a job."""
    with pytest.raises(SiftRankError) as caught:
        check_same([said(), said(SiftConfig(keep=0.4), engine="memory", resumes=True)])
    assert str(caught.value).count("the same") == 3


def test_the_least_data_sets_the_length() -> None:
    """For all ranks."""
    ranks = [said(rows=shape(rows)) for rows in (100, 90, 95)]
    for rows in (100, 90, 95):
        assert common_shape(shape(rows), ranks) == shape(90)


def test_one_unknown_length_makes_all_unknown() -> None:
    """Also on the ranks that know theirs."""
    ranks = [said(rows=shape()), said()]
    assert common_shape(shape(), ranks) is None
    assert common_shape(None, [said()]) is None
