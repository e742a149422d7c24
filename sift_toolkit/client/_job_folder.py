"""The folder of a job that ran on this machine by `sift-toolkit run`, read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sift_toolkit.client._job_facts import JobFacts, read_config
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.client._job_history import history_of
from sift_toolkit.metrics import read_lines
from sift_toolkit.outside import damage_in_words, read_json, shown
from sift_toolkit.report import REPORT_FILE, SiftReport

if TYPE_CHECKING:
    from sift_toolkit.contract import JobTree

__all__ = ["OUTCOME_FILE", "folder_facts", "history_in", "write_outcome"]

OUTCOME_FILE: Final = "sift_outcome.json"
"""How a job ended, as `run --json` prints it, in the job's folder."""

_SECONDS: Final = "seconds"
_OUTCOME: Final = ("status", "failure_reason", _SECONDS)
_MOST_SECONDS: Final = 1e12


def folder_facts(name: str, tree: JobTree) -> JobFacts:
    """Return what the folder of a job on this machine tells of it.

    Raises:
        SiftStateError: its sift_report.json is no sift report.
    """
    outcome = _read_outcome(tree)
    config, problem = read_config(tree.read_hyperparameters())
    return JobFacts(
        name=name,
        status=outcome.get("status"),
        failure_reason=outcome.get("failure_reason"),
        elapsed_seconds=outcome.get(_SECONDS),
        config=config,
        hyperparameters_known=problem is None,
        figures=JobFigures.from_lines(tree.log_lines(), name=name, seconds=outcome.get(_SECONDS)),
        source="log",
        notes=() if problem is None else (problem,),
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


def write_outcome(tree: JobTree, outcome: Mapping[str, object]) -> None:
    """Write how a job ended into its folder, for `folder_facts`."""
    (tree.base / OUTCOME_FILE).write_text(json.dumps(outcome, indent=1), encoding="utf-8")


def _read_outcome(tree: JobTree) -> dict[str, Any]:
    """Return how a job ended; nothing where it still runs, or was interrupted."""
    path = tree.base / OUTCOME_FILE
    if not path.is_file():
        return {}
    with damage_in_words(f"{path} does not tell how a job ended"):
        outcome = read_json(path.read_bytes())
        if not isinstance(outcome, dict) or not all(
            map(_fits, _OUTCOME, map(outcome.get, _OUTCOME))
        ):
            msg = f"status, failure_reason and seconds were looked for in {shown(outcome)}"
            raise TypeError(msg)
    return outcome


def _fits(name: str, value: object) -> bool:
    if value is None:
        return True
    if name != _SECONDS:
        return isinstance(value, str)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value < _MOST_SECONDS  # type: ignore[operator] # a number by now
