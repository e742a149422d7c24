"""What the site holds beside docs/: the README, files that pages link to, the API's names.

Pages are written to be read in the repository, so their links name its files. Here they lead to
the same file in the site: to its page, or to a page made of it.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))
from api_pages import api_pages

ROOT = Path(__file__).resolve().parent.parent
PLACES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages of the navigation that are files outside of docs/."""
COPIED = "repository/"
"""Where other files outside of docs/ stand that pages link to."""
PICTURES = {".png", ".svg", ".jpg"}
WHOLE = {".html"}
"""Pages that are no Markdown: they stand in the site as they are, but for their links."""
LANGUAGES = {".py": "python", ".sh": "sh", ".json": "json", ".yml": "yaml", ".toml": "toml"}
# Code comes first, for what stands in it may look like a link.
LINK = re.compile(r"^```.*?^```|`[^`\n]+`|(\[[^\]]*\])\(([^)\s]+)\)", re.MULTILINE | re.DOTALL)
WHOLE_LINK = re.compile(r'(<a [^>]*href=")([^"#:]+)')
SECTION = "\ue000["
FETCHED = re.compile(r"""(?:\ssrc=|<link[^>]*\shref=|@import |url\()["']?(?:https?:)?//""")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is not in docs/, and leave out of the navigation what is not there at all."""
    for place, text in api_pages():
        files.append(File.generated(config, place, content=text))
    waiting = [*PLACES, *(f"docs/{file.src_uri}" for file in files.documentation_pages())]
    while waiting:
        name = waiting.pop()
        if files.get_file_from_path(place_of(name)) is None:
            files.append(_copy_of(name, config))
        if name.endswith(".md") and (ROOT / name).is_file():
            found = _links(_text(name), name)
            waiting += [link for link in found if not files.get_file_from_path(place_of(link))]
    config.nav = _present(config.nav, files)
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Lead links to files of the repository to their places in the site."""
    place = page.file.src_uri
    name = name_of(place)

    def led(match: re.Match[str]) -> str:
        if not match[2] or not (target := _target(match[2], name)):
            return match[0]
        way = posixpath.relpath(place_of(target), posixpath.dirname(place) or ".")
        _, mark, fragment = match[2].partition("#")
        return f"{match[1]}({way}{mark}{fragment})"

    # MkDocs reads pages as HTML to find anchors, and this, within code, ends Python's own reader.
    return LINK.sub(led, markdown).replace("<![", SECTION)


def on_page_content(html: str, **_: Any) -> str:
    """Put back what `on_page_markdown` hid."""
    return html.replace(SECTION, "&lt;![")


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """Refuse a page that fetches anything from another server."""
    if found := FETCHED.search(output):
        msg = f"{page.file.src_uri} fetches from elsewhere: {output[found.start() :][:120]}"
        raise PluginError(msg)
    return output


def place_of(name: str) -> str:
    """Return where a file of the repository stands in the site."""
    suffix = posixpath.splitext(name)[1]
    if name in PLACES:
        return PLACES[name]
    if name.startswith("docs/") and suffix in {".md", *PICTURES}:
        return name.removeprefix("docs/")
    return f"{COPIED}{name}{'' if suffix in {'.md', *PICTURES, *WHOLE} else '.md'}"


def name_of(place: str) -> str:
    """Return the file of the repository that a page of the site is made of."""
    for name, known in PLACES.items():
        if place == known:
            return name
    return place.removeprefix(COPIED) if place.startswith(COPIED) else f"docs/{place}"


def _links(text: str, name: str) -> list[str]:
    """Return the files of the repository that a page links to."""
    found = (match[2] and _target(match[2], name) for match in LINK.finditer(text))
    return [target for target in found if target]


def _target(link: str, name: str) -> str | None:
    """Return the file that a link on a page names; None: it is no link to a file."""
    parts = urlsplit(link)
    if parts.scheme or not parts.path:
        return None
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), parts.path))
    path = ROOT / target
    if path.is_dir() and (path / "README.md").is_file():
        return f"{target}/README.md"
    return target if path.exists() and not target.startswith("..") else None


def _copy_of(name: str, config: MkDocsConfig) -> File:
    """Return a file outside of docs/ as it stands in the site."""
    inclusion = InclusionLevel.INCLUDED if name in PLACES else InclusionLevel.NOT_IN_NAV
    path = ROOT / name
    if path.suffix in PICTURES:
        copy = File.generated(config, place_of(name), abs_src_path=str(path))
    elif path.suffix in WHOLE:
        copy = File.generated(config, place_of(name), content=_led_within(name))
    else:
        copy = File.generated(config, place_of(name), content=_as_page(name))
    copy.inclusion = inclusion
    return copy


def _as_page(name: str) -> str:
    """Return a file as a page: Markdown as it is, a notebook's cells, a listing, code."""
    path = ROOT / name
    title = f"---\nsearch:\n  exclude: true\n---\n\n# {name}\n\n"
    if path.is_dir():
        return title + "\n".join(f"- `{each.name}`" for each in sorted(path.iterdir()))
    if path.suffix == ".md":
        return _text(name)
    if path.suffix == ".ipynb":
        return title + "\n\n".join(_cell(cell) for cell in json.loads(_text(name))["cells"])
    return title + _fenced(LANGUAGES.get(path.suffix, "text"), _text(name))


def _led_within(name: str) -> str:
    """Return a whole page with its links to files of the repository led to their places."""

    def led(match: re.Match[str]) -> str:
        if not (target := _target(match[2], name)):
            return match[0]
        place = re.sub(r"\.md$", ".html", place_of(target))
        return match[1] + posixpath.relpath(place, posixpath.dirname(place_of(name)))

    return WHOLE_LINK.sub(led, _text(name))


def _cell(cell: dict[str, Any]) -> str:
    source = "".join(cell["source"])
    return _fenced("python", source) if cell["cell_type"] == "code" else source


def _fenced(language: str, text: str) -> str:
    return f"````{language}\n{text.rstrip()}\n````\n"


def _present(nav: Any, files: Files) -> Any:
    """Return the navigation without pages that are not there."""
    if isinstance(nav, dict):
        return {title: _present(inner, files) for title, inner in nav.items()}
    if isinstance(nav, list):
        return [_present(each, files) for each in nav if _is_there(each, files)]
    return nav


def _is_there(each: Any, files: Files) -> bool:
    return not isinstance(each, str) or files.get_file_from_path(each) is not None


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")
