"""The charts of a comparison: where the time of each job went, and what it reached in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sift_toolkit.display import Figure, Line, Row, html_table, line_chart, thinned
from sift_toolkit.report import JobTime, time_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sift_toolkit.client._compare_rows import ComparedJob

__all__ = ["accuracy_figure", "comparison_figures", "times_figure"]

_MOST_POINTS = 60
_MOST_JOBS = 20
"""In one chart of lines, where each is drawn another way."""


def comparison_figures(jobs: Sequence[ComparedJob]) -> list[Figure]:
    """Return the charts that jobs have reported the numbers for."""
    drawn = (times_figure(jobs, " of all jobs"), accuracy_figure(jobs, " of all jobs"))
    return [figure for figure in drawn if figure is not None]


def times_figure(jobs: Sequence[ComparedJob], of: str = "") -> Figure | None:
    """Draw where the time went; None where no job has reported it."""
    times = []
    for job in jobs:
        figures = job.facts.figures
        load, score, train = figures.load_seconds, figures.score_seconds, figures.train_seconds
        if load is not None and score is not None and train is not None:
            times.append(JobTime(job.label, load, score, train))
    return time_figure(times, of)


def accuracy_figure(jobs: Sequence[ComparedJob], of: str = "") -> Figure | None:
    """Draw each validation against the time spent until then; None where there was none."""
    curves = []
    for job in jobs:
        points = [
            (point.training_seconds, 100 * point.accuracy)
            for point in job.facts.figures.curve
            if point.training_seconds is not None
        ]
        if points:
            curves.append(Line(job.label, thinned(points, _MOST_POINTS)))
    if not curves:
        return None
    title = "Accuracy, and the time it took"
    x = "loading, scoring and training [s]"
    chart = line_chart(
        f"{title}{of}",
        curves[:_MOST_JOBS],
        x=x,
        y="validation accuracy [%]",
        description=" ".join(
            f"{line.name}: {line.points[-1][1]:.2f} % after {line.points[-1][0]:,.1f} seconds."
            for line in curves
        ),
        from_zero=False,
    )
    rows = [
        Row(line.name, [f"{seconds:,.1f}", f"{accuracy:.2f}"])
        for line in curves
        for seconds, accuracy in line.points
    ]
    table = html_table(f"{title}{of}", [["job"], ["time", "s"], ["accuracy", "%"]], rows)
    cut = f"The first {_MOST_JOBS} of {len(curves)} jobs." if len(curves) > _MOST_JOBS else ""
    return Figure(title, chart, table, cut)
