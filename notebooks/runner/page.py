"""A notebook that has run, as one HTML page: nothing runs in it, or comes from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any, Final

from notebooks.runner.sources import digest_of, title_of

_LIGHT: Final = "default"
_DARK: Final = "github-dark"
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'"
_STYLE: Final = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1b1b1b; --soft: #f4f5f7;
  --rule: #d5d9de; --link: #00588a; --sift-paper: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --ink: #e9e9e9; --soft: #1e2227; --rule: #3a4149; --link: #8fcdf5;
    --sift-paper: #14171a; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem 1.25rem 3rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.8rem; line-height: 1.25; margin: 1rem 0 0.75rem; }
h2 { font-size: 1.3rem; margin: 2.25rem 0 0.5rem; padding-top: 1rem;
  border-top: 1px solid var(--rule); }
a { color: var(--link); }
a.anchor-link { display: none; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; list-style: none; margin: 0;
  padding: 0; font-size: 0.9rem; }
.made { font-size: 0.9rem; background: var(--soft); border-left: 4px solid var(--link);
  padding: 0.5rem 0.9rem; margin: 1rem 0; }
code, pre { font: 0.85rem/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
p code, li code, td code { background: var(--soft); padding: 0.1em 0.3em; border-radius: 3px; }
pre { margin: 0; white-space: pre; overflow-x: auto; }
.jp-Prompt, .prompt, .output_prompt, .input_prompt { display: none; }
.input_area, .highlight-ipynb, div.highlight { background: var(--soft); border-radius: 0.4rem; }
div.input_area, .jp-InputArea-editor { margin: 0.9rem 0 0; }
div.highlight pre { padding: 0.7rem 0.9rem; }
.output { margin-top: 0.6rem; }
.output_area { padding-left: 0.9rem; border-left: 3px solid var(--rule);
  overflow-x: auto; }
.output_area pre { padding: 0.1rem 0; }
.output_png img, .output_area img { max-width: 100%; height: auto; background: #ffffff;
  border-radius: 0.3rem; }
table.dataframe, .text_cell_render table { border-collapse: collapse; font-size: 0.9rem; }
table.dataframe th, table.dataframe td, .text_cell_render th, .text_cell_render td {
  border: 0; border-bottom: 1px solid var(--rule); padding: 0.3rem 0.6rem; text-align: left; }
table.dataframe td { text-align: right; font-variant-numeric: tabular-nums; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
"""
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="source-sha256" content="{digest}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<nav aria-label="Notebooks"><ul>{links}</ul></nav>
<p class="made">{made}</p>
<main>
{body}
</main>
</body>
</html>
"""
_LINK: Final = re.compile(r'(<a [^>]*href=")(?![a-z]+:|#)([^"#]+)')


def page_of(notebook: Any, source: Path, others: Iterable[Path], made: str) -> str:
    """Return the page.

    Args:
        notebook: As it came from running it.
        source: The file it was read from.
        others: All notebooks that have a page, this one among them.
        made: HTML that says where it ran.
    """
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True
    )
    exporter.sanitize_html = False
    body, _ = exporter.from_notebook_node(notebook)
    body = body.replace(
        'alt="No description has been provided for this image"',
        'alt="A chart, of the numbers that the text and the tables around it tell"',
    )
    return _PAGE.format(
        policy=_POLICY,
        digest=digest_of(source),
        title=escape(title_of(source)),
        style=f"{_code_style()}{_STYLE}",
        links="".join(_link(other, is_this=other == source) for other in others),
        made=made,
        body="\n".join(line.rstrip() for line in _LINK.sub(_led, body).strip().splitlines()),
    )


def _link(other: Path, *, is_this: bool) -> str:
    mark = ' aria-current="page"' if is_this else ""
    return f'<li><a href="{other.stem}.html"{mark}>{escape(title_of(other))}</a></li>'


def _led(match: re.Match[str]) -> str:
    """Lead a link of the notebook to the same place, seen from the page's folder."""
    before, target = match.groups()
    if target.endswith(".ipynb"):
        return f"{before}{target.removesuffix('.ipynb')}.html"
    return f"{before}../{target}"


def _code_style() -> str:
    from pygments.formatters import HtmlFormatter

    light, dark = (
        "\n".join(
            line
            for line in HtmlFormatter(style=style).get_style_defs(".highlight").splitlines()
            if line.startswith(".highlight .")
        )
        for style in (_LIGHT, _DARK)
    )
    return f"\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"
