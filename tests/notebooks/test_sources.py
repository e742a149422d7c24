"""Notebooks as they are stored: without outputs, listed, each with the page of what it says."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from html import escape
from pathlib import Path
from typing import Any

import pytest

from notebooks.runner.sources import FOLDER, PAGES, digest_of, sources, title_of

ROOT = Path(__file__).parents[2]
SOURCES = sources()
PICTURE = re.compile(r'data:image/png;base64,[^"]*')
LOADED = re.compile(r'<script|<link |@import|\ssrc(?:set)?="(?!data:)')
PLACES = re.compile(r"(?<![\w.])/(?:home|root|tmp|work|Users|var|opt)/|file:///|[A-Z]:\\\\")
MOST_BYTES = 1_000_000
MAGIC = "%%writefile "


def notebook_of(source: Path) -> Any:
    """Return a notebook as JSON."""
    return json.loads(source.read_text(encoding="utf-8"))


def cells_of(source: Path, kind: str) -> list[str]:
    """Return the text of a notebook's cells of one type."""
    cells = notebook_of(source)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == kind]


def page_of(source: Path) -> str:
    """Return the page of a notebook, without what is in its pictures."""
    page = (PAGES / f"{source.stem}.html").read_text(encoding="utf-8")
    return PICTURE.sub("data:", page)


def test_each_notebook_is_known() -> None:
    """What is in the folder is what is run, and no page is of a notebook that is not there."""
    assert set(FOLDER.glob("*.ipynb")) == set(SOURCES)
    assert {page.stem for page in PAGES.iterdir()} == {source.stem for source in SOURCES}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
class TestSource:
    """A notebook as it is stored."""

    def test_it_is_a_notebook_without_outputs(self, source: Path) -> None:
        """To clear one: jupyter nbconvert --clear-output --inplace."""
        notebook = notebook_of(source)
        assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
        assert notebook.keys() == {"cells", "metadata", "nbformat", "nbformat_minor"}
        assert notebook["metadata"] == {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        ids = [cell["id"] for cell in notebook["cells"]]
        assert len(ids) == len(set(ids))
        common = {"cell_type", "id", "metadata", "source"}
        for cell in notebook["cells"]:
            assert re.fullmatch(r"[a-z][a-z-]{1,40}", cell["id"])
            assert cell["metadata"] == {}
            if cell["cell_type"] == "code":
                assert cell.keys() == common | {"execution_count", "outputs"}
                assert (cell["execution_count"], cell["outputs"]) == (None, [])
            else:
                assert cell.keys() == common

    def test_it_is_written_as_jupyter_writes_it(self, source: Path) -> None:
        """So that what an editor saves is what has changed, line by line."""
        text = source.read_text(encoding="utf-8")
        assert text == json.dumps(notebook_of(source), indent=1, ensure_ascii=False) + "\n"

    def test_it_names_no_place_of_a_machine(self, source: Path) -> None:
        """It runs wherever the repository is."""
        assert PLACES.findall(source.read_text(encoding="utf-8")) == []

    def test_its_text_leads_and_links_somewhere(self, source: Path) -> None:
        """It begins with a heading, each part has one, and links name files that are there."""
        texts = cells_of(source, "markdown")
        assert texts[0].startswith("# ")
        links = [link for text in texts for link in re.findall(r"\]\(([^)\s#]+)", text)]
        assert [link for link in links if not (source.parent / link).exists()] == []
        assert any(text.startswith("## ") for text in texts)

    def test_scripts_in_it_are_python(self, source: Path, tmp_path: Path) -> None:
        """What a cell writes to a file is linted and formatted as the notebook is."""
        for number, text in enumerate(cells_of(source, "code")):
            if text.startswith(MAGIC):
                script = text.partition("\n")[2] + "\n"
                ast.parse(script)
                (tmp_path / f"script_{number}.py").write_text(script, encoding="utf-8")
        for command in (["format", "--check"], ["check", "--select=E,F,I,UP,SIM"]):
            ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length=100"]
            done = subprocess.run(
                [*ruff, str(tmp_path)], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr

    def test_its_page_is_of_this_source(self, source: Path) -> None:
        """After a change of the notebook: make notebooks KEEP=--keep."""
        page = page_of(source)
        assert f'<meta name="source-sha256" content="{digest_of(source)}">' in page
        assert f"<title>{escape(title_of(source))}</title>" in page

    def test_its_page_shows_outputs_and_no_place_of_a_machine(self, source: Path) -> None:
        """A reader need not run anything, and sees nothing of the machine where it was made."""
        page = page_of(source)
        assert 'class="output' in page
        assert PLACES.findall(page) == []
        assert (PAGES / f"{source.stem}.html").stat().st_size < MOST_BYTES

    def test_its_page_loads_nothing(self, source: Path) -> None:
        """No script, style or picture that is elsewhere."""
        assert LOADED.findall(page_of(source)) == []

    def test_it_is_listed(self, source: Path) -> None:
        """The page of the documentation has the notebook and its page."""
        text = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")
        assert f"](../notebooks/{source.name})" in text
        assert f"](../notebooks/rendered/{source.stem}.html)" in text


def test_the_readme_leads_to_them() -> None:
    """A line of the README, and a place in the navigation of the site."""
    assert "](docs/notebooks.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "- notebooks.md" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
