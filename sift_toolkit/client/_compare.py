"""`compare`: jobs side by side, wherever they ran, and what sifting saved."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sift_toolkit.client._compare_columns import (
    COLUMNS,
    Column,
    Value,
    record_of,
    shown_columns,
    status_text,
)
from sift_toolkit.client._compare_notes import notes_of
from sift_toolkit.client._compare_rows import ComparedJob, Price, compare_jobs
from sift_toolkit.client._job_source import JobSources
from sift_toolkit.client._needed import needed
from sift_toolkit.client._text_table import TABLE_WIDTH, draw_table
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.outside import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from pandas import DataFrame
    from rich.console import RenderableType

    from sift_toolkit.client._job_facts import JobFacts

__all__ = ["Comparison", "compare", "facts_by_label"]


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Jobs side by side; print it, show it in a notebook, or take its numbers.

    Where no job has a number its column is left out of text and HTML; `notes` says what is missing.
    """

    jobs: tuple[ComparedJob, ...]
    """The jobs in the order they were given."""
    notes: tuple[str, ...]
    """In whole sentences: what they are compared to, what is missing and why."""

    @property
    def twin(self) -> str | None:
        """Label of the job that the others are compared to; None: none has sifting off."""
        return next((job.label for job in self.jobs if job.is_twin), None)

    def records(self) -> list[dict[str, Value]]:
        """Return one dict a job, fit for JSON; None where a number is missing."""
        return [record_of(job) for job in self.jobs]

    def to_pandas(self) -> DataFrame:
        """Return a DataFrame, one row a job, indexed by its label.

        All columns are there whatever the jobs, the numbers as float64 with NaN for what is
        missing; a column's name ends in its unit. Money is in the currency of the price.

        Raises:
            SiftJobError: pandas is not installed.
        """
        with needed("to_pandas()", "pandas"):
            import pandas as pd
        frame = pd.DataFrame(self.records()).set_index("job")
        return frame.astype({column.key: "float64" for column in COLUMNS})

    def to_html(self, *, plot: bool = True) -> str:
        """Return a page of its own: the table, the notes and, with *plot*, charts.

        `report_page` makes one with all that is known of each job.
        """
        from sift_toolkit.client._compare_html import html_page

        return html_page(self, plot=plot)

    @property
    def has_picture(self) -> bool:
        """Whether any job has reported what `plot` draws: seconds, or an accuracy."""
        drawn = ("load_seconds", "score_seconds", "train_seconds", "accuracy_percent")
        return any(record[key] is not None for record in self.records() for key in drawn)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw where the time went, and the accuracy against what was saved.

        A notebook shows the figure; *path* gets it too, as the kind of picture its ending names.
        Needs matplotlib, which the ``demo`` extra brings.

        Raises:
            SiftUsageError: no job has reported anything that could be drawn.
            SiftJobError: matplotlib is not installed.
        """
        if not self.has_picture:
            names = ", ".join(job.label for job in self.jobs)
            msg = f"there is nothing to draw: none of {names} reported seconds or an accuracy"
            raise SiftUsageError(msg)
        with needed("plot()", "matplotlib"):
            from sift_toolkit.client._compare_plot import draw_comparison
        return draw_comparison(self, path)

    def __str__(self) -> str:
        lines = [self.title]
        for columns in self.tables():
            titles = [("", "status"), *(column.title for column in columns)]
            lines += ["", *draw_table(titles, self.rows(columns))]
        lines.append("")
        for note in self.notes:
            lines += textwrap.wrap(note, TABLE_WIDTH, subsequent_indent="  ")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(job.label for job in self.jobs)}>"

    def __rich__(self) -> RenderableType:
        from sift_toolkit.client._compare_rich import rich_tables

        return rich_tables(self)

    def _repr_html_(self) -> str:
        from sift_toolkit.client._compare_html import html_fragment

        return html_fragment(self)

    @property
    def title(self) -> str:
        """What is compared, in words."""
        number = f"{len(self.jobs)} job{'s' if len(self.jobs) > 1 else ''}"
        return number if self.twin is None else f"{number}, compared to {self.twin}"

    def tables(self) -> list[list[Column]]:
        """Return the columns of the first table, cost and accuracy, and of the second, time."""
        shown = shown_columns(self.jobs)
        halves = [[column for column in shown if column.of_time is half] for half in (False, True)]
        return [columns for columns in halves if columns] or [[]]

    def rows(self, columns: Sequence[Column]) -> list[tuple[str, list[str]]]:
        """Return each job's label, and after it its status and its cell in each of *columns*."""
        cells = zip(*(column.cells(self.jobs) for column in columns), strict=True)
        filled = list(cells) if columns else [()] * len(self.jobs)
        return [
            (job.label, [status_text(job), *row])
            for job, row in zip(self.jobs, filled, strict=True)
        ]


