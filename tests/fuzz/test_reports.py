"""A sift_report.json, whoever wrote it: a report, or our error."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit import SiftError
from sift_toolkit.client._compare import compare
from sift_toolkit.client._job_facts import JobFacts, read_config
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.metrics import METRICS
from sift_toolkit.report import ClassTotals, Observation, SiftReport
from tests.fuzz.strange import JSON_VALUES, NUMBERS, changed_bytes, changed_tree

_REPORT = SiftReport(
    config={"sagemaker_sift_keep": 0.5, "sagemaker_sift_version": 1},
    notes=["scores: memory, because"],
    observations=[
        Observation(
            values={metric.name: 0.5 for metric in METRICS},
            kept_losses=(0.1, 0.2, 0.3, 0.4, 0.5),
            dropped_losses=None,
            stuck_ids=(3, 1),
            classes=ClassTotals(labels=(0, 1), seen=(4, 4), chosen=(2, 2)),
        )
    ]
    * 2,
)
WHOLE = _REPORT.to_json()
TREES = changed_tree(json.loads(WHOLE), st.one_of(JSON_VALUES, NUMBERS))


def _text(content: object) -> str:
    try:
        return json.dumps(content)
    except ValueError:
        return "[" * 3000


@given(content=st.one_of(TREES.map(_text).map(str.encode), changed_bytes(WHOLE.encode())))
def test_a_report_is_read_or_refused(content: bytes) -> None:
    """What is read can be written again, and shown beside another job, whatever it says."""
    try:
        report = SiftReport.from_json(content, "the file")
    except SiftError:
        return
    again = SiftReport.from_json(report.to_json(), "the same")
    assert again.observations == report.observations
    assert all(
        map(math.isfinite, (v for each in report.observations for v in each.values.values()))
    )
    assert isinstance(report.stuck_ids, list)
    config, problem = read_config(report.config)
    facts = JobFacts(
        name="it",
        config=config,
        figures=JobFigures.from_report(report, name="it"),
        notes=tuple(filter(None, (problem, *report.notes))),
    )
    comparison = compare([facts, facts])
    text = str(comparison) + comparison._repr_html_()
    assert all(sign == "\n" or sign.isprintable() for sign in text)
