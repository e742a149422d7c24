"""When to sift and how much: positions, shapes, the falling share, the delay, the annealing."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit import SiftConfig
from sift_toolkit.sifting._schedule import (
    EpochShape,
    Position,
    anneals_from,
    falling_keep,
    flushes,
    leftover_rule,
    window_keep,
)


def config_of(**fields: Any) -> SiftConfig:
    """Return a config that keeps half."""
    return SiftConfig(**{"keep": 0.5, **fields})


class TestPosition:
    """How far a run has come."""

    def test_it_starts_at_0(self) -> None:
        """A run begins with nothing seen and nothing handed out."""
        assert dataclasses.astuple(Position()) == (0, 0, 0, 0, 0, True)

    def test_it_counts(self) -> None:
        """Rows and batches are counted for the run and for the epoch."""
        position = Position()
        position.begin_epoch(10)
        position.see(4)
        position.step()
        position.see(3)
        position.step(2)
        assert position == Position(epochs=1, rows=7, steps=3, epoch_rows=7, epoch_steps=3)

    def test_an_epoch_begins_at_0(self) -> None:
        """A new epoch counts its own rows and batches from the start; the run's go on."""
        position = Position(epochs=1, rows=10, steps=5, epoch_rows=10, epoch_steps=5)
        position.begin_epoch(10)
        assert position == Position(epochs=2, rows=10, steps=5)

    def test_an_epoch_left_early_counts_as_come_by(self) -> None:
        """A loop that breaks out of an epoch does not stretch the run's schedule."""
        position = Position(epochs=3, rows=24, epoch_rows=4)
        position.begin_epoch(10)
        assert position.rows == 30

    def test_without_a_known_length_rows_just_add_up(self) -> None:
        """Where nobody knows how long an epoch is, what came by is all there is."""
        position = Position(epochs=3, rows=24, epoch_rows=4)
        position.begin_epoch(None)
        assert position == Position(epochs=4, rows=24)


class TestEpochShape:
    """What an epoch of the user's loader looks like."""

    @given(rows=st.integers(0, 300), batch_size=st.integers(1, 40), drop_last=st.booleans())
    def test_its_sizes_are_a_data_loaders(
        self, rows: int, batch_size: int, drop_last: bool
    ) -> None:
        """Batches have the sizes that PyTorch's own sampler gives, the last one included."""
        shape = EpochShape(rows=rows, batch_size=batch_size, drop_last=drop_last)
        sampler = torch.utils.data.BatchSampler(range(rows), batch_size, drop_last)
        assert list(shape.sizes()) == [len(batch) for batch in sampler]
        assert shape.rows_given == sum(shape.sizes())
        assert shape.batches == len(sampler)


class TestFallingKeep:
    """The share to keep over a run."""

    def test_it_is_constant_by_default(self) -> None:
        """Without `keep_end` the share stays."""
        assert [falling_keep(config_of(), share) for share in (0.0, 0.5, 1.0)] == [0.5] * 3

    def test_it_falls_linearly(self) -> None:
        """The share falls in a straight line from `keep` to `keep_end`."""
        config = config_of(keep=0.9, keep_end=0.1)
        shares = [falling_keep(config, share) for share in (0.0, 0.25, 0.5, 1.0)]
        assert shares == pytest.approx([0.9, 0.7, 0.5, 0.1])

    def test_it_is_asked_for_many_places_at_once(self) -> None:
        """The shares of a whole epoch are those of its samples, one by one."""
        config = config_of(keep=0.9, keep_end=0.1)
        progress = torch.linspace(0, 1, 11, dtype=torch.float64)
        expected = [falling_keep(config, float(share)) for share in progress]
        assert falling_keep(config, progress).tolist() == pytest.approx(expected)

    @given(keep=st.floats(0, 1, exclude_min=True), end=st.floats(0, 1), progress=st.floats(0, 1))
    def test_it_stays_between_its_ends(self, keep: float, end: float, progress: float) -> None:
        """Rounding never takes the share above its start, or to 0."""
        config = SiftConfig(keep=keep, keep_end=max(min(end, keep), 1e-9 * keep) or keep)
        assert 0 < falling_keep(config, progress) <= keep


