"""What `make release-check`, `make audit` and `make fuzz` look for, and what they say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

import sift_toolkit
from tests.fuzz.campaign import properties, table
from tests.script_module import loaded

ROOT: Final = Path(__file__).parents[1]
PROJECT: Final = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
FILES: Final = ["sift_toolkit/__init__.py", "sift_toolkit/entry_points/run.py"]
INFO: Final = [
    f"sift_toolkit-1.0.dist-info/{part}"
    for part in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
]


def script(name: str) -> ModuleType:
    """A script of .ci, which is no package."""
    return loaded(ROOT / ".ci" / f"{name}.py")


@pytest.fixture(scope="module")
def check() -> Any:
    """release_check.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", list(sys.path))
        return script("release_check")


@pytest.fixture(scope="module")
def contents() -> Any:
    """release_contents.py."""
    return script("release_contents")


@pytest.fixture(scope="module")
def audit() -> Any:
    """audit.py."""
    return script("audit")


def section(title: str) -> str:
    """A table of pyproject.toml."""
    return PROJECT.partition(f"[{title}]\n")[2].partition("\n[")[0]


def test_each_extra_is_tried(check: Any) -> None:
    """No extra is released that was not at least resolved, and none is tried that is not there."""
    extras = set(re.findall(r"^([\w-]+) = \[", section("project.optional-dependencies"), re.M))
    tried = {name for trial in check.TRIALS for name in trial.extra.split(",")} - {""}
    assert tried == extras
    assert any(not trial.extra for trial in check.TRIALS)


def test_each_python_is_tried(check: Any) -> None:
    """The Pythons are those of the classifiers, and the first is the oldest allowed."""
    versions = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PROJECT)
    assert list(check.VERSIONS) == versions
    assert f'requires-python = ">={versions[0]}"' in PROJECT


def test_a_python_that_does_not_start_is_not_at_hand(check: Any, tmp_path: Path) -> None:
    """One that is switched off, or has no venv, is passed over; one of pyenv's is found."""
    for folder, code in (("bin", 1), ("pyenv/versions/3.12.1/bin", 0)):
        place = tmp_path / folder
        place.mkdir(parents=True)
        for version in ("3.12", "3.13"):
            (place / f"python{version}").write_text(f"#!/bin/sh\nexit {code}\n")
            (place / f"python{version}").chmod(0o755)
    environment = {"PATH": str(tmp_path / "bin"), "PYENV_ROOT": str(tmp_path / "pyenv")}
    found = check.pythons_at_hand(["3.12", "3.13"], environment)
    assert found == {"3.12": str(tmp_path / "pyenv/versions/3.12.1/bin/python3.12")}


def test_a_newer_python_is_asked_for_no_newer_source(check: Any) -> None:
    """The source is written for the oldest Python; linted for others it need not change."""
    source = "from datetime import datetime, timezone\n\nNOW = datetime.now(timezone.utc)\n"
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "UP,RUF100"]
    for version in check.VERSIONS:
        linted = subprocess.run(
            [*command, *check.lint_options(version), "-"],
            input=source,
            capture_output=True,
            text=True,
            check=False,
        )
        assert linted.returncode == 0, linted.stdout + linted.stderr


def test_a_wheel_is_whole(contents: Any) -> None:
    """What is missing is named, and what should not be there, tests and files of keys among it."""
    assert list(contents.wheel_problems([*FILES, *INFO], FILES)) == []
    assert list(contents.wheel_problems([*FILES[1:], *INFO[1:], "tests/test_x.py"], FILES)) == [
        "sift_toolkit/__init__.py is missing",
        "tests/test_x.py should not be there",
        "METADATA is missing",
    ]


def test_an_sdist_is_whole(contents: Any) -> None:
    """What a wheel is built from must be in it, by its name in the repository."""
    whole = ["sift_toolkit/__init__.py", "entry_points/run.py", "LICENSE", "PKG-INFO", "README.md"]
    whole += ["pyproject.toml", "setup.py", "setup.cfg", "sift_toolkit.egg-info/SOURCES.txt"]
    assert list(contents.sdist_problems(whole, FILES)) == []
    assert list(contents.sdist_problems([*whole[1:], ".env"], FILES)) == [
        "sift_toolkit/__init__.py is missing",
        ".env should not be there",
    ]


