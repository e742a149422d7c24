"""The site's pages: each stands in the navigation, each public name in the reference."""

from __future__ import annotations

import ast
import importlib
import itertools
import re
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
import yaml

from tests.script_module import loaded

ROOT: Final = Path(__file__).parents[2]


class _AnyTag(yaml.SafeLoader):
    """Reads the settings without what only the generator knows."""


_AnyTag.add_multi_constructor("", lambda *_: None)  # type: ignore[no-untyped-call]


def settings() -> dict[str, Any]:
    """mkdocs.yml."""
    read = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=_AnyTag)
    assert isinstance(read, dict)
    return read


def navigation() -> list[str]:
    """The pages of the navigation, in order."""
    return [page for section in settings()["nav"] for pages in section.values() for page in pages]


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """docs/api_pages.py, which is no part of the package."""
    return loaded(ROOT / "docs" / "api_pages.py")


def test_each_page_stands_in_the_navigation(reference: ModuleType) -> None:
    """All pages can be found, and nothing is promised that is not there."""
    written = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    made = {"index.md", "contributing.md", "changelog.md"}
    there = written | made | {place for place, _ in reference.api_pages()}
    assert set(navigation()) == there


def test_nothing_is_fetched_from_elsewhere() -> None:
    """Fonts, search and scripts are the site's own, and nobody counts its readers."""
    theme = settings()["theme"]
    assert theme["font"] is False
    assert "search" in settings()["plugins"]
    assert not {"analytics", "extra_javascript"} & {*settings(), *settings()["extra"]}
    style = (ROOT / "docs" / "site.css").read_text(encoding="utf-8")
    assert "http" not in style
    assert "@import" not in style


@pytest.mark.parametrize(
    "face",
    ["", ".client", ".container", ".contract", ".sifting", ".smart_sifting", ".testing"],
)
def test_each_public_name_stands_in_the_reference(reference: ModuleType, face: str) -> None:
    """Once, by its home, however many faces pass it on."""
    text = "\n".join(text for _, text in reference.api_pages())
    told = [
        reference.home_of(*entry.rsplit(".", 1))
        for entry in re.findall(r"^::: (\S+)$", text, re.MULTILINE)
    ]
    assert len(told) == len(set(told))
    module = f"sift_toolkit{face}"
    names = set(importlib.import_module(module).__all__) - reference.INNER
    assert {reference.home_of(module, name) for name in names} <= set(told)


def test_homes_are_those_of_the_objects(reference: ModuleType) -> None:
    """What is read out of the source is what Python finds."""
    import sift_toolkit

    for name in ("SiftConfig", "SiftError", "SiftingDataloader", "compare", "sift", "watch"):
        found = getattr(sift_toolkit, name)
        assert reference.home_of("sift_toolkit", name) == f"{found.__module__}.{name}"


def test_each_name_of_the_reference_has_a_docstring(reference: ModuleType) -> None:
    """A page of signatures alone would be of no use."""
    text = "\n".join(text for _, text in reference.api_pages())
    entries = re.findall(r"^::: (\S+)$", text, re.MULTILINE)
    homes = [reference.home_of(*entry.rsplit(".", 1)) for entry in entries]
    assert [home for home in homes if not is_told(home)] == []


def is_told(home: str) -> bool:
    """Whether an object has a docstring, a text after it, or a value that says it."""
    module, _, name = home.rpartition(".")
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    body = ast.parse(file.read_text(encoding="utf-8")).body
    for node, after in itertools.pairwise([*body, ast.Pass()]):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
            return ast.get_docstring(node) is not None
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            return told or isinstance(getattr(node, "value", None), ast.Constant)
    return False
