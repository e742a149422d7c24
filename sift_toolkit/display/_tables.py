"""Tables as HTML, in the colours around them, with names for who cannot see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NamedTuple

__all__ = ["Row", "html_table", "pairs_table"]

_LINE: Final = "1px solid rgba(128,128,128,0.5)"
_TABLE: Final = (
    "border-collapse:collapse;color:inherit;background:transparent;font-variant-numeric:"
    "tabular-nums"
)
_PADDING: Final = "padding:0.25em min(0.75em,1.5vw);"
_CELL: Final = _PADDING + "color:inherit;background:transparent;"
# Words stay whole on a narrow screen, where the table scrolls; only a name may be one long word.
_TEXT: Final = _CELL + "text-align:left;overflow-wrap:break-word;"
_NAME: Final = _CELL + "text-align:left;overflow-wrap:anywhere;min-width:min(8em,18vw);"
_NUMBER: Final = _CELL + "text-align:right;white-space:nowrap;"
_MANY_COLUMNS: Final = 4
"""More of them do not fit on a phone."""
_CAPTION: Final = _PADDING + "text-align:left;color:inherit;font-weight:bold"


class Row(NamedTuple):
    """One row of a table."""

    name: str
    cells: Sequence[str]
    is_strong: bool = False


def html_table(
    caption: str, titles: Sequence[Sequence[str]], rows: Iterable[Row], *, text_columns: int = 0
) -> str:
    """Return a table that scrolls by itself where it is wide, by the keyboard too.

    Args:
        caption: What it is about.
        titles: The lines above each column, the first of which holds the names of the rows.
        rows: The rows.
        text_columns: How many columns after the first hold text, set left; the others hold numbers.
    """
    # Where a page may say that there is more to the side.
    wide = ' class="wide"' if len(titles) > _MANY_COLUMNS else ""
    styles = [_NAME] + [_TEXT] * text_columns + [_NUMBER] * (len(titles) - 1 - text_columns)
    head = "".join(
        f'<th scope="col" style="{style}">{"<br>".join(map(escape, lines))}</th>'
        for lines, style in zip(titles, styles, strict=True)
    )
    body = "\n".join(_row(row, styles) for row in rows)
    return (
        f'<div{wide} role="region" aria-label="{escape(caption)}" tabindex="0" '
        f'style="overflow-x:auto;margin-bottom:1em"><table style="{_TABLE}">\n'
        f'<caption style="{_CAPTION}">{escape(caption)}</caption>\n'
        f'<thead style="border-bottom:{_LINE}"><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def pairs_table(caption: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return a table of names and what they are."""
    rows = [Row(name, [words]) for name, words in pairs]
    return html_table(caption, [["name"], ["value"]], rows, text_columns=1)


def _row(row: Row, styles: Sequence[str]) -> str:
    weight = "" if row.is_strong else "font-weight:normal;"
    name = f'<th scope="row" style="{styles[0]}{weight}">{_breakable(row.name)}</th>'
    cells = (
        f'<td style="{style}">{escape(cell)}</td>'
        for cell, style in zip(row.cells, styles[1:], strict=True)
    )
    return f"<tr>{name}{''.join(cells)}</tr>"


def _breakable(name: str) -> str:
    """Return a name that may be broken after its underscores before it is anywhere else."""
    return escape(name).replace("_", "_<wbr>")
