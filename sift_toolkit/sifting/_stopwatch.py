"""Whose time it is: every moment belongs to loading, to scoring, to the training loop or to nobody.

On a device that works behind the host's back an interval is measured some steps later, once the
device has come to its end, so that nothing waits for it.
"""

from __future__ import annotations

from collections import deque
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple

from sift_toolkit.sifting._timeline import Timeline

Segment = Literal["load", "score", "train"]


class _Interval(NamedTuple):
    segment: Segment
    start: Any
    end: Any


class _During:
    """As a generator would do it, at half the cost: this is entered at each step."""

    def __init__(self, stopwatch: Stopwatch, segment: Segment, before: Segment | None) -> None:
        self._stopwatch = stopwatch
        self._segment = segment
        self._before = before

    def __enter__(self) -> None:
        self._stopwatch.begin(self._segment)

    def __exit__(self, *_: object) -> None:
        self._stopwatch.begin(self._before)


class Stopwatch:
    """Hands out time to segments, one after the other.

    Args:
        timeline: where time is read from.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._measured: dict[Segment, float] = {}
        self._segment: Segment | None = None
        self._since: Any = None
        self._pending: deque[_Interval] = deque()

    def read_from(self, timeline: Timeline) -> None:
        """Read time from another timeline from now on; nobody's it must be."""
        assert self._segment is None
        self._measure_all()
        self._timeline = timeline

    def begin(self, segment: Segment | None) -> None:
        """From now on the time is that of *segment*; None: nobody's."""
        before = self._segment
        if segment == before:
            return
        mark = self._timeline.mark()
        if before is not None:
            self._end(before, self._since, mark)
        self._segment, self._since = segment, mark

    def _end(self, segment: Segment, start: Any, end: Any) -> None:
        if not self._timeline.most_pending:
            self._add(segment, start, end)
            return
        self._pending.append(_Interval(segment, start, end))
        if len(self._pending) > self._timeline.most_pending:
            # The device passed it long ago, unless it is so far behind that it must be waited for:
            # what is pending would grow without end.
            self._add(*self._pending.popleft())

    def during(self, segment: Segment) -> AbstractContextManager[None]:
        """Give *segment* the time in here; whose time it was before, has it again after."""
        return _During(self, segment, self._segment)

    def end_training(self) -> None:
        """The training loop's time ends, if it is under way."""
        if self._segment == "train":
            self.begin(None)

    def take(self) -> dict[Segment, float]:
        """Return the seconds of each segment that are over and were not taken before.

        Waits for the device to come to the end of them.
        """
        self._measure_all()
        measured, self._measured = self._measured, {}
        return measured

    def forget(self) -> None:
        """Drop what is under way or was not taken yet."""
        self._segment = None
        self._pending.clear()
        self._measured = {}

    def _measure_all(self) -> None:
        while self._pending:
            self._add(*self._pending.popleft())

    def _add(self, segment: Segment, start: Any, end: Any) -> None:
        seconds = self._timeline.seconds(start, end)
        self._measured[segment] = self._measured.get(segment, 0.0) + seconds
