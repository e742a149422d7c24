"""Documentation says what the code does, and the wheel holds what a user needs."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest

import sift_toolkit
from sift_toolkit import METRICS, SiftConfig
from sift_toolkit.client import _limits
from sift_toolkit.config import help_of, rule_of
from sift_toolkit.metrics import NAME_PREFIX
from tests.pages.blocks import EVERY_PAGE
from tests.script_module import loaded

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NOT_PACKED = shutil.ignore_patterns(
    ".git",
    ".venv*",
    ".*_cache",
    ".hypothesis",
    "__pycache__",
    "*.egg-info",
    "build",
    "bench-output",
    "data",
    "demo-output",
    "site",
)


def name_of(page: Path) -> str:
    """Return a page's path inside the repository."""
    return str(page.relative_to(ROOT))


def text_of(page: Path) -> str:
    """Return a page as it stands."""
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """docs/generate.py, which is no part of the package."""
    return loaded(ROOT / "docs" / "generate.py")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel of a copy of this tree, so that building it leaves nothing here."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "tree", ignore=NOT_PACKED)
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation"]
    result = subprocess.run(
        [*command, "--wheel-dir", str(folder), "--no-index", "--disable-pip-version-check"],
        cwd=folder / "tree",
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        yield archive


class TestGeneratedTables:
    """The tables come from the code, quotes from the results."""

    def test_pages_are_up_to_date(self, generator: ModuleType) -> None:
        """What stands in each page is what `make docs` would write."""
        texts = {name_of(page): text_of(page) for page in generator.PAGES}
        assert {"README.md", "docs/limits.md"} < set(texts)
        assert texts == {page: generator.render(text) for page, text in texts.items()}

    def test_a_quote_is_what_stands_below_the_heading(self, generator: ModuleType) -> None:
        """The first table of the section is taken, and nothing of the next section."""
        heading = "What the machinery costs"
        mark = f"<!-- quoted: README.md, {heading}: begin -->"
        fresh = generator.render(f"before\n{mark}\nold\n<!-- quoted: end -->\nafter")
        assert fresh.startswith(f"before\n{mark}\n| task | scores |")
        assert fresh.endswith("|\n<!-- quoted: end -->\nafter")
        assert "old" not in fresh
        assert "gate" not in fresh
        with pytest.raises(AssertionError, match="no heading 'Nothing'"):
            generator.render("<!-- quoted: README.md, Nothing: begin -->\n<!-- quoted: end -->")

    def test_each_table_stands_somewhere(self, generator: ModuleType) -> None:
        """No table is generated for nothing."""
        pages = "".join(map(text_of, generator.PAGES))
        for name, table in generator.TABLES.items():
            assert table() in pages, f"the table {name} stands in no page"

    def test_a_stale_table_is_replaced(self, generator: ModuleType) -> None:
        """Only what is between the marks changes, and it does not grow."""
        text = "before\n<!-- metrics: begin -->\nold\n<!-- metrics: end -->\nafter"
        fresh = generator.render(text)
        assert "old" not in fresh
        assert fresh.startswith("before\n<!-- metrics: begin -->\n| metric |")
        assert fresh.endswith("|\n<!-- metrics: end -->\nafter")
        assert generator.render(fresh) == fresh

    @pytest.mark.parametrize("field", dataclasses.fields(SiftConfig), ids=lambda field: field.name)
    def test_every_field_is_documented(self, field: dataclasses.Field[object]) -> None:
        """Each field stands in the README with its default, what it allows and what it means."""
        meaning = f"{rule_of(field).allowed} | {help_of(field)}"
        row = f"| `{field.name}` | `{field.default!r}` | {meaning} |"
        assert row in text_of(README).splitlines()

    @pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
    def test_every_metric_is_documented(self, metric: sift_toolkit.Metric) -> None:
        """Each metric stands in the docs with its unit and what it means."""
        row = f"| `{NAME_PREFIX}{metric.name}` | {metric.unit} | {metric.help} |"
        assert row in text_of(ROOT / "docs" / "metrics.md").splitlines()

    def test_every_limit_is_documented(self, generator: ModuleType) -> None:
        """Each limit stands in the docs with its source and what it is."""
        documented = dict(generator.documented_limits())
        assert set(documented) == {name for name in vars(_limits) if name.isupper()}
        rows = generator.limits_table().splitlines()[2:]
        for row in rows:
            cells = re.split(r"(?<!\\)\|", row)
            assert len(cells) == 6, row
            assert all(cell.strip() for cell in cells[1:-1]), row


@pytest.mark.parametrize("page", EVERY_PAGE, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file of the repository."""
    targets = [urlsplit(link) for link in LINK.findall(CODE.sub("", text_of(page)))]
    missing = [
        target.path
        for target in targets
        if not target.scheme and target.path and not (page.parent / target.path).exists()
    ]
    assert missing == []


def test_the_readme_shows_how_to_use_it() -> None:
    """The README has an example for each side: the notebook and the script."""
    blocks = PYTHON_BLOCK.findall(text_of(README))
    assert any("sift_estimator(" in block for block in blocks)
    assert any("loader = sift(" in block and "loader.reduce(" in block for block in blocks)


class TestWheel:
    """What an installed package is made of."""

    def test_it_holds_the_whole_package(self, wheel: zipfile.ZipFile) -> None:
        """Every module, the entry points inside, the mark of a typed package, the licence."""
        package = {str(path.relative_to(ROOT)) for path in (ROOT / "sift_toolkit").rglob("*.py")}
        entry_points = {
            f"sift_toolkit/entry_points/{path.name}" for path in ROOT.glob("entry_points/*.py")
        }
        names = set(wheel.namelist())
        assert {f"sift_toolkit/entry_points/{name}.py" for name in ("run", "train")} <= entry_points
        assert package | entry_points | {"sift_toolkit/py.typed"} <= names
        assert any(name.endswith("dist-info/licenses/LICENSE") for name in names)

    def test_it_holds_nothing_else(self, wheel: zipfile.ZipFile) -> None:
        """Tests, demo and docs stay in the repository; nothing lands beside the package."""
        top = {name.partition("/")[0] for name in wheel.namelist()}
        assert {name for name in top if not name.endswith(".dist-info")} == {"sift_toolkit"}

    def test_it_brings_the_command(self, wheel: zipfile.ZipFile) -> None:
        """Installing it puts sift-toolkit on the path; pytest is told nothing."""
        (name,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
        text = wheel.read(name).decode()
        assert text.split() == ["[console_scripts]", "sift-toolkit", "=", "sift_toolkit.cli:main"]

    def test_it_asks_for_nothing_by_itself(self, wheel: zipfile.ZipFile) -> None:
        """The package alone installs no other: each side has its extra."""
        metadata = next(name for name in wheel.namelist() if name.endswith("METADATA"))
        lines = wheel.read(metadata).decode().splitlines()
        needed = [line for line in lines if line.startswith("Requires-Dist:")]
        assert needed
        assert all("extra ==" in line for line in needed)

    def test_its_entry_points_are_those_of_the_repository(self, wheel: zipfile.ZipFile) -> None:
        """What a job starts is the same file, from a wheel or from a checkout."""
        for name in ("run.py", "train.py"):
            packed = wheel.read(f"sift_toolkit/entry_points/{name}")
            assert packed == (ROOT / "entry_points" / name).read_bytes()
