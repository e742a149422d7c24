"""Tables as plain text: for a terminal and, as they are, for a README's code block."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

__all__ = ["TABLE_WIDTH", "draw_table"]

TABLE_WIDTH: Final = 100
"""Characters in the longest line of a table."""

_GAP: Final = "  "
_LEAST_LABEL: Final = 12


def draw_table(
    titles: Sequence[tuple[str, str]], body: Sequence[tuple[str, Sequence[str]]]
) -> list[str]:
    """Return the lines of a table, without blanks at their ends.

    Args:
        titles: Two lines above each column but the first.
        body: The first cell of each line, wrapped where it is long, and the others, set right.
    """
    head = [("", [title[line] for title in titles]) for line in (0, 1)]
    rows = [*head, *body]
    widths = [max(map(len, cells)) for cells in zip(*(cells for _, cells in rows), strict=True)]
    room = max(TABLE_WIDTH - sum(widths) - len(_GAP) * len(widths), _LEAST_LABEL)
    labels = [textwrap.wrap(label, room, subsequent_indent="  ") or [""] for label, _ in body]
    label_width = max(len(part) for parts in labels for part in parts)

    def draw(label: str, cells: Sequence[str]) -> str:
        padded = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        return _GAP.join((label.ljust(label_width), *padded)).rstrip()

    drawn = [draw(*line) for line in head]
    drawn.append(draw("-" * label_width, ["-" * width for width in widths]))
    for parts, (_, cells) in zip(labels, body, strict=True):
        drawn.append(draw(parts[0], cells))
        drawn += parts[1:]
    return drawn
