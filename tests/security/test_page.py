"""docs/security.md: each threat has a module that stands against it, and a test that shows it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
MODULE: Final = re.compile(r"`(\w[\w/]*\.py)`")
TEST: Final = re.compile(r"`([\w/]+\.py)::(\w+)`")
ASKED_FOR: Final = (
    "config from an untrusted client",
    "Log injection",
    "Checkpoint files",
    "Path traversal in artefacts",
    "Path traversal in archives",
    "Secrets in logs",
    "HTML pages",
    "trial's files",
)


class Threat(NamedTuple):
    """A row of the table."""

    name: str
    modules: list[str]
    tests: list[tuple[str, str]]

    def __str__(self) -> str:
        return self.name[:40]


def threats() -> list[Threat]:
    """Return the rows of the table."""
    table = PAGE.partition("\n## Threats\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return [
        Threat(name.strip(), MODULE.findall(stands), TEST.findall(shown))
        for name, stands, shown in rows[2:]
    ]


THREATS: Final = threats()


def functions(file: Path) -> set[str]:
    """Return the tests of a file, those of classes too."""
    return set(re.findall(r"^ *def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("threat", THREATS, ids=str)
def test_what_a_threat_names_is_there(threat: Threat) -> None:
    """Its modules, and its tests by file and name; it has at least one of each."""
    assert threat.modules
    assert threat.tests
    assert [name for name in threat.modules if not (ROOT / "sift_toolkit" / name).is_file()] == []
    for file, test in threat.tests:
        assert test in functions(ROOT / "tests" / file), f"{file}::{test}"


@pytest.mark.parametrize("name", ASKED_FOR)
def test_each_kind_of_threat_is_there(name: str) -> None:
    """None of those that were thought of first has gone."""
    assert sum(name in threat.name for threat in THREATS) == 1


def test_each_fuzz_target_is_told() -> None:
    """No parser is fuzzed without a threat that it stands against."""
    told = {each for threat in THREATS for each in threat.tests}
    files = sorted((ROOT / "tests" / "fuzz").glob("test_*.py"))
    assert {(f"fuzz/{file.name}", name) for file in files for name in functions(file)} <= told


def test_each_file_of_security_tests_is_told() -> None:
    """Nor is there a file of such tests that the page does not know."""
    told = {file for threat in THREATS for file, _ in threat.tests}
    files = {f"security/{file.name}" for file in Path(__file__).parent.glob("test_*.py")}
    assert files - {f"security/{Path(__file__).name}"} <= told
