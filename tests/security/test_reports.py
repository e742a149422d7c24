"""Reports, logs and outcomes may be anybody's: read within bounds, or refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit import SiftStateError
from sift_toolkit.client._compare import compare
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.client._job_folder import folder_facts
from sift_toolkit.client._job_source import JobSources
from sift_toolkit.client._log_lines import LineJoiner
from sift_toolkit.contract import JobTree, read_log
from sift_toolkit.metrics import KEPT_SHARE, TRAIN_SECONDS, read_line, read_lines
from sift_toolkit.report import MOST_BYTES, SiftReport

EMPTY: dict[str, Any] = {"values": {}, "kept_losses": None, "dropped_losses": None}
WHOLE: dict[str, Any] = {"version": 1, "config": {}, "notes": [], "observations": [EMPTY]}
HUGE = 10**400

WRONG = {
    "version is infinite": {"version": float("inf")},
    "version is text": {"version": "1"},
    "config is a list": {"config": [["a", 1]]},
    "config holds a list": {"config": {"a": [1]}},
    "config holds NaN": {"config": {"a": float("nan")}},
    "notes are text": {"notes": "text"},
    "a note is a number": {"notes": [1]},
    "observations are an object": {"observations": {}},
    "an observation is a list": {"observations": [["values"]]},
    "values are pairs": {"observations": [{**EMPTY, "values": [["kept_share", 1]]}]},
    "a value is text": {"observations": [{**EMPTY, "values": {"kept_share": "0.5"}}]},
    "a value is NaN": {"observations": [{**EMPTY, "values": {"kept_share": float("nan")}}]},
    "a value is too large": {"observations": [{**EMPTY, "values": {"kept_share": HUGE}}]},
    "a value is true": {"observations": [{**EMPTY, "values": {"kept_share": True}}]},
    "losses are text": {"observations": [{**EMPTY, "kept_losses": "abcde"}]},
    "losses are too many": {"observations": [{**EMPTY, "kept_losses": [0.1] * 6}]},
    "ids are text": {"observations": [{**EMPTY, "stuck_ids": "abc"}]},
    "an id is a list": {"observations": [{**EMPTY, "stuck_ids": [[1]]}]},
    "classes are a list": {"observations": [{**EMPTY, "classes": [1]}]},
    "a label is text": {
        "observations": [{**EMPTY, "classes": {"labels": ["a"], "seen": [1], "chosen": [1]}}]
    },
    "a count is too large": {
        "observations": [{**EMPTY, "classes": {"labels": [0], "seen": [HUGE], "chosen": [1]}}]
    },
    "an id is too large": {"observations": [{**EMPTY, "stuck_ids": [2**63]}]},
}


@pytest.mark.parametrize("part", WRONG.values(), ids=WRONG)
def test_a_report_of_another_form_is_refused(part: dict[str, Any]) -> None:
    """What is of another type than ours, or no number to reckon with, is not read in half."""
    with pytest.raises(SiftStateError, match="the file is not a sift report") as caught:
        SiftReport.from_json(json.dumps(WHOLE | part), "the file")
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"version":' * 100_000, '{"version": ' + "1" * 9999 + "}", b"\xff\xfe"]
)
def test_a_report_that_is_no_json_is_refused(text: str | bytes) -> None:
    """Nested without end, with digits without end, or no text: the same error."""
    with pytest.raises(SiftStateError, match="is not a sift report"):
        SiftReport.from_json(text, "the file")


def test_a_huge_report_is_refused_unread(tmp_path: Path) -> None:
    """A file of gigabytes is none of ours, and is not read to find that out."""
    file = tmp_path / "sift_report.json"
    with file.open("wb") as sparse:
        sparse.truncate(MOST_BYTES + 1)
    with pytest.raises(SiftStateError, match="at most"):
        SiftReport.read(file)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400])
def test_a_number_beyond_all_is_none(number: str) -> None:
    """A line whose number is infinite reports nothing."""
    assert read_line(f"[sift] kept_share={number};") is None


def test_numbers_that_no_job_reports_are_left_out() -> None:
    """Figures are sums and products: of what is negative or overflows there are none."""
    lines = [f"[sift] train_seconds={number};" for number in ("-5.0", "1e300", "2.0", "1e16")]
    figures = JobFigures.from_lines(["[sift] train_loss=1e300;", *lines], name="job")
    assert figures.train_seconds == 2.0
    assert figures.train_loss == 1e300
    assert not KEPT_SHARE.may_be(float("nan"))
    assert TRAIN_SECONDS.may_be(0.0)


def test_any_log_can_be_compared_and_drawn(tmp_path: Path) -> None:
    """Numbers at the edges of what is read neither end a comparison nor its picture."""
    names = ("kept_share", "load_seconds", "score_seconds", "train_seconds", "counted_cost")
    edges = ("0.0", "1e-300", "-1e15", "1e15", "5e-324", "1e308")
    logs = []
    for edge in edges:
        log = tmp_path / f"{edge}.log"
        lines = [f"[sift] {name}={edge};" for name in (*names, "validation_accuracy")]
        log.write_text("\n".join(["[sift] samples_seen=8.0;", "[sift] kept_share=1.0;", *lines]))
        logs.append(str(log))
    for pair in zip(logs, reversed(logs), strict=True):
        comparison = compare(pair)
        assert "nan" not in str(comparison)
        comparison.plot(tmp_path / "picture.png")
        json.dumps(comparison.records(), allow_nan=False)


def test_a_log_without_line_ends_comes_in_pieces(tmp_path: Path) -> None:
    """A line of a hundred megabytes is never held as a whole; what is no text is replaced."""
    log = tmp_path / "job.log"
    with log.open("wb") as file:
        for _ in range(100):
            file.write(b"\xff" * 1_000_000)
        file.write(b"\n[sift] kept_share=0.5;\n")
    longest = 0
    for line in read_log(log):
        longest = max(longest, len(line))
    assert longest <= 1 << 16
    assert JobFigures.from_lines(read_log(log), name="job").kept_share == 0.5


def test_pieces_that_never_become_a_metric_are_let_go() -> None:
    """A log that always looks as if a metric were to come costs no more than any other."""
    joiner = LineJoiner()
    pieces = ["[sift] a", *["a" * 100] * 2000, *["[sift] b"] * 100]
    came = [line for piece in pieces for line in joiner.take(piece)]
    assert len(came) + len(list(joiner.rest())) == len(pieces)
    assert list(read_lines(came)) == []


@pytest.mark.parametrize(
    "name", ["x" * 5000, "nul\0", "../../etc\n", ""], ids=lambda name: name[:4]
)
def test_a_name_that_is_no_file_is_refused(name: str) -> None:
    """Too long, or with a null byte: no job is called so, and no file."""
    from sift_toolkit import SiftUsageError

    with pytest.raises(SiftUsageError, match="neither a file nor the name"):
        JobSources().find(name)


@pytest.mark.parametrize(
    "outcome",
    [
        "[]",
        "[" * 99_999,
        '{"seconds": "1"}',
        '{"seconds": 1e999}',
        '{"seconds": -1}',
        '{"status": 5}',
    ],
    ids=lambda text: text[:16],
)
def test_an_outcome_of_another_form_is_refused(tmp_path: Path, outcome: str) -> None:
    """What a job's folder says of its end may have been written by the job itself."""
    tree = JobTree(tmp_path)
    tree.log_file.touch()
    tree.outcome_file.write_text(outcome)
    with pytest.raises(SiftStateError, match="does not tell how a job ended"):
        folder_facts("job", tree)