class TestWindowKeep:
    """The share of the batch that comes next."""

    def test_it_is_the_configs_share(self) -> None:
        """Sifting starts with the first batch unless told otherwise."""
        assert window_keep(config_of(), Position(), None) == 0.5

    def test_off_is_off(self) -> None:
        """The plain twin keeps everything at any time."""
        assert window_keep(config_of(enabled=False), Position(steps=99, rows=50), 100) == 1

    def test_a_closed_gate_keeps_everything(self) -> None:
        """Whatever the config says, at any time."""
        position = Position(steps=99, rows=50, sifts=False)
        assert window_keep(config_of(keep_end=0.2), position, 100) == 1

    @pytest.mark.parametrize(
        ("repeat", "position", "share"),
        [
            (False, Position(steps=2, epoch_steps=2), 1),
            (False, Position(steps=3, epoch_steps=3), 0.5),
            (False, Position(epochs=2, steps=9, epoch_steps=1), 0.5),
            (True, Position(epochs=2, steps=9, epoch_steps=2), 1),
            (True, Position(epochs=2, steps=9, epoch_steps=3), 0.5),
        ],
    )
    def test_the_delay_counts_batches(self, repeat: bool, position: Position, share: float) -> None:
        """The first batches of a run, or of each epoch, are kept whole."""
        config = config_of(sift_delay=3, repeat_delay_per_epoch=repeat)
        assert window_keep(config, position, None) == share

    @pytest.mark.parametrize(
        ("rows", "share"), [(0, 0.5), (50, 0.35), (79, 0.263), (80, 1), (100, 1), (500, 1)]
    )
    def test_the_share_falls_and_the_end_is_whole(self, rows: int, share: float) -> None:
        """The share follows the progress; the annealing at the end is on all data."""
        config = config_of(keep_end=0.2, anneal=0.2)
        assert window_keep(config, Position(rows=rows), 100) == pytest.approx(share)

    def test_training_past_the_end_goes_on_as_it_ended(self) -> None:
        """More epochs than announced keep the final share."""
        assert window_keep(config_of(keep_end=0.2), Position(rows=500), 100) == pytest.approx(0.2)

    def test_without_an_end_nothing_falls(self) -> None:
        """A run of unknown length stays at the start of its schedule."""
        assert window_keep(config_of(keep_end=0.2), Position(rows=500), None) == 0.5


def test_annealing_starts_before_the_end() -> None:
    """The annealed share is counted from the end; none of it starts never."""
    assert anneals_from(config_of(anneal=0.25)) == 0.75
    assert anneals_from(config_of(anneal=1.0)) == 0
    assert anneals_from(config_of()) == math.inf


class TestLeftovers:
    """Rows that fill no batch when an epoch ends."""

    @pytest.mark.parametrize("drop_last", [True, False])
    @pytest.mark.parametrize("rule", ["flush", "carry", "drop"])
    def test_the_config_decides(self, rule: str, drop_last: bool) -> None:
        """A rule that was given holds for any loader."""
        assert leftover_rule(config_of(leftover=rule), drop_last=drop_last) == rule

    def test_auto_follows_the_loader(self) -> None:
        """A loader that drops its last batch wants full batches only; others want every row."""
        assert leftover_rule(config_of(), drop_last=True) == "carry"
        assert leftover_rule(config_of(), drop_last=False) == "flush"

    @pytest.mark.parametrize(
        ("rule", "waiting", "batch_size", "leaves"),
        [
            ("flush", 5, 8, True),
            ("flush", 2, 8, True),
            ("flush", 1, 8, False),
            ("flush", 1, 1, True),
            ("flush", 0, 8, False),
            ("flush", 0, 1, False),
            ("carry", 5, 8, False),
            ("drop", 5, 8, False),
        ],
    )
    def test_a_single_row_never_leaves_alone(
        self, rule: Any, waiting: int, batch_size: int, leaves: bool
    ) -> None:
        """A batch of one row by surprise would break batch normalisation, so it waits."""
        assert flushes(rule, waiting, batch_size) is leaves
