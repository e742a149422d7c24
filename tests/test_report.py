"""sift_report.json: written at once, read back whole, and never mistaken for another file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit import SiftConfig, SiftStateError
from sift_toolkit.report import (
    LOSS_PERCENTILES,
    REPORT_FILE,
    REPORT_VERSION,
    ClassTotals,
    Observation,
    SiftReport,
    class_figure,
    kept_figure,
)
from sift_toolkit.testing import FakeJob
from tests.html_page import Page

FINITE = st.floats(allow_nan=False, allow_infinity=False)
LOSSES = st.none() | st.tuples(*[FINITE] * len(LOSS_PERCENTILES))
MOST = 2**63 - 1
COUNTS = st.integers(0, MOST)
CLASSES = st.lists(st.tuples(st.integers(-MOST, MOST), COUNTS, COUNTS)).map(
    lambda rows: ClassTotals(
        labels=tuple(label for label, _, _ in rows),
        seen=tuple(seen for _, seen, _ in rows),
        chosen=tuple(chosen for _, _, chosen in rows),
    )
)
REPORTS = st.builds(
    SiftReport,
    config=st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | FINITE),
    notes=st.lists(st.text()),
    observations=st.lists(
        st.builds(
            Observation,
            values=st.dictionaries(st.text(), FINITE),
            kept_losses=LOSSES,
            dropped_losses=LOSSES,
            stuck_ids=st.lists(COUNTS).map(tuple),
            classes=st.none() | CLASSES,
        ),
        max_size=5,
    ),
)


EMPTY: dict[str, Any] = {"values": {}, "kept_losses": None, "dropped_losses": None}
"""An observation as reports had it before there was more to tell."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / REPORT_FILE


def small_report() -> SiftReport:
    """Return a report of three observations, one of them with a metric of its own."""
    return SiftReport(
        config={"sagemaker_sift_keep": 0.5},
        notes=["scores come from memory"],
        observations=[
            Observation(values={"kept_share": 1.0}),
            Observation(values={"kept_share": 0.5, "validation_accuracy": 0.9}),
            Observation(values={"kept_share": 0.25}, kept_losses=(1, 2, 3, 4, 5)),
        ],
    )


@given(report=REPORTS)
def test_a_report_is_read_back_whole(
    tmp_path_factory: pytest.TempPathFactory, report: SiftReport
) -> None:
    """What is read equals what was written, any text and finite number in it."""
    path = tmp_path_factory.getbasetemp() / REPORT_FILE
    report.write(path)
    assert SiftReport.read(path) == report


def test_mappings_of_any_kind_are_written(path: Path) -> None:
    """Read-only views of a config and of values are written like dicts."""
    values = MappingProxyType({"kept_share": 0.5})
    SiftReport(config=values, observations=[Observation(values=values)]).write(path)
    back = SiftReport.read(path)
    assert back.config == {"kept_share": 0.5}
    assert back.last("kept_share") == 0.5


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_left_out(path: Path, value: float) -> None:
    """A training that diverged still leaves a report, which is valid JSON."""
    observation = Observation(values={"train_loss": value, "kept_share": 0.5})
    SiftReport(observations=[observation]).write(path)
    assert SiftReport.read(path).observations == [Observation(values={"kept_share": 0.5})]


