"""What processes agree to do at the same step, though only one of them may want it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

_INTERVAL_SECONDS: Final = 0.5
"""Between two questions, about; each is a wait for all processes."""

_MOST_STEPS: Final = 100


class AsksAll(Protocol):
    """Asks all processes at once."""

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def greatest(self, numbers: list[int], /) -> list[int]:
        """Return the greatest of each number over all of them."""
        ...


class Agreement:
    """Takes the wishes of all processes about twice a second, at steps that all of them know.

    Alone, a wish is granted at once.

    Args:
        processes: those that train together, each step of theirs at the same time.
        clock: replaced in tests.
    """

    def __init__(self, processes: AsksAll, clock: Callable[[], float] = time.monotonic) -> None:
        self._processes = processes
        self._clock = clock
        self._steps_left = 1
        self._steps = 1
        self._asked_at = clock()

    def of(self, wish: int) -> int:
        """Return the greatest wish of all processes, once a step of each; 0: none is due yet.

        Args:
            wish: 0 for none; the greater, the more urgent. One that is not granted yet is to be
                wished again.
        """
        if self._processes.size == 1:
            return wish
        self._steps_left -= 1
        if self._steps_left > 0:
            return 0
        # What comes next is agreed on too: clocks differ, and all must ask at the same step. The
        # slowest asks most often.
        granted, spared = self._processes.greatest([wish, _MOST_STEPS - self._steps_until_next()])
        self._steps = self._steps_left = _MOST_STEPS - spared
        return granted

    def _steps_until_next(self) -> int:
        now = self._clock()
        seconds = (now - self._asked_at) / self._steps
        self._asked_at = now
        return max(1, min(_MOST_STEPS, int(_INTERVAL_SECONDS / max(seconds, 1e-9))))
