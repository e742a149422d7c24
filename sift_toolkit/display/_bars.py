"""Bars side by side: a name, a bar, and the number in words at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sift_toolkit.display._drawing import WIDTH, short, svg, text, text_width
from sift_toolkit.display._scales import Scale, scale_of, tick_text
from sift_toolkit.display._strokes import COLORS

__all__ = ["Bar", "bar_chart"]

_ROW: Final = 19
_TOP: Final = 22
_MOST_NAME: Final = 96
_MOST_WORDS: Final = 110


class Bar(NamedTuple):
    """One bar."""

    name: str
    value: float
    """Not negative."""
    words: str
    """The number as it is written beside the bar."""


def bar_chart(
    title: str,
    bars: Sequence[Bar],
    *,
    x: str,
    description: str,
    mark: tuple[float, str] | None = None,
) -> str:
    """Return horizontal bars as SVG.

    Args:
        title: Its name for a screen reader.
        bars: The bars, from the top on; at least one.
        x: What their length shows, with its unit.
        description: What can be seen in it, in a sentence.
        mark: A number that all are compared to, drawn as a dashed line, and what it is.
    """
    marked = [] if mark is None else [mark[0]]
    scale = scale_of([*(bar.value for bar in bars), *marked])
    left = min(max(text_width(bar.name) for bar in bars), _MOST_NAME) + 6
    right = WIDTH - min(max(text_width(bar.words) for bar in bars), _MOST_WORDS) - 16
    bottom = _TOP + _ROW * len(bars)
    drawn = list(_axis(scale, x, left, right, bottom))
    for index, bar in enumerate(bars):
        drawn += _draw(bar, scale.place(bar.value) * (right - left), left, _TOP + index * _ROW)
    if mark is not None:
        place = left + scale.place(mark[0]) * (right - left)
        drawn.append(
            f'<path d="M{place:.1f} {_TOP - 6}V{bottom}" stroke="currentColor" '
            'stroke-width="1.4" stroke-dasharray="4 3"/>'
        )
        drawn.append(_above(mark[1], place))
    return svg(bottom + 38, title, description, drawn)


def _axis(scale: Scale, x: str, left: float, right: float, bottom: float) -> Iterator[str]:
    for value in scale.ticks:
        place = left + scale.place(value) * (right - left)
        yield (
            f'<path d="M{place:.1f} {_TOP}V{bottom + 4}" stroke="currentColor" '
            'stroke-opacity="0.18"/>'
        )
        yield text(place, bottom + 16, tick_text(value), "middle")
    yield text(max(right, text_width(x)), bottom + 32, x, "end")


def _draw(bar: Bar, length: float, left: float, top: float) -> Iterator[str]:
    yield text(left - 6, top + 13, short(bar.name, _MOST_NAME), "end")
    yield (
        f'<rect x="{left:.1f}" y="{top + 3:.1f}" width="{max(length, 0.5):.1f}" '
        f'height="{_ROW - 6}" style="fill:{COLORS[0]}"/>'
    )
    # In a column of their own, where no bar and no mark crosses them.
    yield text(WIDTH, top + 13, bar.words, "end")


def _above(words: str, place: float) -> str:
    """Write what a mark is above it, inside of the picture."""
    half = text_width(words) / 2
    return text(min(max(place, half), WIDTH - half), _TOP - 10, words, "middle")
