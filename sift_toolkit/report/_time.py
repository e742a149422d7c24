"""Where jobs' time went, as a chart: loading, scoring and training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sift_toolkit.display import Figure, Row, Stack, html_table, stacked_bars

__all__ = ["JobTime", "time_figure"]

_PARTS: Final = ("load", "score", "train")
_UNITS: Final = ((2 * 86_400, 3600, "h"), (2 * 3600, 60, "min"), (0, 1, "s"))
"""From so many seconds on: the seconds in a unit, and the unit."""


class JobTime(NamedTuple):
    """What one job spent, in seconds since its start."""

    name: str
    load: float
    """Waiting for data."""
    score: float
    """Scoring and selecting."""
    train: float
    """In the training loop's own code."""

    @property
    def parts(self) -> tuple[float, float, float]:
        """The three in order."""
        return self.load, self.score, self.train

    @property
    def total(self) -> float:
        """All three together."""
        return sum(self.parts)


def time_figure(jobs: Sequence[JobTime], of: str = "") -> Figure | None:
    """Draw the time of jobs, one bar each; None where no job has spent any.

    Args:
        jobs: The jobs, from the top on.
        of: Whose time it is, for screen readers: pages hold many charts.
    """
    if not any(job.total for job in jobs):
        return None
    longest = max(job.total for job in jobs)
    size, unit = next((size, unit) for least, size, unit in _UNITS if longest >= least)
    title = "Where the time went"
    stacks = [
        Stack(job.name, [part / size for part in job.parts], f"{job.total / size:,.4g} {unit}")
        for job in jobs
    ]
    chart = stacked_bars(
        f"{title}{of}",
        [f"{name}: {meaning}" for name, meaning in zip(_PARTS, _meanings(), strict=True)],
        stacks,
        x=f"loading, scoring and training [{unit}]",
        description=" ".join(map(_sentence, jobs)),
    )
    table = html_table(
        f"{title}{of}",
        [["job"], *([name, "s"] for name in _PARTS), *([name, "%"] for name in _PARTS)],
        [Row(job.name, _cells(job)) for job in jobs],
    )
    return Figure(title, chart, table)


def _meanings() -> tuple[str, str, str]:
    return "waiting for data", "scoring and selecting", "the training loop"


def _sentence(job: JobTime) -> str:
    shares = ", ".join(
        f"{part / (job.total or 1):.0%} {name}"
        for part, name in zip(job.parts, ("loading", "scoring", "training"), strict=True)
    )
    return f"{job.name}: {job.total:,.1f} seconds, {shares}."


def _cells(job: JobTime) -> list[str]:
    seconds = [f"{part:,.1f}" for part in job.parts]
    return seconds + [f"{100 * part / job.total:.1f}" if job.total else "-" for part in job.parts]
