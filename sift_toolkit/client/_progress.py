"""What a person sees while a job runs: a bar on a terminal or in a notebook, short lines elsewhere.

Everything shown is read from the job's own metric lines. All other lines are remembered, so that
the last of them can be shown when the job fails.
"""

from __future__ import annotations

import re
import time
from collections import deque
from typing import TYPE_CHECKING, Final, final

from rich.console import Console

from sift_toolkit.client._progress_display import Display, JobState, display_for, print_line
from sift_toolkit.metrics import read_line
from sift_toolkit.outside import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["JobProgress"]

_ESCAPES: Final = re.compile(
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"  # colours and cursor moves
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)"  # window titles and links
    r"|[@-Z\\^_]"  # two-character escapes
    r")"
)


@final
class JobProgress:
    """Shows a running job from its log lines; call it with each of them.

        with JobProgress("sifted job") as progress:
            estimator = sift_estimator(..., sagemaker_session=HostSession(on_line=progress))
            estimator.fit(...)

    A console that can redraw gets a bar: progress, time gone and time left, and below it the kept
    share, training loss and validation accuracy. Any other gets a line at the start, at each tenth
    of the job (at each epoch where the job reports no progress) and at the end, without escape
    codes. Lines that come outside the ``with`` are remembered, never shown. Threads may call it.

    Args:
        title: What the job is called on the screen.
        console: Where to draw; default: standard output, its kind found out by rich.
        echo: Also print every line that reports no metric.
        tail_length: How many of the lines that report no metric `tail` holds.
        clock: Seconds since any fixed moment.
    """

    def __init__(
        self,
        title: str,
        *,
        console: Console | None = None,
        echo: bool = False,
        tail_length: int = 50,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._title = title
        self._console = Console() if console is None else console
        self._echo = echo
        self._clock = clock
        self._tail: deque[str] = deque(maxlen=tail_length)
        self._state = JobState(clock)
        self._display: Display | None = None
        self._outcome = ""

    @property
    def tail(self) -> tuple[str, ...]:
        """The job's last lines that report no metric, oldest first, without escape codes."""
        return tuple(self._tail)

    def ended(self, outcome: str) -> None:
        """Say how the job ended, as "failed", before the ``with`` does; "": well, the default."""
        self._outcome = outcome

    def say(self, line: str) -> None:
        """Print a line, above the bar where there is one."""
        for each in line.splitlines():
            print_line(self._console, one_line(each))

    def __enter__(self) -> JobProgress:
        self._tail.clear()
        self._outcome = ""
        self._state = JobState(self._clock)
        self._display = display_for(self._console, self._title, self._state)
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        display, self._display = self._display, None
        if display is not None:
            if self._outcome:
                display.end(self._outcome)
            elif error_type is not None:
                display.end("stopped", error_type.__name__)
            else:
                display.end()

    def __call__(self, line: str) -> None:
        """Take one line of the job's log, with or without a line end, prefix and colours."""
        text = _ESCAPES.sub("", line)
        display = self._display
        if (point := read_line(text)) is not None:
            if display is not None:
                display.before(*point)
            self._state.note(*point)
            if display is not None:
                display.after()
        # A bar the job itself draws overwrites its line: what a screen would show is what counts.
        elif shown := [part for part in text.rstrip().split("\r") if part.strip()]:
            self._tail.append(shown[-1])
            if self._echo and display is not None:
                display.echo(shown[-1])
