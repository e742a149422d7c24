"""Text of somebody else's in a log, a table or a page: one line, and no metric of ours."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from sift_toolkit import METRICS, SiftConfig
from sift_toolkit.cli._app import app
from sift_toolkit.client._compare import Comparison, compare
from sift_toolkit.client._job_facts import JobFacts
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.client._progress import JobProgress
from sift_toolkit.container._recorder import MetricRecorder
from sift_toolkit.metrics import read_line, read_lines
from sift_toolkit.outside import one_line, shown
from sift_toolkit.report import SiftReport

FAKE = "[sift] validation_accuracy=1.0;"
ESCAPES = "\x1b[2J\x1b]0;title\x07\x9b31m"
HOSTILE = f"job\n{FAKE}\r{FAKE} {ESCAPES}\u2028{FAKE}\u202e$\\frac$[red][/]<b>&\ud800"


def assert_harmless(text: str) -> None:
    """Nothing in text moves a cursor, reads as a metric or cannot be encoded."""
    text.encode("utf-8")
    assert all(sign == "\n" or sign.isprintable() for sign in text)
    assert list(read_lines(re.split(r"[\n\r\x85\u2028\u2029]", text))) == []


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_no_metric_is_read_out_of_a_note(
    metric: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """A note that repeats a metric's line, on a line of its own or not, is charted by nobody."""
    line = metric.line(0.5)  # type: ignore[attr-defined] # a Metric
    assert read_line(line) is not None
    MetricRecorder(SiftConfig(keep=0.5), None).note(f"cannot write '{line}\n{line}'")
    printed = capsys.readouterr().out
    assert printed.startswith("[sift] note: cannot write ")
    assert printed.count("\n") == 1
    assert_harmless(printed)


def test_a_note_of_any_text_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Line ends of every kind and escapes become blanks."""
    MetricRecorder(SiftConfig(keep=0.5), None).note(HOSTILE)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert_harmless(printed)


def test_a_note_is_printed_where_the_log_knows_few_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs that the log's encoding does not have are spelled out: a note ends no training."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    MetricRecorder(SiftConfig(keep=0.5), None).note("gr\u00fc\u00dfe")
    assert raw.getvalue() == b"[sift] note: gr\\xfc\\xdfe\n"


def test_no_metric_is_read_out_of_an_error() -> None:
    """A traceback is in the log too: a value that an error shows is none of its lines."""
    with pytest.raises(ValueError, match="keep must be") as caught:
        SiftConfig.from_hyperparameters({"sagemaker_sift_keep": f"x\n{FAKE}"})
    assert_harmless(str(caught.value))
    assert_harmless(shown({HOSTILE: [HOSTILE]}))


def test_a_value_that_cannot_be_shown_is_told_so() -> None:
    """Whatever comes of a value's own way to show itself, it is not an error of its own."""

    class Bad:
        def __repr__(self) -> str:
            raise KeyError

    knot: list[object] = []
    for _ in range(5000):
        knot = [knot]
    assert shown(Bad()) == "a Bad that cannot be shown" or "Bad instance" in shown(Bad())
    assert shown(knot).startswith("[[[")
    assert one_line("a\tb\x00c") == "a b c"


def hostile_comparison() -> Comparison:
    """Return a comparison in which all that can be text is hostile."""
    figures = JobFigures(name=HOSTILE, kept_share=1.0, train_seconds=10.0, validation_accuracy=0.9)
    twin = JobFacts(name=HOSTILE, status="Completed", hyperparameters_known=True, figures=figures)
    bad = JobFacts(
        name="bad",
        status=HOSTILE,
        stage=HOSTILE,
        failure_reason=HOSTILE,
        instance_type=HOSTILE,
        notes=(HOSTILE,),
        figures=figures,
    )
    return compare({HOSTILE: twin, f"{HOSTILE}2": bad})


def test_a_comparison_is_harmless_as_text() -> None:
    """Names of jobs, their status, reasons and notes move no cursor."""
    assert_harmless(str(hostile_comparison()))


def test_a_comparison_is_harmless_on_a_terminal() -> None:
    """Nothing is taken for markup of rich's, or for an escape of the terminal's."""
    console = Console(file=io.StringIO(), width=500, color_system=None)
    console.print(hostile_comparison())
    printed = console.file.getvalue()  # type: ignore[attr-defined] # a StringIO
    assert_harmless(printed)
    assert "[red][/]" in printed


def test_a_comparison_is_harmless_as_a_page(tmp_path: Path) -> None:
    """Nothing is taken for HTML, or for a formula of the picture's."""
    page = hostile_comparison().to_html()
    assert_harmless(page)
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;" in page
    hostile_comparison().plot(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 1000


def test_what_is_said_of_a_running_job_is_harmless() -> None:
    """Lines about a job, its reason among them, are printed without escapes of theirs."""
    console = Console(file=io.StringIO(), width=500, color_system=None)
    JobProgress("job", console=console).say(f"failed: {HOSTILE}\nand more")
    printed = console.file.getvalue()  # type: ignore[attr-defined] # a StringIO
    assert_harmless(printed)
    assert printed.endswith("and more\n")


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_line_is_harmless(tmp_path: Path, as_json: bool) -> None:
    """What a report says is described and compared without escapes, and as JSON that reads back."""
    file = tmp_path / "sift_report.json"
    report = SiftReport(config={"sagemaker_sift_keep": HOSTILE}, notes=[HOSTILE])
    file.write_text(report.to_json(), encoding="utf-8")
    for command in ("describe", "compare"):
        options = ["--json"] if as_json else []
        answer = CliRunner().invoke(app, [command, str(file), *options])
        assert answer.exit_code == 0, answer.output
        assert_harmless(answer.stdout)
        if as_json:
            assert json.loads(answer.stdout)


def test_a_file_may_be_called_anything(tmp_path: Path) -> None:
    """The name of a log or report is printed as one line, too."""
    log = tmp_path / "a\n[sift] kept_share=0.1; \x1b[2Jb.log"
    log.write_text("[sift] kept_share=0.5;\n")
    answer = CliRunner().invoke(app, ["describe", str(log)])
    assert answer.exit_code == 0, answer.output
    assert_harmless(answer.stdout)
    assert_harmless(str(compare([str(log)])))
