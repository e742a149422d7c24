"""`report`: one HTML file of jobs, from names, folders and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from sift_toolkit import SiftConfig
from sift_toolkit.testing import FakeJob, MockedAws, record_job
from tests.html_page import Page, outside_references

Call = Callable[..., Result]

CONFIG = SiftConfig(keep=0.5)


@pytest.fixture
def report(tmp_path: Path) -> str:
    """A sift_report.json."""
    path = tmp_path / "sifted.json"
    FakeJob(CONFIG).report().write(path)
    return str(path)


def test_one_job(call: Call, report: str) -> None:
    """The page is written where nothing else is said, and one line tells where."""
    answer = call("report", f"letters={report}")
    assert answer.exit_code == 0, answer.output
    assert answer.stdout == "Sift report of letters: report.html\n"
    text = Path("report.html").read_text(encoding="utf-8")
    assert outside_references(text) == []
    assert "Comparison" not in Page(text).words


def test_several_jobs(call: Call, report: str, script: Path, data: Path) -> None:
    """A folder and a report are compared, under the title given, in a folder that is made."""
    call("run", str(script), "--channel", f"training={data}", "--output", "out", "-q")
    answer = call(
        "report", "plain=out", f"sifted={report}", "-o", "new/twins.html", "--title", "Twins"
    )
    assert answer.exit_code == 0, answer.output
    words = Page(Path("new/twins.html").read_text(encoding="utf-8")).words
    assert words[0] == "Twins"
    assert {"Comparison", "plain", "sifted"} <= set(words)


def test_jobs_in_aws(sift_aws: MockedAws, call_json: Callable[..., Any]) -> None:
    """Names are looked up in AWS, and a price makes money of the bill."""
    record_job(sift_aws.boto_session, "job", FakeJob(CONFIG))
    content = call_json("report", "job", "--price-per-hour", "3.6")
    assert content == {
        "title": "Sift report of job",
        "file": "report.html",
        "bytes": Path("report.html").stat().st_size,
    }
    assert "money, at the price given" in Path("report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "Missing argument"),
        (["a=x", "a=y"], "'a' is given more than once"),
        (["no_such_job"], "'no_such_job' is neither a file nor the name of a training job"),
    ],
)
def test_what_is_refused(call: Call, arguments: list[str], problem: str) -> None:
    """What is no job is said, with exit code 2, and nothing is written."""
    answer = call("report", *arguments)
    assert answer.exit_code == 2
    assert problem in answer.stderr
    assert not Path("report.html").exists()


def test_a_file_that_cannot_be_written(call: Call, report: str) -> None:
    """One line says so."""
    answer = call("report", report, "-o", f"{report}/page.html")
    assert answer.exit_code == 1
    assert answer.stderr.startswith("Error: Could not open file")
    assert len(answer.stderr.splitlines()) == 1
