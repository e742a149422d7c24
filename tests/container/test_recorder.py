"""Observations become lines, each in one write, and a report that is there however a job ends."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sift_toolkit import METRICS, SiftConfig
from sift_toolkit.container._recorder import MetricRecorder, is_first_rank, recorders_in
from sift_toolkit.metrics import read_lines, read_series
from sift_toolkit.report import REPORT_FILE, Observation, SiftReport

CONFIG = SiftConfig(keep=0.5)


def observation(**values: float) -> Observation:
    """Return an observation of some metrics."""
    return Observation(values=values)


def report_in(folder: Path) -> SiftReport:
    """Return the report as a reader finds it now."""
    return SiftReport.read(folder / REPORT_FILE)


def ticking(*seconds: float) -> Callable[[], float]:
    """Return a clock that says these times, and the last one from then on."""
    times: Iterator[float] = itertools.chain(seconds, itertools.repeat(seconds[-1]))
    return lambda: next(times)


def test_every_metric_is_printed_and_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    """Each value of an observation is a line of its own, in the order metrics are declared."""
    values = {metric.name: number / 7 for number, metric in enumerate(METRICS)}
    MetricRecorder(CONFIG, None)(Observation(values=dict(reversed(values.items()))))

    points = list(read_lines(capsys.readouterr().out.splitlines()))

    assert [(metric, values[metric.name]) for metric in METRICS] == points


def test_only_finite_numbers_are_printed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A training that diverges prints no NaN, and its report stays readable."""
    recorder = MetricRecorder(CONFIG, tmp_path)
    recorder(observation(train_loss=math.nan, estimated_saving=-math.inf, kept_share=0.5))

    assert capsys.readouterr().out == "[sift] kept_share=0.5;\n"
    assert report_in(tmp_path).observations == [observation(kept_share=0.5)]


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="needs a pipe that keeps writes apart")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_line_is_one_write(unbuffered: str) -> None:
    """Lines of several processes on one pipe cannot cut each other, buffered or not."""
    script = """
        from sift_toolkit import SiftConfig
        from sift_toolkit.container._recorder import MetricRecorder
        from sift_toolkit.report import Observation
        recorder = MetricRecorder(SiftConfig(keep=0.5), None)
        recorder.note("hello")
        recorder(Observation(values={"progress": 0.25, "kept_share": 0.5}))
    """
    # In a pipe of packets each read returns what one write wrote.
    reader, writer = os.pipe2(os.O_DIRECT)
    with os.fdopen(writer, "wb") as end:
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)],
            stdout=end,
            check=True,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    writes = []
    while packet := os.read(reader, 4096):
        writes.append(packet)
    os.close(reader)

    assert writes == [
        b"[sift] note: hello\n",
        b"[sift] progress=0.25;\n",
        b"[sift] kept_share=0.5;\n",
    ]


@pytest.mark.parametrize("variable", ["RANK", "OMPI_COMM_WORLD_RANK", "LOCAL_RANK", "NODE_RANK"])
def test_only_the_first_rank_speaks(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    variable: str,
) -> None:
    """Of many processes one prints and one writes the report."""
    for rank in ("0", "1"):
        monkeypatch.setenv(variable, rank)
        recorder = MetricRecorder(CONFIG, tmp_path / rank)
        recorder(observation(kept_share=0.5))
        recorder.note("hello")
        recorder.write()

    assert not is_first_rank()
    assert capsys.readouterr().out == "[sift] kept_share=0.5;\n[sift] note: hello\n"
    assert (tmp_path / "0" / REPORT_FILE).is_file()
    assert not (tmp_path / "1").exists()


