"""A trial as HTML: the verdict, the picture for light and for dark, the table, the notes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from sift_toolkit.client._html_page import Cell, draw_notes, draw_page, draw_table, picture_address
from sift_toolkit.client._trial_table import trial_columns

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sift_toolkit.client._trial_result import TrialResult

__all__ = ["trial_fragment", "trial_page"]


def trial_fragment(result: TrialResult) -> str:
    """Return the verdict, the table and the notes for a page of somebody else's."""
    return f"{_verdict(result.sentences)}\n{_rest(result)}"


def trial_page(result: TrialResult, figures: Sequence[Figure]) -> str:
    """Return a whole page.

    Args:
        result: What was found out.
        figures: The picture for light and for dark; empty: none.
    """
    # The first sentence is the title.
    parts = [_verdict(result.sentences[1:])]
    if figures:
        light, dark = (picture_address(figure) for figure in figures)
        alt = f"{result.plan.metric.title} against the cost of each arm"
        parts.append(
            f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
            f'<img alt="{escape(alt)}" src="{light}"></picture>'
        )
    return draw_page(result.title, "\n".join([*parts, _rest(result)]))


def _verdict(sentences: Sequence[str]) -> str:
    return "\n".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def _rest(result: TrialResult) -> str:
    columns = trial_columns(result.plan.metric)
    head = [Cell(["arm"], is_head=True)]
    head += [Cell(column.title, is_head=True, is_number=True) for column in columns]
    recommended = result.verdict.row if result.verdict.kind != "unknown" else None
    rows = [
        [
            Cell([label], is_head=True, is_plain=row is not recommended),
            *(Cell([text], is_number=True) for text in cells),
        ]
        for row, (label, cells) in zip(result.rows, result.lines(), strict=True)
    ]
    return f"{draw_table(head, rows)}\n{draw_notes(result.notes)}"
