"""A comparison as HTML: escaped, in the colours around it, whole."""

from __future__ import annotations

import re

import pytest

from sift_toolkit.client._compare import Comparison, compare
from sift_toolkit.client._job_facts import JobFacts
from sift_toolkit.client._job_figures import JobFigures
from tests.html_page import Page, outside_references

HOSTILE = "<script>alert('&')</script>"


def comparison() -> Comparison:
    """Return twins, one of them with a label and a failure that a browser would run."""
    figures = JobFigures(
        name="x",
        kept_share=1.0,
        load_seconds=1.0,
        score_seconds=0.0,
        train_seconds=10.0,
        validation_accuracy=0.9,
    )
    plain = JobFacts(name="plain", status="Completed", hyperparameters_known=True, figures=figures)
    bad = JobFacts(name="bad", status="Failed", failure_reason=HOSTILE, figures=figures)
    return compare({"plain": plain, HOSTILE: bad})


def tables_of(html: str) -> str:
    """Return what is not behind a chart."""
    return re.sub(r"<figure.*?</figure>", "", html, flags=re.DOTALL)


def test_the_fragment_is_sound_and_escaped() -> None:
    """Every tag is closed, every cell is there, and what a job says stays text."""
    html = comparison()._repr_html_()
    page = Page(html)
    assert page.open == []
    assert "script" not in page.tags
    assert Page(tables_of(html)).tags.count("tr") == 2 * 3
    assert HOSTILE in page.words
    assert "Failed" in page.words
    assert {"data", "kept %", "accuracy", "train"} <= {*page.words}
    assert any(f"failed, saying {HOSTILE}" in words for words in page.words)


def test_it_fits_a_page() -> None:
    """Cost and time stand in tables of their own, titles in two lines, and long words break."""
    html = comparison()._repr_html_()
    assert Page(tables_of(html)).tags.count("table") == 2
    assert "data<br>kept %" in html
    assert "overflow-wrap:anywhere" in html


def test_the_colours_are_those_around_it() -> None:
    """No colour of its own but half-clear grey lines, so that it reads on light and on dark."""
    html = tables_of(comparison()._repr_html_())
    colours = set(re.findall(r"(?:color|background|border[a-z-]*):([^;\"]+)", html))
    assert colours == {
        "inherit",
        "transparent",
        "collapse",
        "1px solid rgba(128,128,128,0.5)",
    }


@pytest.mark.parametrize("plot", [True, False])
def test_the_page_is_whole(plot: bool) -> None:
    """A page of its own asks for nothing from elsewhere: its chart is inside it."""
    html = comparison().to_html(plot=plot)
    page = Page(html)
    assert page.open == []
    assert page.tags.count("svg") == plot
    assert "color-scheme: light dark" in html
    assert outside_references(html) == []


def test_a_page_without_anything_to_draw() -> None:
    """Jobs that reported nothing have a page without a chart."""
    silent = JobFacts(name="x", figures=JobFigures(name="x"))
    assert "svg" not in Page(compare([silent]).to_html()).tags