def test_a_note_is_kept_and_never_read_as_a_metric(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Words that look like a metric's line are words all the same."""
    recorder = MetricRecorder(CONFIG, tmp_path)
    recorder.note("kept_share=0.5;")
    recorder.write()

    assert list(read_lines(capsys.readouterr().out.splitlines())) == []
    assert report_in(tmp_path).notes == ["kept_share=0.5;"]


def test_the_report_holds_the_config(tmp_path: Path) -> None:
    """The report says what was asked for, as it was sent."""
    recorder = MetricRecorder(CONFIG, tmp_path)
    recorder(observation(kept_share=0.5))

    assert report_in(tmp_path).config == CONFIG.to_hyperparameters()


def test_the_report_is_written_now_and_then(tmp_path: Path) -> None:
    """The first observation is written at once, those after it every 5 seconds."""
    clock = ticking(0, 0, 0, 4.9, 5, 5, 5)
    recorder = MetricRecorder(CONFIG, tmp_path, clock=clock)
    lengths = []
    for _ in range(3):
        recorder(observation(kept_share=0.5))
        lengths.append(len(report_in(tmp_path).observations))

    assert lengths == [1, 1, 3]


def test_a_long_report_is_written_less_often(tmp_path: Path) -> None:
    """Where one writing takes 2 seconds, the next comes after 100: at most 2 % of the time."""
    clock = ticking(0, 0, 2, 101.9, 102, 102)
    recorder = MetricRecorder(CONFIG, tmp_path, clock=clock)
    lengths = []
    for _ in range(3):
        recorder(observation(kept_share=0.5))
        lengths.append(len(report_in(tmp_path).observations))

    assert lengths == [1, 1, 3]


def test_what_is_written_already_is_not_written_again(tmp_path: Path) -> None:
    """Nothing new, no new file."""
    recorder = MetricRecorder(CONFIG, tmp_path)
    recorder(observation(kept_share=0.5))
    before = (tmp_path / REPORT_FILE).stat().st_ino
    recorder.write()

    assert (tmp_path / REPORT_FILE).stat().st_ino == before


@pytest.mark.parametrize("ending", ["raise ValueError('boom')", "raise SystemExit(3)", ""])
def test_the_report_is_whole_when_the_process_ends(tmp_path: Path, ending: str) -> None:
    """However a script ends, the last observation is in the report."""
    script = f"""
        import pathlib
        from sift_toolkit import SiftConfig
        from sift_toolkit.container._recorder import MetricRecorder
        from sift_toolkit.report import Observation
        recorder = MetricRecorder(SiftConfig(keep=0.5), pathlib.Path({str(tmp_path)!r}))
        for share in (1.0, 0.75, 0.5):
            recorder(Observation(values={{"kept_share": share}}))
        {ending}
    """
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, check=False
    )

    assert report_in(tmp_path).series("kept_share") == [(0, 1.0), (1, 0.75), (2, 0.5)]


def test_a_report_that_cannot_be_written_ends_no_training(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A full disk costs the report, which is said once."""
    (tmp_path / "data").touch()
    recorder = MetricRecorder(CONFIG, tmp_path / "data", clock=ticking(0, 0, 0, 9, 9, 9, 18))
    for _ in range(2):
        recorder(observation(kept_share=0.5))

    assert capsys.readouterr().out.count("note: the report cannot be written: ") == 1

    (tmp_path / "data").unlink()
    recorder(observation(kept_share=0.5))
    assert len(report_in(tmp_path / "data").observations) == 3


def test_a_second_loader_has_a_report_of_its_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Two loaders of one script do not write over each other, and it is said."""
    first, second, third = (MetricRecorder(CONFIG, tmp_path) for _ in range(3))
    first(observation(kept_share=1.0))
    second(observation(kept_share=0.5))
    third(observation(kept_share=0.25))

    assert report_in(tmp_path).last("kept_share") == 1.0
    for number, share in ((2, 0.5), (3, 0.25)):
        other = SiftReport.read(tmp_path / f"sift_report_{number}.json")
        assert other.last("kept_share") == share
        assert f"its report is sift_report_{number}.json" in other.notes[0]
    series = {
        metric.name: values
        for metric, values in read_series(capsys.readouterr().out.splitlines()).items()
    }
    assert series == {"kept_share": [1.0, 0.5, 0.25]}


def test_a_report_goes_on_from_another(tmp_path: Path) -> None:
    """What an interrupted job had told comes first; what both decided is told once."""
    before = SiftReport(notes=["scores: fresh", "going on"], observations=[observation(epoch=1)])
    recorder = MetricRecorder(CONFIG, tmp_path)
    recorder.note("scores: fresh")
    recorder.note("of the new job")
    recorder(observation(epoch=2))
    recorder.go_on_from(before)
    recorder.write()

    report = report_in(tmp_path)
    assert report.notes == ["scores: fresh", "going on", "of the new job"]
    assert report.observations == [observation(epoch=1), observation(epoch=2)]


def test_the_recorders_of_a_folder(tmp_path: Path) -> None:
    """Each by the name of its report, those of other folders left out."""
    first, second = (MetricRecorder(CONFIG, tmp_path / "job") for _ in range(2))
    MetricRecorder(CONFIG, tmp_path / "other")
    MetricRecorder(CONFIG, None)

    assert recorders_in(tmp_path / "job") == {
        "sift_report.json": first,
        "sift_report_2.json": second,
    }
