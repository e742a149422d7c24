"""Bars of several parts: hatching tells the parts apart, and colours do so too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sift_toolkit.display._drawing import WIDTH, LegendEntry, legend, short, svg, text, text_width
from sift_toolkit.display._scales import Scale, scale_of, tick_text
from sift_toolkit.display._strokes import COLORS

__all__ = ["Stack", "stacked_bars"]

_ROW: Final = 38
_BAR: Final = 18
_RIGHT: Final = 12
_EDGE: Final = "var(--sift-paper,transparent)"
_SPACINGS: Final = (0.0, 5.0, 0.0, 9.0)
"""Between the strokes across a part of this number; 0: none."""


class Stack(NamedTuple):
    """One bar: its name, the size of each of its parts, and what is written about the whole."""

    name: str
    values: Sequence[float]
    words: str = ""


def stacked_bars(
    title: str, parts: Sequence[str], stacks: Sequence[Stack], *, x: str, description: str
) -> str:
    """Return stacked bars as SVG, each below its name.

    Args:
        title: Its name for a screen reader.
        parts: The names of the parts, from the left on.
        stacks: The bars, from the top on; at least one.
        x: What their length shows, with its unit.
        description: What can be seen in it, in a sentence.
    """
    entries = [LegendEntry(name, _area(index, 0, 0, 24, 10)) for index, name in enumerate(parts)]
    drawn, top = legend(entries)
    scale = scale_of([sum(stack.values) for stack in stacks])
    bottom = top + _ROW * len(stacks)
    room = WIDTH - _RIGHT
    for value in scale.ticks:
        anchor = "start" if value == 0 else "end" if value == scale.ticks[-1] else "middle"
        place = scale.place(value) * room + (_RIGHT if anchor == "end" else 0)
        drawn.append(text(place, bottom + 16, tick_text(value), anchor))
    for index, stack in enumerate(stacks):
        drawn += _draw(stack, scale, room, top + index * _ROW)
    drawn.append(text(WIDTH, bottom + 32, x, "end"))
    return svg(bottom + 38, title, description, drawn)


def _draw(stack: Stack, scale: Scale, room: float, top: float) -> Iterator[str]:
    yield text(0, top + 13, short(stack.name, WIDTH - text_width(stack.words) - 10))
    yield text(WIDTH, top + 13, stack.words, "end")
    bar = top + 18
    for value in scale.ticks:
        place = scale.place(value) * room + 0.5
        yield (
            f'<path d="M{place:.1f} {bar - 2:.1f}V{bar + _BAR + 4:.1f}" stroke="currentColor" '
            'stroke-opacity="0.25"/>'
        )
    begin = 0.0
    for part, value in enumerate(stack.values):
        left, right = scale.place(begin) * room, scale.place(begin + value) * room
        yield _area(part, left, bar, right - left, _BAR)
        begin += value


def _area(part: int, x: float, y: float, width: float, height: float) -> str:
    """Draw one part, with strokes across it where its number says so."""
    if width <= 0:
        return ""
    spacing = _SPACINGS[part % len(_SPACINGS)]
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'style="fill:{COLORS[part % len(COLORS)]};stroke:{_EDGE}"/>'
        + (_hatching(x, y, width, height, spacing) if spacing else "")
    )


def _hatching(x: float, y: float, width: float, height: float, spacing: float) -> str:
    strokes = "".join(_slanted(x, y, width, height, spacing))
    return f'<path d="{strokes}" style="stroke:var(--sift-paper,#fff)" stroke-width="1.3"/>'


def _slanted(x: float, y: float, width: float, height: float, spacing: float) -> Iterator[str]:
    """Yield strokes from the lower left to the upper right, cut off at the edges."""
    offset = spacing / 2
    while offset < width + height:
        begin, end = max(offset - height, 0.0), min(offset, width)
        yield (f"M{x + begin:.1f} {y + offset - begin:.1f}L{x + end:.1f} {y + offset - end:.1f}")
        offset += spacing
