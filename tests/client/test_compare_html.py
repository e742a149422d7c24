"""A comparison as HTML: escaped, in the colours around it, whole."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import pytest
from PIL import Image

from sift_toolkit.client._compare import Comparison, compare
from sift_toolkit.client._job_facts import JobFacts
from sift_toolkit.client._job_figures import JobFigures

HOSTILE = "<script>alert('&')</script>"


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Note a tag."""
        self.tags.append(tag)
        if tag not in {"br", "meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        if data.strip():
            self.words.append(data.strip())


def comparison() -> Comparison:
    """Return twins, one of them with a label and a failure that a browser would run."""
    figures = JobFigures(name="x", kept_share=1.0, train_seconds=10.0, validation_accuracy=0.9)
    plain = JobFacts(name="plain", status="Completed", hyperparameters_known=True, figures=figures)
    bad = JobFacts(name="bad", status="Failed", failure_reason=HOSTILE, figures=figures)
    return compare({"plain": plain, HOSTILE: bad})


def test_the_fragment_is_sound_and_escaped() -> None:
    """Every tag is closed, every cell is there, and what a job says stays text."""
    page = Page(comparison()._repr_html_())
    assert page.open == []
    assert "script" not in page.tags
    assert page.tags.count("tr") == 2 * 3
    assert HOSTILE in page.words
    assert "Failed" in page.words
    assert "kept %" not in page.tags
    assert {"data", "kept %", "accuracy", "train"} <= {*page.words}
    assert any(f"failed, saying {HOSTILE}" in words for words in page.words)


def test_it_fits_a_page() -> None:
    """Cost and time stand in tables of their own, titles in two lines, and long words break."""
    html = comparison()._repr_html_()
    assert Page(html).tags.count("table") == 2
    assert "data<br>kept %" in html
    assert "overflow-wrap:anywhere" in html


def test_the_colours_are_those_around_it() -> None:
    """No colour of its own but half-clear grey lines, so that it reads on light and on dark."""
    html = comparison()._repr_html_()
    colours = set(re.findall(r"(?:color|background|border[a-z-]*):([^;\"]+)", html))
    assert colours == {
        "inherit",
        "transparent",
        "collapse",
        "1px solid rgba(128,128,128,0.5)",
    }


@pytest.mark.parametrize("plot", [True, False])
def test_the_page_is_whole(plot: bool) -> None:
    """A page of its own asks for nothing from elsewhere: the picture is inside it."""
    html = comparison().to_html(plot=plot)
    page = Page(html)
    assert page.open == []
    assert page.tags.count("img") == plot
    assert "color-scheme: light dark" in html
    assert "http" not in html
    if plot:
        found = re.search(r'src="data:image/png;base64,([^"]+)"', html)
        assert found is not None
        with Image.open(io.BytesIO(base64.b64decode(found[1]))) as picture:
            assert picture.format == "PNG"


def test_a_page_without_anything_to_draw() -> None:
    """Jobs that reported nothing have a page without a picture."""
    silent = JobFacts(name="x", figures=JobFigures(name="x"))
    assert Page(compare([silent]).to_html()).tags.count("img") == 0
