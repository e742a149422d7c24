"""A chart with its title above it and its numbers behind it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final, NamedTuple

__all__ = ["Figure", "figures_html"]

_BOX: Final = "margin:0 0 1.25em;min-width:0;max-width:30rem"
_ROW: Final = (
    "display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr));"
    "gap:0.5rem 2rem;align-items:start"
)


class Figure(NamedTuple):
    """A chart and what stands around it."""

    title: str
    chart: str
    """SVG."""
    table: str
    """HTML of its numbers."""
    note: str = ""
    """In a sentence, below the chart."""

    def html(self, *, heading: int | None = None) -> str:
        """Return it for a page; *heading*: the level of its title, None: it is no heading.

        A notebook's own table of contents is not ours to fill.
        """
        tag = "strong" if heading is None else f"h{heading}"
        note = f'<p style="margin:0.25em 0">{escape(self.note)}</p>' if self.note else ""
        return (
            f'<figure style="{_BOX}"><figcaption style="margin-bottom:0.5em">'
            f'<{tag} style="margin:0;font-size:1em">{escape(self.title)}</{tag}></figcaption>\n'
            f"{self.chart}\n{note}"
            f"<details><summary>Numbers of this chart</summary>\n{self.table}\n</details></figure>"
        )


def figures_html(figures: Iterable[Figure], *, heading: int | None = None) -> str:
    """Return figures side by side, as many as there is room for."""
    drawn = "\n".join(figure.html(heading=heading) for figure in figures)
    return f'<div style="{_ROW}">\n{drawn}\n</div>' if drawn else ""
