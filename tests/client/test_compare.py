"""`compare`: from jobs of any kind to text, DataFrame, HTML and records."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sift_toolkit import HostSession, sift_estimator
from sift_toolkit.client._compare import Comparison, compare
from sift_toolkit.client._compare_columns import COLUMNS
from sift_toolkit.client._job_facts import JobFacts
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftJobError, SiftUsageError
from sift_toolkit.testing import FakeJob, MockedAws, record_job

KEEP = SiftConfig(keep=0.5, scores="fresh")
SIFTED = FakeJob(KEEP, epochs=3, rows=2000, accuracy=0.9)
PLAIN = FakeJob(KEEP.plain_twin(), epochs=3, rows=2000, accuracy=0.91)


def facts(label: str, **changes: Any) -> JobFacts:
    """Return the facts of a finished job."""
    figures = JobFigures(
        name=label,
        kept_share=1.0 if label == "plain" else 0.5,
        load_seconds=10.0,
        score_seconds=0.0 if label == "plain" else 50.0,
        train_seconds=2990.0 if label == "plain" else 1440.0,
        counted_cost=1.0 if label == "plain" else 0.75,
        passes=1000.0 if label == "plain" else 750.0,
        validation_accuracy=0.93 if label == "plain" else 0.925,
    )
    told = {
        "status": "Completed",
        "elapsed_seconds": 3100.0 if label == "plain" else 1700.0,
        "billable_seconds": 3100.0 if label == "plain" else 1550.0,
        "instance_type": "ml.g5.xlarge",
        "instance_count": 1,
        "spot": False,
        "config": SiftConfig(keep=0.5, enabled=label != "plain"),
        "figures": figures,
    }
    return JobFacts(name=f"{label}-2026", **{**told, **changes})


def twins(price: float | None = None, **more: JobFacts) -> Comparison:
    """Return a plain and a sifted job compared, and others with them."""
    jobs = {"plain": facts("plain"), "sifted": facts("sifted"), **more}
    return compare(jobs, price_per_hour=price)


@pytest.fixture
def recorded(aws: MockedAws) -> MockedAws:
    """An account with twins, and jobs that failed, stopped, still run, and ran on spot."""
    half = FakeJob(KEEP, epochs=3, rows=2000, until=0.5, accuracy=None)
    session = aws.boto_session
    if not session.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]:
        record_job(session, "plain", PLAIN)
        record_job(session, "sifted", SIFTED)
        record_job(session, "logged", SIFTED, charted=False)
        record_job(session, "spot", SIFTED, spot=True, billable_seconds=20)
        record_job(session, "failed", half, status="Failed", failure_reason="out of memory")
        record_job(session, "stopped", half, status="Stopped")
        record_job(session, "running", half, status="InProgress")
    aws.calls.clear()
    return aws


def test_jobs_by_name(recorded: MockedAws) -> None:
    """Finished, failed, stopped and running jobs, on spot, with charts or a log: one table."""
    names = ["plain", "sifted", "logged", "spot", "failed", "stopped", "running"]
    found = compare(names, price_per_hour=3.6, session=recorded.boto_session)
    row: dict[Any, dict[str, Any]] = {record["job"]: record for record in found.records()}
    assert [*row] == names
    assert found.twin == "plain"
    # 60 s of start-up, 66 s of plain training; half of that and a third of all for scoring.
    assert (row["plain"]["billable_seconds"], row["sifted"]["billable_seconds"]) == (126, 116)
    assert row["sifted"]["kept_percent"] == row["logged"]["kept_percent"] == 50.0
    assert row["sifted"]["cost_saved_percent"] == pytest.approx(100 * (1 - 116 / 126))
    assert row["sifted"]["accuracy_difference_points"] == pytest.approx(-1.0)
    assert row["sifted"]["cost_money"] == pytest.approx(0.116)
    assert row["spot"]["elapsed_seconds"] > row["spot"]["billable_seconds"] == 20
    assert row["running"]["billable_seconds"] is None
    for name in ("failed", "stopped", "running"):
        assert row[name]["kept_percent"] is not None
        assert row[name]["cost_saved_percent"] is None
    assert row["failed"]["failure_reason"] == "out of memory"
    said = " ".join(found.notes)
    assert "failed: failed, saying out of memory." in said
    assert "running: not compared, for it is InProgress" in said


def test_jobs_of_every_kind_mix(recorded: MockedAws, tmp_path: Path) -> None:
    """A name, a report, a log and figures stand in one table, each under its label or name."""
    PLAIN.report().write(tmp_path / "sift_report.json")
    (tmp_path / "job.log").write_text("\n".join(SIFTED.lines()))
    jobs = [
        tmp_path / "sift_report.json",
        str(tmp_path / "job.log"),
        "sifted",
        JobFigures(name="by hand", kept_share=0.3),
    ]
    found = compare(jobs, session=recorded.boto_session)
    labels = [str(tmp_path / "sift_report.json"), str(tmp_path / "job.log"), "sifted", "by hand"]
    assert [job.label for job in found.jobs] == labels
    assert found.twin == labels[0]
    savings = [record["training_time_saved_percent"] for record in found.records()]
    assert savings[1] == pytest.approx(savings[2])
    assert savings[3] is None


def test_two_jobs_of_one_name_are_told_apart(recorded: MockedAws) -> None:
    """The same job twice is two rows."""
    found = compare(["sifted", "sifted"], session=recorded.boto_session)
    assert [job.label for job in found.jobs] == ["sifted", "sifted (2)"]


def test_estimators_are_asked_through_their_own_session(
    aws: MockedAws, job_arguments: dict[str, Any]
) -> None:
    """A real estimator's job is found by the estimator; what it has not reported is said."""
    estimator = sift_estimator(KEEP, **{**job_arguments, "sagemaker_session": aws.session})
    with pytest.raises(SiftUsageError, match="has started no job yet"):
        compare([estimator])
    estimator.fit({"training": "s3://bucket/data"}, wait=False, job_name="from-estimator")
    (job,) = compare({"mine": estimator}).jobs
    assert (job.label, job.facts.name, job.facts.status) == ("mine", "from-estimator", "Completed")
    assert job.facts.config == KEEP
    assert job.facts.instance_type == "ml.m5.xlarge"
    assert job.facts.figures.kept_share is None


