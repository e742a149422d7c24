"""Charts: SVG with a name, a description, units, and more than colours to tell things apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.display import Band, Bar, Line, Stack, bar_chart, line_chart, stacked_bars
from sift_toolkit.display._strokes import COLORS, stroke_of
from tests.html_page import Page, named_pictures, outside_references

HOSTILE = "</svg><script>alert('&')</script>"
FINITE = st.floats(-1e12, 1e12)
NUMBERS = re.compile(r"(?<![\w#.])-?\d+(?:\.\d+)?")


def lines(names: Sequence[str] = ("a", "b")) -> str:
    """Return a chart of as many lines as names."""
    return line_chart(
        HOSTILE,
        [Line(name, [(0, 1), (1, 2 + index)]) for index, name in enumerate(names)],
        x="time [s]",
        y="loss",
        description=HOSTILE,
    )


def bars() -> str:
    """Return a chart of two bars."""
    return bar_chart(
        HOSTILE, [Bar(HOSTILE, 3, "3"), Bar("b", 0, "0")], x="rows [%]", description=HOSTILE
    )


def stacks() -> str:
    """Return a chart of one bar of three parts."""
    return stacked_bars(
        HOSTILE, ["x", "y", "z"], [Stack(HOSTILE, [1, 2, 3])], x="time [s]", description=HOSTILE
    )


@pytest.mark.parametrize("draw", [lines, bars, stacks])
class TestAnyChart:
    """What holds for all of them."""

    def test_it_has_a_name_and_a_description(self, draw: Callable[[], str]) -> None:
        """A screen reader knows it by both; every tag is closed, and all text stays text."""
        page = Page(draw())
        assert page.open == []
        assert len(named_pictures(page)) == 1
        assert page.words[:2] == [HOSTILE, HOSTILE]
        assert outside_references(draw()) == []

    def test_it_is_a_pure_function(self, draw: Callable[[], str]) -> None:
        """The same numbers give the same text."""
        assert draw() == draw()

    def test_units(self, draw: Callable[[], str]) -> None:
        """The axis says what it shows, with its unit."""
        assert re.search(r">(time \[s\]|rows \[%\])</text>", draw())


def test_lines_differ_by_more_than_their_colour() -> None:
    """Twenty lines are all different, and five of them even in black and white."""
    strokes = [stroke_of(index) for index in range(20)]
    assert len(set(strokes)) == 20
    assert len({(stroke.dash, stroke.marker) for stroke in strokes[:5]}) == 5


def test_parts_differ_by_more_than_their_colour() -> None:
    """Of neighbouring parts one is hatched."""
    drawn = stacks()
    first, second, third = (
        drawn.index(f"fill:{color}", drawn.index("<text")) for color in COLORS[:3]
    )
    assert 'stroke-width="1.3"' not in drawn[first:second]
    assert 'stroke-width="1.3"' in drawn[second:third]


def test_one_line_needs_no_legend() -> None:
    """A legend names lines where there are several."""
    assert "only" not in Page(lines(["only"])).words
    assert {"a", "b"} <= set(Page(lines()).words)


def test_far_apart_numbers_are_on_a_logarithmic_scale() -> None:
    """Where it may be, and only if all are positive; the axis says so."""

    def drawn(low: float) -> list[str]:
        chart = line_chart(
            "t",
            [Line("a", [(0, low), (1, 10)])],
            x="x",
            y="loss",
            description="d",
            may_be_logarithmic=True,
        )
        return Page(chart).words

    assert {"loss, logarithmic", "0.01", "0.1", "1", "10"} <= set(drawn(0.01))
    assert "loss" in drawn(0.0)
    assert "loss" in drawn(1.0)


@given(
    st.lists(st.tuples(FINITE, FINITE, FINITE, FINITE), min_size=1, max_size=30),
    st.booleans(),
    st.booleans(),
)
def test_all_of_a_line_chart_is_inside_of_it(
    points: list[tuple[float, float, float, float]], zero: bool, logarithmic: bool
) -> None:
    """Whatever the numbers, nothing is drawn outside of the picture, and nothing is NaN."""
    chart = line_chart(
        "t",
        [
            Line(
                "a",
                [(x, y) for x, y, _, _ in points],
                Band([(x, *sorted((low, high))) for x, _, low, high in points]),
            ),
        ],
        x="x",
        y="y",
        description="d",
        from_zero=zero,
        may_be_logarithmic=logarithmic,
    )
    assert "nan" not in chart
    assert "inf" not in chart
    paths = re.findall(r' d="(M[^"a-z]*)"', chart)
    assert paths
    for path in paths:
        numbers = [float(number) for number in NUMBERS.findall(re.sub(r"[MLVHZh]", " ", path))]
        assert all(-1 <= number <= 361 for number in numbers), path


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=8))
def test_bars_are_inside_of_their_chart(values: list[float]) -> None:
    """No bar is longer than there is room for, or shorter than nothing."""
    for chart in (
        bar_chart("t", [Bar("a", value, "w") for value in values], x="x", description="d"),
        stacked_bars("t", ["p"] * len(values), [Stack("a", values)], x="x", description="d"),
    ):
        found = re.findall(r'<rect x="([\d.-]+)" y="[\d.-]+" width="([\d.-]+)"', chart)
        assert all(float(x) >= 0 and float(x) + float(width) <= 361 for x, width in found)


def test_long_names_are_cut_in_the_middle() -> None:
    """Names of jobs begin alike and end in their time: both ends stay."""
    name = "sift-" + "x" * 80 + "-2026"
    chart = stacked_bars("t", ["p"], [Stack(name, [1], "1 s")], x="x", description="d")
    (shown,) = [words for words in Page(chart).words if words.startswith("sift-")]
    assert "…" in shown
    assert shown.endswith("-2026")
    assert len(shown) < 60


def test_what_cannot_be_drawn_is_left_out() -> None:
    """A loss that is no number makes a gap, not a broken picture."""
    points = [(0, 1), (1, float("nan")), (2, float("inf")), (3, 2)]
    chart = line_chart("t", [Line("a", points)], x="x", y="y", description="d")
    assert chart == line_chart(
        "t", [Line("a", [points[0], points[3]])], x="x", y="y", description="d"
    )


def test_a_band_of_one_point_is_a_bar() -> None:
    """A point with a low and a high end has a bar through it, and no line in the legend."""
    point = Line("arm", [(1.0, 2.0)], Band([(1.0, 1.5, 2.5)]))
    chart = line_chart("t", [point], x="x", y="y", description="d")
    assert "fill-opacity" not in chart
    assert len(re.findall(r'<path d="M(\d+\.\d) \d+\.\dL\1 \d+\.\d" fill="none"', chart)) == 1
    assert "M0 5h24" not in chart
