"""Pages and tables in HTML, in the colours around them: they read on light and on dark."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Cell", "draw_notes", "draw_page", "draw_table", "picture_address"]

_LINE: Final = "1px solid rgba(128,128,128,0.5)"
_TABLE: Final = (
    "border-collapse:collapse;color:inherit;background:transparent;font-variant-numeric:"
    "tabular-nums"
)
_CELL: Final = "padding:0.25em 0.75em;color:inherit;background:transparent;"
_TEXT: Final = _CELL + "text-align:left;"
_NUMBER: Final = _CELL + "text-align:right;white-space:nowrap;"
_NOTE: Final = "color:inherit;opacity:0.8;max-width:60em;margin:0.5em 0;overflow-wrap:anywhere;"
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2em; }}
img {{ max-width: 100%; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; its text is escaped."""

    lines: Sequence[str]
    is_number: bool = False
    is_head: bool = False
    is_plain: bool = False
    """Whether a head is not set in bold."""

    def __str__(self) -> str:
        tag = "th" if self.is_head else "td"
        style = _NUMBER if self.is_number else _TEXT
        if self.is_plain:
            style += "font-weight:normal;"
        return f'<{tag} style="{style}">{"<br>".join(map(escape, self.lines))}</{tag}>'


def draw_table(head: Sequence[Cell], rows: Sequence[Sequence[Cell]]) -> str:
    """Return a table, which scrolls where it is too wide."""
    body = "\n".join(_row(cells) for cells in rows)
    return (
        f'<div style="overflow-x:auto;margin-bottom:1em"><table style="{_TABLE}">\n'
        f'<thead style="border-bottom:{_LINE}">{_row(head)}</thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def draw_notes(notes: Sequence[str]) -> str:
    """Return sentences, a paragraph each; they are escaped."""
    return "\n".join(f'<p style="{_NOTE}">{escape(note)}</p>' for note in notes)


def draw_page(title: str, body: str) -> str:
    """Return a whole page; *title* is escaped, *body* is not."""
    return _PAGE.format(title=escape(title), body=body)


def picture_address(figure: Figure) -> str:
    """Return an address that holds the whole picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _row(cells: Sequence[Cell]) -> str:
    return "<tr>" + "".join(map(str, cells)) + "</tr>"
