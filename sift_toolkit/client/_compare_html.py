"""A comparison as HTML. Its colours are those around it, so that it reads on light and on dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Final

from sift_toolkit.client._compare_figures import comparison_figures
from sift_toolkit.client._page_shell import Section, page
from sift_toolkit.display import Row, figures_html, html_table

if TYPE_CHECKING:
    from sift_toolkit.client._compare import Comparison
    from sift_toolkit.client._compare_columns import Column

__all__ = ["comparison_section", "html_fragment", "html_page", "notes_html"]

_NOTE: Final = "color:inherit;max-width:60em;margin:0.5em 0;overflow-wrap:anywhere;"


def html_fragment(comparison: Comparison, *, plot: bool = True, heading: int | None = None) -> str:
    """Return tables, notes and charts for a page of somebody else's; all text is escaped."""
    tables = "\n".join(_table(comparison, columns) for columns in comparison.tables())
    charts = comparison_figures(comparison.jobs) if plot else []
    drawn = figures_html(charts, heading=heading)
    return f"{tables}\n{drawn}\n{notes_html(comparison.notes)}"


def notes_html(notes: Sequence[str]) -> str:
    """Return sentences, one a paragraph."""
    return "\n".join(f'<p style="{_NOTE}">{escape(note)}</p>' for note in notes)


def comparison_section(comparison: Comparison, *, plot: bool = True) -> Section:
    """Return a comparison as a part of a page of our own."""
    return Section("Comparison", html_fragment(comparison, plot=plot, heading=3))


def html_page(comparison: Comparison, *, plot: bool = True) -> str:
    """Return a page of the comparison alone."""
    return page(comparison.title, [comparison_section(comparison, plot=plot)])


def _table(comparison: Comparison, columns: Sequence[Column]) -> str:
    caption = "Time" if columns and columns[0].of_time else "Cost and accuracy"
    return html_table(
        caption,
        [["job"], ["status"], *(column.title for column in columns)],
        [
            Row(label, cells, is_strong=job.is_twin)
            for job, (label, cells) in zip(comparison.jobs, comparison.rows(columns), strict=True)
        ],
        text_columns=1,
    )
