"""`report_page`: one job, or several side by side, as one HTML file that needs nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sift_toolkit.client._compare import Comparison, compare, facts_by_label
from sift_toolkit.client._compare_html import comparison_section
from sift_toolkit.client._job_source import JobSources
from sift_toolkit.client._page_shell import page
from sift_toolkit.client._report_section import job_section

if TYPE_CHECKING:
    from sift_toolkit.client._compare_rows import Price

__all__ = ["ReportPage", "report_page"]

_FRAME: Final = (
    "width:100%;height:40em;border:1px solid rgba(128,128,128,0.5);background:transparent"
)


@dataclass(frozen=True, slots=True, repr=False)
class ReportPage:
    """A page in one piece: no script, and nothing in it is loaded from anywhere.

    A notebook shows it in a frame of its own.
    """

    title: str
    html: str
    """The whole page."""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page as UTF-8, at once, and return where; missing folders are made.

        Raises:
            OSError: it cannot be written there.
        """
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(file.name + ".partial")
        partial.write_text(self.html, encoding="utf-8")
        return partial.replace(file)

    def __repr__(self) -> str:
        return f"<ReportPage {self.title!r}, {len(self.html):,} characters: save(path) writes it>"

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="{escape(self.title)}" sandbox="" style="{_FRAME}" '
            f'srcdoc="{escape(self.html)}"></iframe>'
        )


def report_page(
    jobs: object,
    *,
    title: str | None = None,
    price_per_hour: Price | None = None,
    session: Any = None,
) -> ReportPage:
    """Make a page of one job, or of several with their comparison at the top.

    It is made of each job's sift_report.json and metrics, and shows what was saved, the accuracy,
    what was kept over time, at which losses and of which classes, where the time went, and which
    samples are stuck at the top. Where only a log or CloudWatch's metrics can be had, what those
    tell. Of a job on AWS that has ended the report is read out of its output data in S3.

    Example:
        >>> report_page("my-training-job").save("report.html")
        >>> report_page({"plain": twin, "keep 0.5": estimator}, price_per_hour=1.41)

    Args:
        jobs: One job, or a list of jobs, or a mapping that gives each a label; jobs as `compare`
            takes them, and folders of jobs that `sift-toolkit run` made. Also what `compare` or
            `keep_sweep` returned.
        title: Of the page. Default: the job's label, or what is compared.
        price_per_hour: As for `compare`.
        session: As for `compare`.

    Raises:
        SiftUsageError: something is no job, or none is given, or a price is no positive number.
        SiftJobError: AWS knows no such job or would not tell, in its words.
        SiftStateError: a .json file is no sift report.
    """
    given: Any = (
        {job.label: job.facts for job in jobs.jobs}
        if isinstance(jobs, Comparison)
        else (_several(jobs))
    )
    facts = facts_by_label(given, JobSources(session, with_reports=True))
    comparison = compare(facts, price_per_hour=price_per_hour)
    if len(comparison.jobs) == 1:
        (job,) = comparison.jobs
        named = title or f"Sift report of {job.label}"
        return ReportPage(named, page(named, [job_section(job, comparison.notes)]))
    named = title or comparison.title
    sections = [comparison_section(comparison), *map(job_section, comparison.jobs)]
    return ReportPage(named, page(named, sections))


def _several(jobs: object) -> Iterable[object] | Mapping[str, object]:
    """Return jobs as `compare` takes them; a trainer of SDK v3 can be iterated, and is one job."""
    launched = getattr(jobs, "jobs", None)
    if isinstance(launched, Mapping):
        return launched
    if isinstance(jobs, Mapping | list | tuple | Iterator):
        return jobs
    return [jobs]
