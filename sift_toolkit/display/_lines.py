"""A line chart: dashes and markers tell the lines apart, and colours do so too."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sift_toolkit.display._drawing import WIDTH, LegendEntry, legend, svg, text
from sift_toolkit.display._scales import Scale, scale_of, tick_text
from sift_toolkit.display._strokes import Stroke, stroke_of

__all__ = ["Band", "Line", "line_chart"]

_LEFT: Final = 44
_RIGHT: Final = 10
_HEIGHT: Final = 150
_MOST_MARKERS: Final = 12
_LEAST_BETWEEN_TICKS: Final = 34


@dataclass(frozen=True, slots=True)
class Band:
    """The area between two lines: an x, a low and a high a point; of one point alone a bar."""

    points: Sequence[tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line, its points from left to right, and perhaps a band behind it."""

    name: str
    points: Sequence[tuple[float, float]]
    band: Band = Band(())


@dataclass(frozen=True, slots=True)
class _Field:
    """Where the numbers of both axes lie in the picture."""

    x: Scale
    y: Scale
    top: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        width = WIDTH - _LEFT - _RIGHT
        return _LEFT + self.x.place(x) * width, self.top + (1 - self.y.place(y)) * _HEIGHT


def line_chart(
    title: str,
    lines: Sequence[Line],
    *,
    x: str,
    y: str,
    description: str,
    from_zero: bool = True,
    may_be_logarithmic: bool = False,
) -> str:
    """Return a line chart as SVG.

    Args:
        title: Its name for a screen reader.
        lines: The lines; of one alone no legend is drawn.
        x: What the horizontal axis shows, with its unit, as "time [s]".
        y: The same for the vertical axis.
        description: What can be seen in it, in a sentence.
        from_zero: Whether nought is on the vertical axis in any case.
        may_be_logarithmic: Whether the vertical axis is so where its numbers are far apart.
    """
    lines = [_finite(line) for line in lines]
    heights = [number for line in lines for number in _heights(line)]
    entries = [
        LegendEntry(line.name, _sample(line, stroke_of(index))) for index, line in enumerate(lines)
    ]
    drawn, used = legend(entries if len(lines) > 1 or lines[0].band.points else [])
    vertical = scale_of(heights, from_zero=from_zero, may_be_logarithmic=may_be_logarithmic)
    field = _Field(
        scale_of(point[0] for line in lines for point in line.points), vertical, used + 24
    )
    name = f"{y}, logarithmic" if vertical.logarithmic else y
    drawn += [text(0, used + 12, name), *_axes(field, x)]
    for index, line in enumerate(lines):
        drawn += _draw(field, line, stroke_of(index))
    return svg(field.top + _HEIGHT + 38, title, description, drawn)


def _finite(line: Line) -> Line:
    """Return a line without points that cannot be drawn."""
    points = [point for point in line.points if all(map(math.isfinite, point))]
    band = [point for point in line.band.points if all(map(math.isfinite, point))]
    return Line(line.name, points, Band(band))


def _heights(line: Line) -> Iterator[float]:
    yield from (point[1] for point in line.points)
    for _, low, high in line.band.points:
        yield from (low, high)


def _axes(field: _Field, x: str) -> Iterator[str]:
    bottom, right = field.top + _HEIGHT, WIDTH - _RIGHT
    for value in field.y.ticks:
        _, y = field.at(field.x.ticks[0], value)
        yield _rule(_LEFT, y, right, y, 0.18)
        yield text(_LEFT - 5, y + 4, tick_text(value), "end")
    yield _rule(_LEFT, bottom, right, bottom, 0.8)
    for value in field.x.ticks:
        place, _ = field.at(value, field.y.ticks[0])
        yield _rule(place, bottom, place, bottom + 4, 0.8)
        is_last = value == field.x.ticks[-1]
        yield text(
            min(place + 9, right + 8) if is_last else place,
            bottom + 16,
            tick_text(value),
            "end" if is_last else "middle",
        )
    yield text(right, bottom + 32, x, "end")


def _rule(x1: float, y1: float, x2: float, y2: float, opacity: float) -> str:
    return (
        f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="currentColor" '
        f'stroke-opacity="{opacity}"/>'
    )


def _draw(field: _Field, line: Line, stroke: Stroke) -> Iterator[str]:
    if len(line.band.points) == 1:
        ((x, low, high),) = line.band.points
        yield f'<path d="{_path([field.at(x, low), field.at(x, high)])}" {stroke.line}/>'
    elif line.band.points:
        edge = [field.at(x, low) for x, low, _ in line.band.points]
        edge += [field.at(x, high) for x, _, high in reversed(line.band.points)]
        yield f'<path d="{_path(edge)}Z" style="fill:{stroke.color}" fill-opacity="0.16"/>'
    places = [field.at(*point) for point in line.points]
    if len(places) > 1:
        yield f'<path d="{_path(places)}" {stroke.line}/>'
    every = -(-len(places) // _MOST_MARKERS) or 1
    yield from (stroke.mark(*place) for place in places[::-1][::every])


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def _sample(line: Line, stroke: Stroke) -> str:
    if len(line.points) == 1:
        return stroke.mark(12, 5)
    band = f'<path d="M0 0h24v10h-24z" style="fill:{stroke.color}" fill-opacity="0.16"/>'
    drawn = band if line.band.points else ""
    return f'{drawn}<path d="M0 5h24" {stroke.line}/>{stroke.mark(12, 5)}'