def compare(
    jobs: Iterable[object] | Mapping[str, object],
    *,
    price_per_hour: Price | None = None,
    session: Any = None,
) -> Comparison:
    """Compare training jobs: what they kept, what they took and cost, and how accurate they got.

    A job with sifting off that has finished is the twin that the others are compared to: one with
    ``enabled=False``, one that knows nothing of sifting or, where only a log is given, one that
    kept every sample; of several the one of most passes, the first of equals. Only finished jobs
    are compared with it; running, stopped and failed ones, and files that end before the training
    does, are listed with what they reported so far.

    Examples:
        >>> compare({"plain": twin, "keep 0.5": estimator}, price_per_hour=1.41)
        >>> compare(["job-a", "job-b"]).to_pandas()
        >>> print(compare(["a/sift_report.json", "b/sift_report.json"]))

    Args:
        jobs: Names of training jobs, estimators, trainers of SDK v3, jobs of a HostSession,
            sift_report.json files, log files, folders of jobs on this machine, JobFacts,
            JobFigures or a SiftReport, mixed as you like. A mapping gives each the label it stands
            under; default: its name.
        price_per_hour: What one instance costs an hour, or {instance type: price}. Default: no
            money in the table.
        session: Where names are looked up: a session of the SDK or of boto3. Estimators are asked
            through their own. Default: boto3's own.

    Raises:
        SiftUsageError: something is no job, or none is given, or a price is no positive number.
        SiftJobError: AWS knows no such job or would not tell, in its words.
        SiftStateError: a .json file is no sift report.
    """
    rows = compare_jobs(facts_by_label(jobs, JobSources(session)), price_per_hour)
    return Comparison(tuple(rows), notes_of(rows, price_per_hour))


def facts_by_label(
    jobs: Iterable[object] | Mapping[str, object], sources: JobSources
) -> dict[str, JobFacts]:
    """Return what is known of each job, under the label it was given or its name.

    Raises:
        SiftUsageError: something is no job, or none is given.
        SiftJobError: AWS knows no such job or would not tell, in its words.
        SiftStateError: a .json file is no sift report.
    """
    facts = [(label, sources.facts(job)) for label, job in _labelled(jobs)]
    named: dict[str, JobFacts] = {}
    for label, each in facts:
        named[_unused(one_line(each.name if label is None else label), named)] = each
    return named


def _labelled(jobs: Iterable[object] | Mapping[str, object]) -> list[tuple[str | None, object]]:
    if isinstance(jobs, str | os.PathLike) or not isinstance(jobs, Iterable):
        msg = f"compare needs a list of jobs, or a mapping of labels to jobs, got {jobs!r}"
        raise SiftUsageError(msg)
    given: list[tuple[str | None, object]]
    if isinstance(jobs, Mapping):
        given = [(str(label), job) for label, job in jobs.items()]
    else:
        given = [(None, job) for job in jobs]
    if not given:
        msg = "compare needs at least one job, got none"
        raise SiftUsageError(msg)
    return given


def _unused(label: str, taken: Mapping[str, object]) -> str:
    number, free = 1, label
    while free in taken:
        number += 1
        free = f"{label} ({number})"
    return free
