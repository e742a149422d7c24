"""`compare`: a table of jobs from names, folders and files, as text or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from sift_toolkit import SiftConfig
from sift_toolkit.testing import FakeJob, MockedAws, record_job

Call = Callable[..., Result]

CONFIG = SiftConfig(keep=0.5)
SIFTED = FakeJob(CONFIG, accuracy=0.88)
PLAIN = FakeJob(CONFIG.plain_twin(), accuracy=0.9)


@pytest.fixture
def twins(sift_aws: MockedAws) -> None:
    """Two jobs in AWS: one sifted, one not."""
    record_job(sift_aws.boto_session, "plain", PLAIN)
    record_job(sift_aws.boto_session, "sifted", SIFTED)


@pytest.mark.usefixtures("twins")
def test_jobs_in_aws(call: Call) -> None:
    """Names are looked up in AWS, and the table says what was saved."""
    answer = call("compare", "plain", "sifted")
    assert answer.exit_code == 0, answer.output
    first, *rest = answer.stdout.splitlines()
    assert first == "2 jobs, compared to plain"
    assert any(line.startswith("sifted") and "66.7" in line for line in rest)


@pytest.mark.usefixtures("twins")
def test_json(call_json: Callable[..., Any]) -> None:
    """The object has the twin, a record a job, and the notes."""
    content = call_json("compare", "a=plain", "b=sifted", "--price-per-hour", "3.6")
    assert set(content) == {"twin", "jobs", "notes"}
    assert content["twin"] == "a"
    plain, sifted = content["jobs"]
    assert plain["job"] == "a"
    assert sifted["kept_percent"] == pytest.approx(200 / 3)
    assert sifted["accuracy_percent"] == pytest.approx(88)
    assert sifted["cost_money"] == pytest.approx(sifted["billable_seconds"] * 0.001)
    assert content["notes"]


@pytest.mark.usefixtures("twins")
def test_region(call: Call) -> None:
    """Jobs of another region are not there, and the answer says which was asked."""
    answer = call("compare", "plain", "--region", "eu-west-1")
    assert answer.exit_code == 1
    assert "eu-west-1" in answer.stderr
    assert "Traceback" not in answer.output


def test_files_and_folders(call: Call, script: Path, data: Path, tmp_path: Path) -> None:
    """Reports, logs and folders of jobs on this machine need no AWS."""
    report, log = tmp_path / "sift_report.json", tmp_path / "a=b.log"
    PLAIN.report().write(report)
    log.write_text("\n".join(SIFTED.lines()))
    call("run", str(script), "--channel", f"training={data}", "--output", "out", "-q")
    answer = call("compare", f"plain={report}", str(log), "out")
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.startswith("3 jobs, compared to plain")
    assert "Completed" in answer.stdout


def test_pictures(call: Call, tmp_path: Path) -> None:
    """A picture and a page are written where they are asked for."""
    paths = []
    for name, job in (("plain", PLAIN), ("sifted", SIFTED)):
        paths.append(tmp_path / f"{name}.json")
        job.report().write(paths[-1])
    call("compare", *map(str, paths), "--plot", "twins.png", "--html", "twins.html")
    assert Path("twins.png").read_bytes().startswith(b"\x89PNG")
    assert "<table" in Path("twins.html").read_text()


def test_files_that_cannot_be_written(call: Call, tmp_path: Path) -> None:
    """Folders are made; where that is not possible the table stands, and one line says why."""
    report = tmp_path / "plain.json"
    PLAIN.report().write(report)
    assert call("compare", str(report), "--html", "new/jobs.html").exit_code == 0
    assert Path("new/jobs.html").is_file()
    for option, name in (("--html", "jobs.html"), ("--plot", "jobs.png")):
        answer = call("compare", str(report), option, f"{report}/{name}")
        assert answer.exit_code == 1
        assert answer.stdout.startswith("1 job")
        assert answer.stderr.startswith(f"Error: Could not open file '{report}/{name}': ")
        assert len(answer.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "Missing argument"),
        (["x", "--plot", "jobs.foo"], "must end in .png or .svg or .pdf, got 'jobs.foo'"),
        (["a=x", "a=y"], "'a' is given more than once"),
        (["x", "--price-per-hour", "cheap"], "must be a number, or TYPE=NUMBER, got cheap"),
        (["x", "--price-per-hour", "1", "--price-per-hour", "2"], "say for which type each is"),
        (["no_such_job"], "'no_such_job' is neither a file nor the name of a training job"),
    ],
)
def test_what_is_refused(call: Call, arguments: list[str], problem: str) -> None:
    """What cannot be compared is said, with exit code 2."""
    answer = call("compare", *arguments)
    assert answer.exit_code == 2
    assert problem in answer.stderr


@pytest.mark.usefixtures("twins")
def test_prices_by_type(call_json: Callable[..., Any]) -> None:
    """Each type of instance may have a price of its own."""
    content = call_json("compare", "plain", "--price-per-hour", "ml.g5.xlarge=3.6")
    (plain,) = content["jobs"]
    assert plain["cost_money"] == pytest.approx(plain["billable_seconds"] * 0.001)


def test_json_of_an_error_is_empty(call: Call) -> None:
    """An error leaves standard output to nobody's parser: it is empty."""
    answer = call("compare", "no_such_job", "--json")
    assert answer.exit_code == 2
    assert answer.stdout == ""
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(answer.stdout)
