"""A comparison as HTML. Its colours are those around it, so that it reads on light and on dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sift_toolkit.client._html_page import (
    Cell,
    draw_notes,
    draw_page,
    draw_table,
    picture_address,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sift_toolkit.client._compare import Comparison
    from sift_toolkit.client._compare_columns import Column

__all__ = ["html_fragment", "html_page"]


def html_fragment(comparison: Comparison) -> str:
    """Return the tables and the notes for a page of somebody else's; all text is escaped."""
    tables = "\n".join(_table(comparison, columns) for columns in comparison.tables())
    return f"{tables}\n{draw_notes(comparison.notes)}"


def _table(comparison: Comparison, columns: Sequence[Column]) -> str:
    head = [Cell(["job"], is_head=True), Cell(["status"], is_head=True)]
    head += [Cell(column.title, is_head=True, is_number=True) for column in columns]
    rows = [
        [
            Cell([label], is_head=True, is_plain=not job.is_twin),
            Cell([status]),
            *(Cell([number], is_number=True) for number in numbers),
        ]
        for job, (label, (status, *numbers)) in zip(
            comparison.jobs, comparison.rows(columns), strict=True
        )
    ]
    return draw_table(head, rows)


def html_page(comparison: Comparison, figure: Figure | None = None) -> str:
    """Return a whole page, with the picture inside it."""
    body = html_fragment(comparison)
    if figure is not None:
        alt = "Seconds loading, scoring and training of each job, and accuracy against saving"
        body += f'\n<p><img alt="{alt}" src="{picture_address(figure)}"></p>'
    return draw_page(comparison.title, body)
