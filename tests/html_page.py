"""What a browser would make of HTML, as far as the standard library can tell."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"br", "meta", "img", "circle", "rect", "path", "link", "input"}


class Page(HTMLParser):
    """Elements, words and what was left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    @property
    def tags(self) -> list[str]:
        """The names of all elements, in order."""
        return [tag for tag, _ in self.elements]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that ends at once, as SVG's do."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        if data.strip() and self.open[-1:] != ["style"]:
            self.words.append(data.strip())

    def attributes(self, name: str) -> list[str]:
        """All values of an attribute, wherever it stands."""
        return [
            value or "" for _, found in self.elements for key, value in found.items() if key == name
        ]


def outside_references(text: str) -> list[str]:
    """Return everything in a page that a browser would load, or that would run."""
    page = Page(text)
    loading = {
        "src",
        "srcset",
        "data",
        "poster",
        "background",
        "action",
        "formaction",
        "xlink:href",
    }
    found = [value for name in loading for value in page.attributes(name)]
    found += [
        attributes.get("href") or ""
        for tag, attributes in page.elements
        if "href" in attributes and not (tag == "a" and (attributes["href"] or "").startswith("#"))
    ]
    found += re.findall(r"url\([^)]*\)|@import[^;]*|https?:[^\"'\s]*", text)
    found += [
        tag for tag in page.tags if tag in {"script", "iframe", "object", "embed", "link", "base"}
    ]
    found += [
        name for _, attributes in page.elements for name in attributes if name.startswith("on")
    ]
    return found


def named_pictures(page: Page) -> list[str]:
    """Return the ids of all pictures' titles; each must have one, and a description."""
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    names = []
    for tag, attributes in page.elements:
        if tag == "svg":
            assert attributes["role"] == "img"
            title, description = (attributes["aria-labelledby"] or "").split()
            assert {title, description} <= set(ids)
            names.append(title)
    return names