def test_a_report_says_what_its_numbers_are(path: Path) -> None:
    """The file names its version and its percentiles."""
    small_report().write(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["version"] == REPORT_VERSION
    assert content["loss_percentiles"] == list(LOSS_PERCENTILES)


def test_a_report_replaces_the_one_before(path: Path) -> None:
    """Writing again leaves one whole file and nothing beside it."""
    SiftReport().write(path)
    small_report().write(path)
    assert SiftReport.read(path) == small_report()
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_report_before(path: Path) -> None:
    """A report that cannot be written as JSON does not harm the file there was."""
    small_report().write(path)
    with pytest.raises(TypeError):
        SiftReport(config={"data": object()}).write(path)
    assert SiftReport.read(path) == small_report()


def test_a_series_is_the_values_of_one_metric() -> None:
    """A series skips the observations that do not hold the metric."""
    report = small_report()
    assert report.series("kept_share") == [(0, 1.0), (1, 0.5), (2, 0.25)]
    assert report.series("validation_accuracy") == [(1, 0.9)]
    assert report.series("unheard_of") == []


def test_the_last_value_of_a_metric() -> None:
    """The last value is the newest one, None for a metric never reported."""
    assert small_report().last("validation_accuracy") == 0.9
    assert small_report().last("unheard_of") is None


def test_the_stuck_samples_are_those_named_last() -> None:
    """The samples stuck at the top are those of the last observation that names any."""
    report = small_report()
    assert report.stuck_ids == []
    for ids in ((3, 1), (4, 2), ()):
        report.observations.append(Observation(values={}, stuck_ids=ids))
    assert report.stuck_ids == [4, 2]


def test_a_report_may_name_no_stuck_samples(path: Path) -> None:
    """Observations written before samples were named are read all the same."""
    whole = {"version": 1, "config": {}, "notes": [], "observations": [EMPTY]}
    path.write_text(json.dumps(whole), encoding="utf-8")
    assert SiftReport.read(path).observations == [Observation(values={})]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"\xff\xfe\x00binary", id="binary"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{}", id="no version"),
        pytest.param(b'{"version": null}', id="version of no kind"),
        pytest.param(b'{"version": "one"}', id="version in letters"),
        pytest.param(b'{"version": 1}', id="no content"),
    ],
)
def test_other_files_are_refused(path: Path, content: bytes) -> None:
    """A file that is no report is refused by its name, whatever is in it."""
    path.write_bytes(content)
    with pytest.raises(SiftStateError, match=rf"{REPORT_FILE} is not a sift report: "):
        SiftReport.read(path)


@pytest.mark.parametrize(
    "part",
    [
        {"config": 1},
        {"notes": 1},
        {"observations": 1},
        {"observations": [1]},
        {"observations": [{"values": {}}]},
        {"observations": [{"values": 1, "kept_losses": None, "dropped_losses": None}]},
        {"observations": [{"values": {}, "kept_losses": 1, "dropped_losses": None}]},
        {"observations": [{**EMPTY, "classes": 1}]},
        {"observations": [{**EMPTY, "classes": {"labels": [1], "seen": [2]}}]},
        {"observations": [{**EMPTY, "classes": {"labels": [1], "seen": [2], "chosen": []}}]},
    ],
    ids=str,
)
def test_broken_reports_are_refused(path: Path, part: dict[str, Any]) -> None:
    """A report with a part of the wrong kind is refused, not read in half."""
    whole = {"version": REPORT_VERSION, "config": {}, "notes": [], "observations": []}
    path.write_text(json.dumps(whole | part), encoding="utf-8")
    with pytest.raises(SiftStateError, match="is not a sift report"):
        SiftReport.read(path)


def test_a_newer_report_is_refused_in_words(path: Path) -> None:
    """A report of a later version says so, although its content is unknown."""
    path.write_text(json.dumps({"version": REPORT_VERSION + 1}), encoding="utf-8")
    with pytest.raises(SiftStateError, match="report version 2, this package reads up to 1"):
        SiftReport.read(path)


def test_a_missing_file_is_missing(path: Path) -> None:
    """A file that is not there is reported as the system does."""
    with pytest.raises(FileNotFoundError):
        SiftReport.read(path)


def test_the_ids_stuck_at_the_top_are_those_last_named(path: Path) -> None:
    """Only an epoch's end names them; a report written before they were known has none."""
    report = SiftReport(
        observations=[
            Observation(values={}, stuck_ids=[1]),
            Observation(values={}, stuck_ids=[7, 3]),
            Observation(values={}),
        ]
    )
    report.write(path)
    assert SiftReport.read(path).stuck_ids == report.stuck_ids == [7, 3]
    content = json.loads(path.read_text(encoding="utf-8"))
    for observation in content["observations"]:
        del observation["stuck_ids"]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert SiftReport.read(path).stuck_ids == []


