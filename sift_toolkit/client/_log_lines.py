"""Whole lines out of log events: SageMaker's agent reads blocks, and may cut a line in two."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sift_toolkit.metrics import LINE_TAG, read_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["LineJoiner", "whole_lines"]

_TAG_BEGUN: Final = "|".join(re.escape(LINE_TAG[:length]) for length in range(1, len(LINE_TAG)))
# The semicolon ends a metric, so that half a number is known for what it is.
_UNFINISHED: Final = re.compile(rf"(?:{re.escape(LINE_TAG)}[a-z_]*(?:=[-+0-9.e]*)?|{_TAG_BEGUN})$")

_MOST_HELD: Final = 4096
_MOST_PIECES: Final = 64
"""Characters, prefix included, and pieces that may become one metric's line: anything may come."""


class LineJoiner:
    """Joins the pieces of one log stream; an event that may be half a metric is held back.

    What was held back and did not become a metric comes out as it was.
    """

    def __init__(self) -> None:
        self._held: list[str] = []

    def take(self, message: str) -> Iterator[str]:
        """Yield the lines that *message*, the next event's, completes."""
        for piece in message.splitlines():
            joined = "".join((*self._held, piece))
            if self._held and read_line(joined) is not None:
                self._held = []
                yield joined
            elif self._may_hold(joined) and _UNFINISHED.search(joined):
                self._held.append(piece)
            else:
                yield from self.rest()
                if _UNFINISHED.search(piece):
                    self._held = [piece]
                else:
                    yield piece

    def _may_hold(self, joined: str) -> bool:
        return len(joined) <= _MOST_HELD and len(self._held) < _MOST_PIECES

    def rest(self) -> Iterator[str]:
        """Yield what is held back still: nothing will complete it."""
        held, self._held = self._held, []
        yield from held


def whole_lines(messages: Iterable[str]) -> Iterator[str]:
    """Yield the lines of one log stream's messages, in order."""
    joiner = LineJoiner()
    for message in messages:
        yield from joiner.take(message)
    yield from joiner.rest()
