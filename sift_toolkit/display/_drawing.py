"""The pieces every chart is made of: the frame with its name, text, and a legend that wraps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NamedTuple

__all__ = ["FONT", "WIDTH", "LegendEntry", "legend", "short", "svg", "text", "text_width"]

WIDTH: Final = 360
"""Units a chart is wide, one a pixel on the narrowest phone; it grows to fit what it stands in."""
FONT: Final = 11.5
_WIDEST: Final = "30rem"
_LETTER: Final = 0.64
"""Width of a digit in a wide font, of the font's size; letters are narrower on average."""
_LEGEND_ROW: Final = 17
_SAMPLE: Final = 24


class LegendEntry(NamedTuple):
    """One name in a legend, and the drawing of its sample, 24 by 10 units from its own corner."""

    name: str
    sample: str


def svg(height: float, title: str, description: str, content: Iterable[str]) -> str:
    """Return the whole picture, which a screen reader knows by its title and its description."""
    body = "".join(content)
    # Of its content, so that the same chart is the same text wherever it is drawn.
    name = hashlib.sha256(f"{title}\0{description}\0{body}".encode()).hexdigest()[:12]
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'aria-labelledby="t{name} d{name}" font-size="{FONT}" '
        f'style="display:block;width:100%;max-width:{_WIDEST};height:auto;font-family:inherit;'
        f'color:inherit;font-variant-numeric:tabular-nums">'
        f'<title id="t{name}">{escape(title)}</title>'
        f'<desc id="d{name}">{escape(description)}</desc>{body}</svg>'
    )


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    """Draw a line of text; *anchor* as SVG has it."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor">'
        f"{escape(words)}</text>"
    )


def text_width(words: str) -> float:
    """Return about how wide a line of text is."""
    return len(words) * FONT * _LETTER


def short(words: str, room: float) -> str:
    """Cut the middle out of what is too wide: names of jobs begin alike and end in their time."""
    most = max(int(room / (FONT * _LETTER)), 3)
    if len(words) <= most:
        return words
    tail = (most - 1) // 2
    return f"{words[: most - 1 - tail]}…{words[len(words) - tail :]}"


def legend(entries: Sequence[LegendEntry]) -> tuple[list[str], float]:
    """Return a legend from the top left corner on, and the height that it takes."""
    drawn: list[str] = []
    x, y = 0.0, 0.0
    for name, sample in entries:
        words = short(name, WIDTH - _SAMPLE - 6)
        width = _SAMPLE + 5 + text_width(words) + 12
        if x and x + width > WIDTH + 12:
            x, y = 0.0, y + _LEGEND_ROW
        drawn.append(f'<g transform="translate({x:.1f} {y + 3:.1f})">{sample}</g>')
        drawn.append(text(x + _SAMPLE + 5, y + 12, words))
        x += width
    return drawn, (y + _LEGEND_ROW + 4 if entries else 0.0)