def test_the_classes_are_those_last_told(path: Path) -> None:
    """Only an epoch's end tells them; their shares are written beside them, for other readers."""
    first = ClassTotals(labels=(3,), seen=(4,), chosen=(1,))
    last = ClassTotals(labels=(-1, 3), seen=(0, 8), chosen=(0, 6))
    report = SiftReport(
        observations=[
            Observation(values={}, classes=first),
            Observation(values={}, classes=last),
            Observation(values={}),
        ]
    )
    report.write(path)
    assert SiftReport.read(path).classes == report.classes == last
    assert SiftReport().classes is None
    assert last.kept_shares == [1.0, 0.75]
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["observations"][1]["classes"] == {
        "labels": [-1, 3],
        "seen": [0, 8],
        "chosen": [0, 6],
        "kept_shares": [1.0, 0.75],
    }


@pytest.mark.parametrize(
    "change",
    [
        {"values": {"progress": "<b>"}},
        {"values": {"progress": math.nan}},
        {"values": [1]},
        {"kept_losses": [1.0]},
        {"dropped_losses": ["a"] * 5},
        {"stuck_ids": ["row"]},
        {"classes": {"labels": ["cat"], "seen": [1], "chosen": [1]}},
    ],
)
def test_what_is_no_number_is_no_report(change: dict[str, Any]) -> None:
    """Nothing but numbers is taken out of a report's observations."""
    content = json.loads(SiftReport().to_json())
    content["observations"] = [{**EMPTY, **change}]
    with pytest.raises(SiftStateError, match="x is not a sift report"):
        SiftReport.from_json(json.dumps(content), "x")


class TestShown:
    """How a report looks."""

    def test_on_a_terminal(self) -> None:
        """Its text is what came of the job; its repr is short, whatever it holds."""
        report = FakeJob(SiftConfig(keep=0.5)).report()
        report.observations.append(Observation(values={}, stuck_ids=tuple(range(20))))
        assert repr(report) == f"<SiftReport of {len(report.observations)} observations>"
        lines = str(report).splitlines()
        assert "kept              66.7% of the samples seen" in lines
        assert "stuck at the top  20: ids 0, 1, 2, 3, 4, 5, 6, 7 and 12 more" in lines
        assert str(SiftReport()) == "observations  0"

    def test_in_a_notebook(self) -> None:
        """A table and charts; what notes say stays text."""
        report = FakeJob(SiftConfig(keep=0.5)).report()
        report.notes.append("<script>alert('&')</script>")
        page = Page(report._repr_html_())
        assert page.open == []
        assert "<script>alert('&')</script>" in page.words
        assert page.tags.count("svg") == 2
        assert "svg" not in Page(SiftReport()._repr_html_()).tags

    def test_what_was_kept_from_one_point_to_the_next(self) -> None:
        """Totals since the start become shares of what came in between."""
        totals = ((100, 0), (200, 50), (200, 50), (300, 150))
        report = SiftReport(
            observations=[
                Observation(
                    values={
                        "progress": index / 4,
                        "samples_seen": seen,
                        "samples_dropped": dropped,
                        "kept_share": 1 - dropped / seen,
                    }
                )
                for index, (seen, dropped) in enumerate(totals, 1)
            ]
        )
        figure = kept_figure(report)
        assert figure is not None
        cells = Page(figure.table).words[-12:]
        assert cells[2::3] == ["100.0", "50.0", "-", "0.0"]

    def test_of_many_classes_both_ends_are_shown(self) -> None:
        """Thirty of them, least and most kept, and it is said."""
        number = 1000
        classes = ClassTotals(
            labels=range(number), seen=[number] * number, chosen=list(range(number))
        )
        figure = class_figure(SiftReport(observations=[Observation(values={}, classes=classes)]))
        assert figure is not None
        assert Page(figure.table).tags.count("tr") == 1 + 30
        assert figure.note == "The 30 of 1,000 classes least and most kept."
        assert {"0", "14", "985", "999"} <= set(Page(figure.table).words)

    def test_without_progress_steps_tell_the_time(self) -> None:
        """An endless training has no share done; a script that tells neither has a number."""
        axes = {"training_steps": "training done [steps]", "epoch": "observation [number]"}
        for name, axis in axes.items():
            seen = Observation(values={name: 3.0, "kept_share": 0.5})
            figure = kept_figure(SiftReport(observations=[seen]))
            assert figure is not None
            assert axis in Page(figure.chart).words
