"""A page of its own: nothing in it comes from elsewhere, and nothing in it runs."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

from sift_toolkit.display import PALETTE_CSS

__all__ = ["Section", "page"]

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE: Final = """
:root { color-scheme: light dark; --sift-paper: #ffffff; --ink: #1b1b1b; --soft: #f1f3f5;
  --link: #00588a; }
@media (prefers-color-scheme: dark) {
  :root { --sift-paper: #14171a; --ink: #e9e9e9; --soft: #22272c; --link: #8fcdf5; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--sift-paper); }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.5rem 0; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 2rem 0 0.75rem; padding-top: 0.75rem;
  border-top: 2px solid currentColor; }
h3 { font-size: 1rem; margin: 1rem 0 0.25rem; }
a { color: var(--link); }
nav ul { padding: 0; margin: 0.5rem 0; list-style: none; display: flex; flex-wrap: wrap;
  gap: 0 1.25rem; }
nav a, summary { display: inline-block; padding: 0.3rem 0; }
summary { cursor: pointer; display: list-item; list-style-position: inside; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { position: static; }
.tiles { display: grid; gap: 0.75rem; margin: 0.75rem 0 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 9.5rem), 1fr)); }
.tiles div { background: var(--soft); border-radius: 0.5rem; padding: 0.6rem 0.8rem; }
.tiles dt { font-size: 0.875rem; }
.tiles dd { margin: 0; font-size: 0.875rem; }
.tiles .value { font-size: 1.5rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.ids { font-variant-numeric: tabular-nums; max-width: 60rem; }
@media (max-width: 40rem) {
  .wide::before { content: "Scroll sideways: there are more columns."; position: sticky; left: 0;
    font-size: 0.875rem; }
}
footer { margin-top: 2rem; border-top: 1px solid currentColor; font-size: 0.875rem; }
@media print { nav, .skip { display: none; } }
"""
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<h1>{title}</h1>
{navigation}</header>
<main id="main" tabindex="-1">
{sections}
</main>
<footer>
<p>Made by sift_toolkit. Numbers about losses and counts, class numbers and positions of samples in
the dataset; no data. This page loads nothing from anywhere.</p>
</footer>
</body>
</html>
"""


class Section(NamedTuple):
    """One part of a page, with a heading of the second level."""

    title: str
    body: str
    """HTML, its headings from the third level on."""


def page(title: str, sections: Sequence[Section]) -> str:
    """Return a whole page; where there are several sections it begins with links to them."""
    named = [(f"section-{number}", section) for number, section in enumerate(sections, 1)]
    return _PAGE.format(
        policy=_POLICY,
        title=escape(title),
        style=f"\n{PALETTE_CSS}{_STYLE}",
        navigation=_navigation(named) if len(named) > 1 else "",
        sections="\n".join(_section(name, section) for name, section in named),
    )


def _navigation(named: Sequence[tuple[str, Section]]) -> str:
    links = "".join(
        f'<li><a href="#{name}">{escape(section.title)}</a></li>' for name, section in named
    )
    return f'<nav aria-label="Parts of this page"><ul>{links}</ul></nav>\n'


def _section(name: str, section: Section) -> str:
    return (
        f'<section aria-labelledby="{name}">\n<h2 id="{name}">{escape(section.title)}</h2>\n'
        f"{section.body}\n</section>"
    )
