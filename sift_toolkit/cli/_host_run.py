"""One job of `sift-toolkit run`: its name, and how it ended in JSON."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sift_toolkit.client._host_run import HostRun
from sift_toolkit.contract import JobResult
from sift_toolkit.metrics import read_series
from sift_toolkit.report import REPORT_FILE

__all__ = ["DEFAULT_FOLDER", "HostRun", "job_name_for", "outcome_json"]

DEFAULT_FOLDER: Final = "sift-jobs"
"""Folder of the jobs that were given none, where the command is run."""

_LONGEST_STEM: Final = 40


def job_name_for(script: Path, now: datetime) -> str:
    """Return a job name made from a script's name and the time, to the millisecond."""
    stem = re.sub(r"[^a-zA-Z0-9]+", "-", script.stem)[:_LONGEST_STEM].strip("-") or "job"
    return f"{stem}-{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03}"


def outcome_json(name: str, result: JobResult) -> dict[str, Any]:
    """Return how a job ended, for JSON."""
    tree = result.tree
    report = tree.output_data_dir / REPORT_FILE
    return {
        "job": name,
        "status": result.outcome.status,
        "exit_code": result.exit_code,
        "failure_reason": result.failure,
        "seconds": result.seconds,
        "folder": str(tree.base),
        "log": str(result.log_path),
        "report": str(report) if report.is_file() else None,
        "model_dir": str(tree.model_dir),
        "metrics": {
            metric.name: values[-1] for metric, values in read_series(tree.log_lines()).items()
        },
    }
