"""Tables: escaped, named, and whole for who cannot see them."""

from __future__ import annotations

from sift_toolkit.display import Row, html_table, pairs_table
from tests.html_page import Page

HOSTILE = "<img src=x onerror=alert('&')>"


def test_a_table_is_named_and_scoped() -> None:
    """It has a caption, column and row headings with their scope, and scrolls by the keyboard."""
    page = Page(html_table("Cost", [["job"], ["time", "s"]], [Row("a", ["1.0"])]))
    assert page.open == []
    assert [tag for tag, _ in page.elements].count("th") == 3
    scopes = [attributes["scope"] for tag, attributes in page.elements if tag == "th"]
    assert scopes == ["col", "col", "row"]
    tag, region = page.elements[0]
    assert (tag, region["role"], region["tabindex"]) == ("div", "region", "0")
    assert region["aria-label"] == "Cost"
    assert page.words == ["Cost", "job", "time", "s", "a", "1.0"]


def test_text_stays_text() -> None:
    """Whatever a job says is shown and never run."""
    page = Page(html_table(HOSTILE, [[HOSTILE]], [Row(HOSTILE, [])]))
    assert "img" not in page.tags
    assert page.words == [HOSTILE] * 3


def test_pairs() -> None:
    """Names and what they are make a table of two columns."""
    page = Page(pairs_table("Facts", [("kept", "50%"), ("note", HOSTILE)]))
    assert page.words[-4:] == ["kept", "50%", "note", HOSTILE]