def test_twins_on_this_machine(tmp_path: Path) -> None:
    """Real jobs of a HostSession are compared by their estimators, cost and all."""
    session = HostSession(tmp_path / "jobs", on_line=lambda _: None)
    jobs = {}
    for name, fake in (("plain", PLAIN), ("sifted", SIFTED)):
        script = tmp_path / f"{name}.py"
        script.write_text(f"print({chr(10).join(fake.lines())!r})\n")
        jobs[name] = sift_estimator(
            fake.config, entry_point=script, role="any", sagemaker_session=session
        )
        jobs[name].fit()
    found = compare(jobs)
    _, sifted = found.jobs
    assert found.twin == "plain"
    assert sifted.facts.status == "Completed"
    assert sifted.accuracy_difference == pytest.approx(-1.0)
    assert sifted.cost_saved is not None


@pytest.mark.parametrize("jobs", ["job-1", Path("x"), 3, None])
def test_one_job_is_no_list(jobs: Any) -> None:
    """A name alone would be a list of letters."""
    with pytest.raises(SiftUsageError, match="compare needs a list of jobs, or a mapping"):
        compare(jobs)


@pytest.mark.parametrize("jobs", [[], {}, iter(())])
def test_no_jobs_are_refused(jobs: Any) -> None:
    """Nothing cannot be compared."""
    with pytest.raises(SiftUsageError, match="at least one job"):
        compare(jobs)


