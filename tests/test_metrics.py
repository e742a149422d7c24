"""Metrics: what a job prints is what a reader gets back."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.metrics import (
    KEPT_SHARE,
    METRICS,
    SAMPLES_SEEN,
    TRAIN_LOSS,
    Metric,
    metric_named,
    read_line,
    read_lines,
    read_series,
)

# Limits of MetricDefinition in SageMaker's API.
MOST_DEFINITIONS = 40
LONGEST_NAME = 255
LONGEST_REGEX = 500

FINITE = st.floats(allow_nan=False, allow_infinity=False)
# What container runtimes, loggers and torchrun put before a line; never a whole metric line.
PREFIXES = st.text().filter(lambda text: "[sift]" not in text) | st.sampled_from(
    [
        "\x1b[36mabc-algo-1-xyz  |\x1b[0m ",
        "2026-11-22T21:50:00.123Z algo-1 INFO:root:",
        "[default0]:",
        "[1,mpirank:0,algo-1]<stdout>:",
        "[sift] ",
        "[sift] kept_share=0.25 ",
        "loss=1; kept_share=1; ",
    ]
)


def same_float(one: float, other: float) -> bool:
    """Whether two floats are one, the sign of zero included."""
    return one == other and math.copysign(1, one) == math.copysign(1, other)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
class TestEachMetric:
    """What holds for every metric there is."""

    @given(value=FINITE, prefix=PREFIXES, suffix=st.sampled_from(["", "\n", "\r\n", " [sift]"]))
    def test_a_line_gives_back_the_exact_float(
        self, metric: Metric, value: float, prefix: str, suffix: str
    ) -> None:
        """Any finite float is read back bit for bit, whatever stands around its line."""
        point = read_line(prefix + metric.line(value) + suffix)
        assert point is not None
        assert point[0] is metric
        assert same_float(point[1], value)

    @given(value=FINITE)
    def test_no_other_metric_finds_its_line(self, metric: Metric, value: float) -> None:
        """A line is found by its own metric's regex and by no other one."""
        line = metric.line(value)
        assert [each for each in METRICS if re.search(each.regex, line)] == [metric]

    def test_its_definition_is_within_the_limits(self, metric: Metric) -> None:
        """A definition has exactly one group and the length that SageMaker accepts."""
        definition = metric.definition
        assert definition == {"Name": f"sift:{metric.name}", "Regex": metric.regex}
        assert re.compile(definition["Regex"]).groups == 1
        assert 0 < len(definition["Regex"]) <= LONGEST_REGEX
        assert len(definition["Name"]) <= LONGEST_NAME

    def test_it_documents_itself(self, metric: Metric) -> None:
        """A metric has a unit and a line of help."""
        assert metric.unit
        assert metric.help

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_it_refuses_what_cannot_be_charted(self, metric: Metric, value: float) -> None:
        """NaN and infinities are refused where they are printed: CloudWatch would drop them."""
        with pytest.raises(ValueError, match=f"{metric.name} must be finite, got {value!r}"):
            metric.line(value)


def test_names_are_unique() -> None:
    """No two metrics share a name."""
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_there_is_room_for_the_users_own() -> None:
    """All metrics together leave at least half of the allowed definitions to the user."""
    assert len(METRICS) <= MOST_DEFINITIONS // 2


def test_the_line_is_what_the_docs_say() -> None:
    """One metric a line, ended by a semicolon."""
    assert KEPT_SHARE.line(0.5) == "[sift] kept_share=0.5;"


def test_counts_are_printed_as_floats() -> None:
    """Whole numbers are charted like any other value."""
    assert SAMPLES_SEEN.line(3) == "[sift] samples_seen=3.0;"


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_found_by_name(metric: Metric) -> None:
    """Every metric can be asked for by its name."""
    assert metric_named(metric.name) is metric


def test_an_unknown_name_lists_the_known_ones() -> None:
    """A misspelt metric is named together with all there are."""
    with pytest.raises(KeyError, match=r"'kept_shar'; there are .*kept_share"):
        metric_named("kept_shar")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "kept_share=0.5;",
        "[sift] kept_share=0.5",
        "[sift] kept_share=nan;",
        "[sift] kept_share=0.5.5;",
        "[sift] kept_share=\u0660;",
        "[sift] unheard_of=0.5;",
        "[sift] keeps all data for the first epoch",
    ],
)
def test_other_lines_report_nothing(line: str) -> None:
    """Lines that are no metric line, cut ones included, are not mistaken for one."""
    assert read_line(line) is None


LOG = [
    "epoch 0",
    "algo-1 | [sift] kept_share=1.0;",
    "algo-1 | [sift] train_loss=2.5;",
    "[sift] resuming",
    "algo-1 | [sift] kept_share=0.5;",
]


def test_a_log_is_read_in_order() -> None:
    """All values of a log are found, in the order in which they were printed."""
    assert list(read_lines(LOG)) == [(KEPT_SHARE, 1.0), (TRAIN_LOSS, 2.5), (KEPT_SHARE, 0.5)]


def test_a_log_is_read_as_series() -> None:
    """Each metric's values are gathered; a metric never reported has no series."""
    assert read_series(iter(LOG)) == {KEPT_SHARE: [1.0, 0.5], TRAIN_LOSS: [2.5]}
