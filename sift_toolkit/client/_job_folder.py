"""The folder of a job that ran on this machine, read back."""

from __future__ import annotations

from typing import Final

from sift_toolkit.client._job_facts import JobFacts, read_config
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.client._job_history import history_of
from sift_toolkit.contract import JobTree, read_outcome
from sift_toolkit.metrics import read_lines
from sift_toolkit.report import REPORT_FILE, SiftReport

__all__ = ["folder_facts", "history_in"]

_BEGUN: Final = "it still runs, or what launched it was killed"


def folder_facts(name: str, tree: JobTree) -> JobFacts:
    """Return what the folder of a job on this machine tells of it.

    Raises:
        SiftStateError: its sift_report.json is no sift report, or its sift_outcome.json no outcome.
    """
    outcome = read_outcome(tree)
    seconds = outcome.get("seconds")
    config, problem = read_config(tree.read_hyperparameters())
    begun = _BEGUN if outcome.get("status") == "InProgress" else None
    return JobFacts(
        name=name,
        status=outcome.get("status"),
        failure_reason=outcome.get("failure_reason"),
        elapsed_seconds=seconds,
        config=config,
        hyperparameters_known=problem is None,
        figures=JobFigures.from_lines(tree.log_lines(), name=name, seconds=seconds),
        source="log",
        notes=tuple(note for note in (begun, problem) if note is not None),
        history=history_in(tree),
    )


def history_in(tree: JobTree) -> SiftReport | None:
    """Return the report that a job left in its folder, else what its log tells.

    Raises:
        SiftStateError: its sift_report.json is no sift report.
    """
    report = tree.output_data_dir / REPORT_FILE
    if report.is_file():
        return SiftReport.read(report)
    return history_of(read_lines(tree.log_lines()))
