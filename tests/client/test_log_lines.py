"""Whole lines out of log events that cut them anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.client._log_lines import LineJoiner, whole_lines
from sift_toolkit.metrics import KEPT_SHARE, METRICS, PROGRESS, Metric, read_lines

VALUES = st.tuples(st.sampled_from(METRICS), st.floats(-1e6, 1e6))


@given(values=st.lists(VALUES, min_size=1, max_size=6), data=st.data())
def test_a_metric_cut_anywhere_is_read(
    values: list[tuple[Metric, float]], data: st.DataObject
) -> None:
    """However often each line is cut, and wherever, every metric comes out, in order, exactly."""
    pieces = []
    for metric, value in values:
        line = metric.line(value)
        cuts = sorted(data.draw(st.sets(st.integers(1, len(line) - 1), max_size=4)))
        ends = [*cuts, len(line)]
        pieces += [line[begin:end] for begin, end in zip([0, *cuts], ends, strict=True)]
    assert list(read_lines(whole_lines(pieces))) == values


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), max_size=8))
def test_lines_without_metrics_come_out_as_they_were(lines: list[str]) -> None:
    """Whatever else a job prints passes unchanged and in order, also what looks like a beginning.

    Nothing is drawn that would make a metric of two lines.
    """
    assert list(whole_lines(lines)) == lines


@pytest.mark.parametrize("lines", [["weights = ["], ["[", "1, 2]"], ["[sift] note: x", "[si", "y"]])
def test_a_false_beginning_is_let_go(lines: list[str]) -> None:
    """A line that ends as a metric begins is held until the next one shows that it is none."""
    assert list(whole_lines(lines)) == lines


def test_half_a_number_is_never_a_number() -> None:
    """A metric whose end never comes is no value: half of 0.25 is not taken for 0.2."""
    assert list(read_lines(whole_lines([KEPT_SHARE.line(0.25)[:-2]]))) == []


def test_a_beginning_does_not_hide_the_metric_after_it() -> None:
    """Where another process cuts in between, the whole metric is read and the half one is lost."""
    pieces = [KEPT_SHARE.line(0.25)[:-2], PROGRESS.line(0.5), "5;"]
    assert list(read_lines(whole_lines(pieces))) == [(PROGRESS, 0.5)]


def test_an_event_of_several_lines() -> None:
    """An event that holds line breaks is as many lines."""
    event = "one\n" + KEPT_SHARE.line(0.5) + "\ntwo"
    assert list(whole_lines([event])) == ["one", KEPT_SHARE.line(0.5), "two"]


def test_what_is_held_back_waits_for_its_end() -> None:
    """Between two looks at a log the beginning of a metric stays inside."""
    joiner = LineJoiner()
    line = KEPT_SHARE.line(0.5)
    assert list(joiner.take(line[:10])) == []
    assert list(joiner.take(line[10:])) == [line]
    assert list(joiner.rest()) == []
