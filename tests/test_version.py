"""The version stands in one place, and is known wherever the package is."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import sift_toolkit

ROOT = Path(__file__).parents[1]
FOLDERS = (".ci", "benchmarks", "demo", "docker", "docs", "entry_points", "sift_toolkit", "tests")
SOURCES = (".py", ".toml", ".txt", ".md", "Dockerfile", "Makefile")


def test_it_is_a_version() -> None:
    """Three numbers, as semantic versioning has them."""
    assert re.fullmatch(r"\d+\.\d+\.\d+", sift_toolkit.__version__)


def test_it_stands_in_one_place() -> None:
    """No other file spells it out as the version of this package."""
    said = re.compile(rf"version\w*\s*[=:]\s*.{re.escape(sift_toolkit.__version__)}\b")
    files = [path for path in ROOT.iterdir() if path.is_file()]
    files += [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    found = [
        path.relative_to(ROOT).as_posix()
        for path in files
        if path.name.endswith(SOURCES) and said.search(path.read_text(encoding="utf-8"))
    ]
    assert found == ["sift_toolkit/_version.py"]


def test_a_plain_copy_knows_it(tmp_path: Path) -> None:
    """A job has a copy of the folder, and no metadata of an installed package."""
    shutil.copytree(ROOT / "sift_toolkit", tmp_path / "sift_toolkit")
    # Isolated, without site-packages: nothing but the copy can be found.
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import sift_toolkit as its; "
    code += "print(its.__version__)"
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == sift_toolkit.__version__
