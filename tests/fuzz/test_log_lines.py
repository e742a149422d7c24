"""A job's log, whoever printed it: figures, and a comparison that can be shown."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.client._compare import compare
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.client._log_lines import whole_lines
from sift_toolkit.client._progress_display import JobState
from sift_toolkit.metrics import METRICS, read_line, read_lines
from tests.fuzz.strange import TEXT, changed_bytes

VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.from_regex(r"[-+]?[0-9]{1,400}(\.[0-9]{1,40})?(e[-+]?[0-9]{1,5})?", fullmatch=True),
    st.floats(0, 2).map(repr),
    TEXT,
)


def _line(prefix: str, name: str, value: str, end: str) -> str:
    return f"{prefix}[sift] {name}={value}{end}"


WHOLE = "\n".join(metric.line(0.5) for metric in METRICS).encode()
NAMES = st.one_of(st.sampled_from([metric.name for metric in METRICS]), TEXT)
LINES = st.one_of(
    st.builds(_line, TEXT, NAMES, VALUES, st.sampled_from([";", "", ";;", "\n"])),
    TEXT,
    changed_bytes(WHOLE).map(lambda content: content.decode("utf-8", "replace")),
)
LOGS = st.lists(LINES, max_size=12)


@given(log=LOGS)
def test_a_log_is_read(log: list[str]) -> None:
    """No line ends the reading, none gives a number that is none, whatever cuts it."""
    for lines in (log, whole_lines(log)):
        assert all(math.isfinite(value) for _, value in read_lines(lines))


@given(plain=LOGS, sifted=LOGS, name=TEXT)
def test_a_comparison_of_logs_can_be_shown(plain: list[str], sifted: list[str], name: str) -> None:
    """Whatever jobs print and are called, their comparison is printable text, HTML and records."""
    figures = [JobFigures.from_lines(log, name=name) for log in (plain, sifted)]
    comparison = compare(figures)
    for text in (str(comparison), comparison._repr_html_()):
        text.encode()
        assert all(sign == "\n" or sign.isprintable() for sign in text)
        assert not any(read_line(line) for line in text.splitlines())
    for record in comparison.records():
        numbers = [value for value in record.values() if isinstance(value, float)]
        assert all(map(math.isfinite, numbers))


@given(log=LOGS, seconds=st.lists(st.floats(0, 1e9), min_size=1, max_size=12))
def test_a_running_job_can_be_shown(log: list[str], seconds: list[float]) -> None:
    """Whatever a job prints, and whenever: its share, its times and its figures are words."""
    moments = iter([*sorted(seconds), *[max(seconds)] * 1000])
    state = JobState(lambda: next(moments))
    for metric, value in read_lines(log):
        state.note(metric, value)
        assert all(isinstance(each, str) for each in (state.share, state.times, state.figures))