def test_there_is_one_version(contents: Any) -> None:
    """Archives and metadata have the version of the source, or are named."""
    version = contents.source_version(ROOT)
    assert version == sift_toolkit.__version__
    names = ["sift_toolkit-1.0.tar.gz", "sift_toolkit-1.0-py3-none-any.whl"]
    metadata = "Name: sift_toolkit\nVersion: 1.0\nSummary: x\n"
    assert list(contents.version_problems("1.0", names, metadata)) == []
    assert list(contents.version_problems("1.0.1", names, metadata)) == [
        "sift_toolkit-1.0.tar.gz is not of version 1.0.1",
        "sift_toolkit-1.0-py3-none-any.whl is not of version 1.0.1",
        "the wheel's METADATA is not of version 1.0.1",
    ]


def test_wheels_are_compared(contents: Any) -> None:
    """What one has and the other has not, or differently, is named."""
    assert contents.differences({"a": "1", "b": "2"}, {"a": "1", "b": "2"}) == []
    assert contents.differences({"a": "1", "b": "2"}, {"b": "3", "c": "4"}) == ["a", "b", "c"]


REPORT: Final = {
    "dependencies": [
        {"name": "sift-toolkit", "skip_reason": "not on the index"},
        {"name": "own", "skip_reason": "not on the index"},
        {"name": "safe", "version": "1.0", "vulns": []},
        {
            "name": "old",
            "version": "1.0",
            "vulns": [
                {"id": "X-1", "aliases": ["CVE-1"], "fix_versions": ["1.1"]},
                {"id": "X-2", "aliases": [], "fix_versions": []},
            ],
        },
    ]
}


def test_vulnerabilities_are_told(audit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with the version that mends it; one that is accepted, by any of its names, is not."""
    found = audit.read_audit(REPORT)
    assert audit.told(".venv", found, []) == (
        audit.VULNERABLE,
        [
            ".venv: 2 packages looked up",
            "  not known to the service: own",
            "  old 1.0: X-1, mended in 1.1",
            "  old 1.0: X-2, mended in no version yet",
        ],
    )
    monkeypatch.setattr(audit, "ACCEPTED", {"CVE-1": "why", "X-2": "why"})
    code, lines = audit.told(".venv", audit.read_audit(REPORT), [])
    assert code == 0
    assert lines[-1] == "  no known vulnerability"


def test_a_service_that_knows_next_to_nothing_is_none(audit: Any) -> None:
    """A mirror that answers without advisories has looked nothing up: that is no clean bill."""
    unknown = [{"name": f"p{number}", "skip_reason": "not found"} for number in range(5)]
    with pytest.raises(ValueError, match="it knows 2 packages, and 6 it does not"):
        audit.read_audit({"dependencies": [*REPORT["dependencies"], *unknown]})


def test_no_answer_is_no_success(audit: Any) -> None:
    """Where no service answers it is said that nothing was looked up, and make fails."""
    code, lines = audit.told(".venv", None, ["pypi: no route", "osv: no route"])
    assert code == audit.UNKNOWN
    assert lines[0].startswith(".venv: NOT AUDITED, no vulnerability service answered")
    assert lines[1:] == ["  pypi: no route", "  osv: no route"]


def test_a_campaign_is_told_as_a_table() -> None:
    """Each property has a row: its time, examples by either engine, and what was broken."""
    drawn = {"property": "x.y", "engine": "hypothesis", "seconds": 25, "examples": 1500, "exit": 0}
    guided = {"property": "x.y", "engine": "atheris", "seconds": 16, "examples": 280, "exit": 77}
    lines = [json.dumps(drawn), json.dumps(guided), "x.y failed", '{"properties": 1}']
    assert table(lines)[2:] == ["| x.y | 41 | 1,500 | 280 | atheris |"]


def test_each_property_is_found() -> None:
    """Every test of tests/fuzz is one that a campaign runs."""
    assert properties()["trial_folders.a_plan_is_gone_on_from_or_refused"] == (
        "tests.fuzz.test_trial_folders",
        "test_a_plan_is_gone_on_from_or_refused",
    )
    files = {module.rpartition(".")[2] for module, _ in properties().values()}
    assert files == {file.stem for file in (ROOT / "tests" / "fuzz").glob("test_*.py")}
