"""A comparison on a terminal or in whatever else rich draws to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from sift_toolkit.client._compare import Comparison

__all__ = ["rich_tables"]


def rich_tables(comparison: Comparison) -> RenderableType:
    """Return the tables and the notes; nothing in them is taken for markup."""
    parts: list[RenderableType] = [Text(comparison.title, style="bold")]
    for columns in comparison.tables():
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        table.add_column(Text("\njob"), overflow="fold")
        table.add_column(Text("\nstatus"), overflow="fold")
        for column in columns:
            table.add_column(Text("\n".join(column.title)), justify="right", no_wrap=True)
        for job, (label, cells) in zip(comparison.jobs, comparison.rows(columns), strict=True):
            table.add_row(*map(Text, (label, *cells)), style="bold" if job.is_twin else None)
        parts.append(table)
    parts += [Text(note, style="dim") for note in comparison.notes]
    return Group(*parts)
