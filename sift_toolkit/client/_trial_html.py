"""A trial as HTML: the verdict, the table, the chart, the notes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from sift_toolkit.client._compare_html import notes_html
from sift_toolkit.client._page_shell import Section, page
from sift_toolkit.client._trial_figure import trial_figure
from sift_toolkit.client._trial_table import trial_columns
from sift_toolkit.display import Row, figures_html, html_table

if TYPE_CHECKING:
    from sift_toolkit.client._trial_result import TrialResult

__all__ = ["trial_fragment", "trial_page"]


def trial_fragment(result: TrialResult) -> str:
    """Return all of it for a page of somebody else's; all text is escaped."""
    return f"{_paragraphs(result.sentences)}\n{_rest(result, plot=True, heading=None)}"


def trial_page(result: TrialResult, *, plot: bool) -> str:
    """Return a whole page, with the chart if *plot*; the verdict is its title."""
    body = f"{_paragraphs(result.sentences[1:])}\n{_rest(result, plot=plot, heading=3)}"
    return page(result.title, [Section("Trial", body)])


def _paragraphs(sentences: Sequence[str]) -> str:
    return "\n".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def _rest(result: TrialResult, *, plot: bool, heading: int | None) -> str:
    recommended = result.verdict.row if result.verdict.kind != "unknown" else None
    table = html_table(
        "Arms",
        [["arm"], *(column.title for column in trial_columns(result.plan.metric))],
        [
            Row(label, cells, is_strong=row is recommended)
            for row, (label, cells) in zip(result.rows, result.lines(), strict=True)
        ],
    )
    figure = trial_figure(result) if plot else None
    charts = figures_html([] if figure is None else [figure], heading=heading)
    return f"{table}\n{charts}\n{notes_html(result.notes)}"
