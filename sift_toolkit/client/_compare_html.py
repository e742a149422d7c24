"""A comparison as HTML. Its colours are those around it, so that it reads on light and on dark."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sift_toolkit.client._compare import Comparison
    from sift_toolkit.client._compare_columns import Column

__all__ = ["html_fragment", "html_page"]

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


def html_fragment(comparison: Comparison) -> str:
    """Return the tables and the notes for a page of somebody else's; all text is escaped."""
    tables = "\n".join(_table(comparison, columns) for columns in comparison.tables())
    notes = "\n".join(f'<p style="{_NOTE}">{escape(note)}</p>' for note in comparison.notes)
    return f"{tables}\n{notes}"


def _table(comparison: Comparison, columns: Sequence[Column]) -> str:
    head = [_cell("th", ["job"], _TEXT), _cell("th", ["status"], _TEXT)]
    head += [_cell("th", column.title, _NUMBER) for column in columns]
    rows = [
        [
            _cell("th", [label], _TEXT + ("" if job.is_twin else "font-weight:normal;")),
            _cell("td", [status], _TEXT),
            *(_cell("td", [number], _NUMBER) for number in numbers),
        ]
        for job, (label, (status, *numbers)) in zip(
            comparison.jobs, comparison.rows(columns), strict=True
        )
    ]
    body = "\n".join(_row(cells) for cells in rows)
    return (
        f'<div style="overflow-x:auto;margin-bottom:1em"><table style="{_TABLE}">\n'
        f'<thead style="border-bottom:{_LINE}">{_row(head)}</thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def html_page(comparison: Comparison, figure: Figure | None = None) -> str:
    """Return a whole page, with the picture inside it."""
    body = html_fragment(comparison)
    if figure is not None:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
        picture = base64.b64encode(buffer.getvalue()).decode("ascii")
        alt = "Seconds loading, scoring and training of each job, and accuracy against saving"
        body += f'\n<p><img alt="{alt}" src="data:image/png;base64,{picture}"></p>'
    return _PAGE.format(title=escape(comparison.title), body=body)


def _row(cells: Sequence[str]) -> str:
    return "<tr>" + "".join(cells) + "</tr>"


def _cell(tag: str, lines: Sequence[str], style: str) -> str:
    return f'<{tag} style="{style}">{"<br>".join(map(escape, lines))}</{tag}>'
