"""docs/testing.md is true: its tests are run as a user would run them, and they pass."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n# (\w+\.py)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def blocks() -> dict[str, str]:
    """The page's files, by name."""
    found = dict(BLOCK.findall((ROOT / "docs" / "testing.md").read_text(encoding="utf-8")))
    assert list(found) == ["launch.py", "test_launch.py", "test_report.py"]
    return found


def test_a_users_test_has_ten_lines(blocks: dict[str, str]) -> None:
    """The page promises ten lines, and the first test keeps to it."""
    assert len([line for line in blocks["test_launch.py"].splitlines() if line]) <= 10


def run_pytest(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the tests of a folder, apart from this repository's own settings."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_page_is_true(blocks: dict[str, str], tmp_path: Path) -> None:
    """Every test of the page passes in a folder that has the page's files and a script."""
    (tmp_path / "train.py").write_text("print('training')\n")
    for name, text in blocks.items():
        (tmp_path / name).write_text(text)
    answer = run_pytest(tmp_path)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "4 passed" in answer.stdout


def test_it_can_fail(blocks: dict[str, str], tmp_path: Path) -> None:
    """A job that AWS would refuse fails the same test, and the reason is told."""
    (tmp_path / "train.py").write_text("print('training')\n")
    wrong = blocks["launch.py"].replace("ml.g5.xlarge", "ml.g5.huge")
    (tmp_path / "launch.py").write_text(wrong)
    (tmp_path / "test_launch.py").write_text(blocks["test_launch.py"])
    answer = run_pytest(tmp_path)
    assert answer.returncode == 1
    assert "SiftRequestError" in answer.stdout
    assert "ml.g5.huge" in answer.stdout


def test_pytest_is_left_alone(tmp_path: Path) -> None:
    """Where nobody asks for the fixtures they are not there, and nothing of ours is imported."""
    (tmp_path / "test_own.py").write_text(
        "import sys\n"
        "import pytest\n"
        "def test_own(request):\n"
        "    assert 'sift_toolkit' not in sys.modules\n"
        "    with pytest.raises(pytest.FixtureLookupError):\n"
        "        request.getfixturevalue('sift_aws')\n"
    )
    answer = run_pytest(tmp_path)
    assert answer.returncode == 0, answer.stdout