def test_the_text() -> None:
    """Two tables, cost and time, and the notes; a column that nobody has a number for is absent."""
    lines = str(twins(1.41)).splitlines()
    assert lines[:6] == [
        "2 jobs, compared to plain",
        "",
        "                     data  elapsed  billable   cost  saved     cost  accuracy  difference",
        "           status  kept %        s         s  money  money  saved %         %   in points",
        "------  ---------  ------  -------  --------  -----  -----  -------  --------  ----------",
        "plain   Completed   100.0    3,100     3,100  1.214                     93.00",
    ]
    assert lines[6].split() == [
        *("sifted", "Completed", "50.0", "1,700", "1,550", "0.607", "0.607", "50.0", "92.50"),
        "-0.50",
    ]
    assert lines[8].split() == ["load", "score", "train", "training", "counted", "counted"]
    assert lines[11].split() == ["plain", "Completed", "10.0", "0.0", "2,990", "100.0"]
    assert lines[12].split()[2:] == ["10.0", "50.0", "1,440", "50.0", "75.0", "25.0"]
    assert "money" not in str(twins())
    assert all(len(line) <= 100 and line == line.rstrip() for line in lines)


def test_what_is_missing_has_a_dash() -> None:
    """A running job on spot shows how far it is, and a dash where there is no number yet."""
    running = facts(
        "running",
        status="InProgress",
        spot=True,
        billable_seconds=None,
        figures=JobFigures(name="running", progress=0.4),
    )
    lines = str(twins(running=running)).splitlines()
    first, second = (line.split() for line in lines if line.startswith("running  InProgress"))
    assert first[1:] == ["InProgress", "40%,", "spot", "-", "1,700", "-", "-", "-", "-"]
    assert second[4:] == ["-"] * 6


def test_jobs_that_reported_nothing_still_have_their_status() -> None:
    """Where no column has a number the jobs and the notes are left."""
    silent = JobFacts(name="x", status="Failed", figures=JobFigures(name="x"))
    assert str(compare([silent])).splitlines()[5].split() == ["x", "Failed"]


def test_the_data_frame() -> None:
    """All columns are there, numbers as float64, missing ones as NaN, units in the names."""
    frame = twins(silent=JobFacts(name="x", figures=JobFigures(name="x"))).to_pandas()
    assert [*frame.index] == ["plain", "sifted", "silent"]
    assert all(frame[column.key].dtype == "float64" for column in COLUMNS)
    assert frame.loc["sifted", "cost_saved_percent"] == 50.0
    assert frame.loc["plain", "is_twin"]
    assert math.isnan(frame.loc["silent", "kept_percent"])
    assert math.isnan(frame.loc["plain", "cost_money"])
    assert frame["billable_seconds"].sum() == 4650.0
    units = ("percent", "seconds", "money", "points")
    assert all(column.key.endswith(units) for column in COLUMNS)


def test_records_are_json() -> None:
    """Records survive JSON, and hold None where a number is missing."""
    records = twins().records()
    assert json.loads(json.dumps(records, allow_nan=False)) == records
    assert records[0]["cost_saved_percent"] is None


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without pandas or matplotlib is told which one, and how to get it."""
    for package in ("pandas", "matplotlib"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "sift_toolkit.client._compare_plot", raising=False)
    with pytest.raises(SiftJobError, match=r"to_pandas\(\) needs pandas.*pip install pandas"):
        twins().to_pandas()
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    with pytest.raises(SiftJobError, match=r"plot\(\) needs matplotlib"):
        twins().plot()


@pytest.mark.parametrize("width", [80, 120])
def test_rich_takes_nothing_for_markup(width: int) -> None:
    """On a console labels appear as they are, in whatever width there is."""
    file = io.StringIO()
    console = Console(file=file, width=width, color_system=None)
    console.print(compare({"[b]x": facts("plain"), "s": facts("sifted")}))
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0] == "2 jobs, compared to [b]x"
    assert sum(line.startswith(" [b]x ") for line in lines) == 2
    assert any("+0.00" in line or "-0.50" in line for line in lines)


def test_files_need_no_aws_and_no_sdk(tmp_path: Path) -> None:
    """Reports are compared on a machine that has neither boto3 nor the SDK."""
    PLAIN.report().write(tmp_path / "a.json")
    program = (
        "import sys\n"
        "from sift_toolkit import compare\n"
        f"print(compare([{str(tmp_path / 'a.json')!r}]))\n"
        "heavy = {'boto3', 'botocore', 'sagemaker', 'pandas', 'matplotlib', 'torch'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, capture_output=True)


def test_its_repr_is_short() -> None:
    """A comparison in a traceback or a list is one line."""
    assert repr(twins()) == "<Comparison of plain, sifted>"
