"""Totals by class: added up window by window, whatever labels come, and never too many."""

from __future__ import annotations

import collections
import io

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.report import ClassTotals
from sift_toolkit.sifting._class_counts import ClassCounts
from sift_toolkit.sifting._labels import numbered

ROWS = st.lists(
    st.tuples(st.integers(-(2**62), 2**62) | st.integers(-2, 4), st.booleans()), max_size=20
)


def add(counts: ClassCounts, labels: list[int], chosen: list[int] | None = None) -> None:
    """Count one window."""
    rows = None if chosen is None else torch.tensor(chosen, dtype=torch.int64)
    counts.add(numbered(torch.tensor(labels, dtype=torch.int64)), rows)


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def counts(notes: list[str]) -> ClassCounts:
    return ClassCounts(notes.append)


@given(windows=st.lists(ROWS, max_size=6))
def test_windows_add_up(windows: list[list[tuple[int, bool]]]) -> None:
    """As they would counted row by row."""
    counts = ClassCounts(lambda _: None)
    seen: collections.Counter[int] = collections.Counter()
    kept: collections.Counter[int] = collections.Counter()
    for rows in windows:
        labels = [label for label, _ in rows]
        chosen = [place for place, (_, is_chosen) in enumerate(rows) if is_chosen]
        add(counts, labels, chosen)
        seen.update(labels)
        kept.update(labels[place] for place in chosen)
    labels = sorted(seen)
    expected = ClassTotals(
        labels=tuple(labels),
        seen=tuple(seen[label] for label in labels),
        chosen=tuple(kept[label] for label in labels),
    )
    assert counts.totals() == (expected if labels else None)


def test_rows_kept_whole_are_chosen(counts: ClassCounts) -> None:
    """All of them."""
    add(counts, [4, 4, 9])
    assert counts.totals() == ClassTotals(labels=(4, 9), seen=(2, 1), chosen=(2, 1))


def test_classes_without_a_row_are_left_out(counts: ClassCounts) -> None:
    """A memory's labels are of all samples; what an epoch does not give is not reported."""
    every = numbered(torch.tensor([1, 2, 3]))
    counts.add(every.of(torch.tensor([0, 2, 2])), torch.tensor([1]))
    assert counts.totals() == ClassTotals(labels=(1, 3), seen=(1, 2), chosen=(0, 1))


def test_nothing_is_told_before_a_label_came(counts: ClassCounts) -> None:
    """A run without labels has no totals."""
    assert counts.totals() is None
    add(counts, [], [])
    assert counts.totals() is None


def test_too_many_classes_are_given_up_and_said_once(counts: ClassCounts, notes: list[str]) -> None:
    """Ten thousand are told, one more and none is."""
    add(counts, list(range(9_999)), [])
    add(counts, [10_000], [])
    told = counts.totals()
    assert told is not None
    assert len(told.labels) == 10_000
    assert notes == []
    add(counts, [-1], [])
    assert counts.totals() is None
    add(counts, [1, 2, 3], [])
    assert counts.totals() is None
    assert len(notes) == 1
    assert "there are 10,001 classes or more, reported are up to 10,000" in notes[0]


@pytest.mark.parametrize("windows", [[], [[3, 3, 1]], [list(range(10_001))]], ids=len)
def test_it_goes_on_from_a_saved_state(windows: list[list[int]]) -> None:
    """A state loads with weights_only=True, and is told nothing twice."""
    notes: list[str] = []
    first, second = ClassCounts(lambda _: None), ClassCounts(notes.append)
    for window in windows:
        add(first, window, [0])
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second.load_state_dict(torch.load(file, weights_only=True))
    for each in (first, second):
        add(each, [3, 8])
    assert first.totals() == second.totals()
    assert notes == []


def test_a_state_is_a_copy(counts: ClassCounts) -> None:
    """What is saved does not change when the run goes on."""
    add(counts, [1])
    state = counts.state_dict()
    add(counts, [1])
    assert state["totals"] == [[1], [1], [1]]
