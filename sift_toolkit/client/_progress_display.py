"""How a running job is drawn: what is known of it, and the two ways to show that."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Final, Protocol

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from sift_toolkit.client._job_words import duration
from sift_toolkit.metrics import (
    EPOCH,
    KEPT_SHARE,
    PROGRESS,
    TRAIN_LOSS,
    VALIDATION_ACCURACY,
    Metric,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Display", "JobState", "display_for", "print_line"]

_TENTHS: Final = 10
# Okabe and Ito's, as in our charts, and a grey: all can be seen on white and on black.
_BLUE: Final = "#0072b2"
_GREEN: Final = "#009e73"
_GREY: Final = "#808080"
_LONGEST: Final = 1e9
"""Seconds, of decades: a job that takes longer has not said how far it is."""
_SHOWN: Final = (
    (KEPT_SHARE, "kept {:.1%}"),
    (TRAIN_LOSS, "loss {:.3g}"),
    (VALIDATION_ACCURACY, "accuracy {:.2%}"),
)
"""The figures a person watches."""


class JobState:
    """What a job has reported so far, and when.

    Args:
        clock: Seconds since any fixed moment; the job starts now.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.latest: dict[Metric, float] = {}
        self._clock = clock
        self._started = clock()
        self._first_progress: tuple[float, float] | None = None
        self._last_progress = self._started

    def note(self, metric: Metric, value: float) -> None:
        """Remember a value that was reported just now."""
        self.latest[metric] = value
        if metric is PROGRESS:
            self._last_progress = self._clock()
            if self._first_progress is None:
                self._first_progress = (self._last_progress, value)

    @property
    def progress(self) -> float | None:
        """The share of the job that is done, None where the job has not said."""
        value = self.latest.get(PROGRESS)
        return None if value is None else min(max(value, 0.0), 1.0)

    @property
    def share(self) -> str:
        """The progress in words, empty where the job has not said."""
        return "" if self.progress is None else f"{self.progress:.0%}"

    @property
    def figures(self) -> str:
        """The figures a person watches, those that were reported."""
        return ", ".join(
            text.format(self.latest[metric]) for metric, text in _SHOWN if metric in self.latest
        )

    @property
    def gone(self) -> str:
        """The time since the start."""
        return duration(self._clock() - self._started)

    @property
    def times(self) -> str:
        """The time gone and, where the pace is known, the time left."""
        left = self._seconds_left()
        return f"{self.gone} gone" + ("" if left is None else f", {duration(left)} left")

    def _seconds_left(self) -> float | None:
        """Go by the pace since the first report: a resumed job does not begin at nought."""
        share = self.progress
        if share is None or self._first_progress is None:
            return None
        first_time, first_share = self._first_progress
        if share <= first_share:
            return None
        left = (self._last_progress - first_time) * (1 - share) / (share - first_share)
        if left > _LONGEST:
            return None
        return max(left - (self._clock() - self._last_progress), 0.0)


class Display(Protocol):
    """One way to show a job; `before` and `after` stand around each value's arrival."""

    def before(self, metric: Metric, value: float) -> None:
        """Draw what *value*, not yet in the state, makes complete."""

    def after(self) -> None:
        """Draw the value that the state has taken in."""

    def echo(self, line: str) -> None:
        """Print a line of the job's own."""

    def end(self, outcome: str | None = None, cause: str | None = None) -> None:
        """Say how the job ended and leave the console as it was found.

        Args:
            outcome: How it ended, as "stopped"; None: well.
            cause: By what.
        """


def display_for(console: Console, title: str, state: JobState) -> Display:
    """Return the best display that *console* can show, drawn for the first time."""
    return _Bar(console, title, state) if _can_redraw(console) else _Lines(console, title, state)


class _Bar:
    """Two lines, redrawn: the bar with its times, and the figures."""

    def __init__(self, console: Console, title: str, state: JobState) -> None:
        self._state = state
        self._times: str | None = None
        self._cause: str | None = None
        self._progress = _WithFootLine(
            TextColumn("{task.description}", markup=False),
            BarColumn(
                bar_width=30,
                style=_GREY,
                complete_style=_BLUE,
                finished_style=_GREEN,
                pulse_style=_BLUE,
            ),
            _Words(lambda: state.share),
            _Words(lambda: self._times or state.times),
            console=console,
            foot_line=lambda: ", ".join(filter(None, (self._cause, state.figures))),
        )
        # No total: the bar pulses until the job says how far it is.
        self._task = self._progress.add_task(title, total=None)
        self._progress.start()

    def before(self, metric: Metric, value: float) -> None:
        pass

    def after(self) -> None:
        if (share := self._state.progress) is not None:
            self._progress.update(self._task, total=1.0, completed=share)

    def echo(self, line: str) -> None:
        print_line(self._progress.console, line)

    def end(self, outcome: str | None = None, cause: str | None = None) -> None:
        gone = self._state.gone
        self._times = f"done in {gone}" if outcome is None else f"{outcome} after {gone}"
        self._cause = cause
        if self._state.progress is None:
            self._progress.update(self._task, total=1.0, completed=float(outcome is None))
        self._progress.refresh()  # in a notebook rich leaves the last frame out
        self._progress.stop()


class _WithFootLine(Progress):
    """A bar with a line of text below it."""

    def __init__(
        self, *columns: ProgressColumn, console: Console, foot_line: Callable[[], str]
    ) -> None:
        self._foot_line = foot_line
        super().__init__(*columns, console=console)

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        yield Text("  " + self._foot_line(), no_wrap=True, overflow="ellipsis")


class _Words(ProgressColumn):
    """A column that asks for its text each time it is drawn."""

    def __init__(self, words: Callable[[], str]) -> None:
        super().__init__()
        self._words = words

    def render(self, task: Task) -> Text:  # noqa: ARG002 - rich gives it, the words know more
        return Text(self._words())


class _Lines:
    """A short line now and then, for logs and pipes."""

    def __init__(self, console: Console, title: str, state: JobState) -> None:
        self._console = console
        self._title = title
        self._state = state
        self._tenth = 0
        self._say("started")

    def before(self, metric: Metric, value: float) -> None:
        # Progress, or else the epoch, opens a group of values: the group before is complete.
        state = self._state
        share = state.progress
        if metric is PROGRESS and share is not None:
            tenth = int(share * _TENTHS + 1e-9)
            if self._tenth < tenth < _TENTHS:
                self._tenth = tenth
                self._say(state.share, state.figures, state.times)
        elif metric is EPOCH and share is None and value > state.latest.get(EPOCH, value):
            self._say(f"epoch {state.latest[EPOCH]:.0f}", state.figures, state.times)

    def after(self) -> None:
        pass

    def echo(self, line: str) -> None:
        print_line(self._console, line)

    def end(self, outcome: str | None = None, cause: str | None = None) -> None:
        state = self._state
        if outcome is None:
            self._say(f"done in {state.gone}", state.figures)
        else:
            by = f" by {cause}" if cause else ""
            where = f" at {state.share}" if state.share else ""
            self._say(f"{outcome}{by} after {state.gone}{where}", state.figures)

    def _say(self, *parts: str) -> None:
        print_line(self._console, f"{self._title}: {', '.join(filter(None, parts))}")


def print_line(console: Console, line: str) -> None:
    """Print a line as it is: no markup, no colours of rich's own, no line breaks."""
    console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)


def _can_redraw(console: Console) -> bool:
    if console.is_jupyter:
        # Without widgets rich would warn, and draw nothing until the end.
        return importlib.util.find_spec("ipywidgets") is not None
    return console.is_interactive
