"""One job that a HostSession ran: what it left, and what SageMaker would say of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from sift_toolkit.contract import JobResult, JobTree
from sift_toolkit.report import REPORT_FILE

# What sagemaker-training writes if the script's own words went to the log alone.
_SEE_LOG: Final = 'ErrorMessage ""'
_TRACEBACK: Final = "Traceback (most recent call last):"
_TOOLKIT: Final = " sagemaker-training-toolkit "


class HostJob:
    """A training job on this machine.

    `tree` has its folders; `lines` its log, readable while it runs; `describe` answers as
    DescribeTrainingJob would.
    """

    def __init__(self, request: Mapping[str, Any], tree: JobTree, arn: str) -> None:
        self.name: str = request["TrainingJobName"]
        self.request: Mapping[str, Any] = request
        """The CreateTrainingJob request it was made from."""
        self.tree = tree
        self.arn = arn
        self.created = datetime.now(timezone.utc)
        self.result: JobResult | None = None
        """How it ended; None: it still runs, or was interrupted."""
        self.interrupted: datetime | None = None
        """When it was ended from outside, as by Ctrl-C; None: it was not."""
        self.model_archive: Path | None = None
        """Its model.tar.gz, once it has one."""

    def __repr__(self) -> str:
        return f"<HostJob {self.name} {self.status} in {self.tree.base}>"

    def _repr_html_(self) -> str:
        # Here: what reads jobs knows of this class.
        from sift_toolkit.client._job_source import host_facts

        facts = host_facts(self, datetime.now(timezone.utc))
        return facts._repr_html_()

    @property
    def status(self) -> str:
        """'InProgress', 'Completed', 'Failed' or, if it was interrupted, 'Stopped'."""
        if self.result is None:
            return "Stopped" if self.interrupted else "InProgress"
        return self.result.outcome.status

    @property
    def failure(self) -> str | None:
        """Why it failed, at most 1024 characters; None: it did not."""
        return self.result.failure if self.result else None

    @property
    def exit_code(self) -> int | None:
        """Exit status of `train`, None before its end."""
        return self.result.exit_code if self.result else None

    @property
    def seconds(self) -> float | None:
        """Wall time of `train`, None before its end."""
        return self.result.seconds if self.result else None

    @property
    def log_path(self) -> Path:
        """The file that all lines of its output go to, as they come."""
        return self.tree.log_file

    @property
    def report_path(self) -> Path:
        """Where its sift report is, if it wrote one."""
        return self.tree.output_data_dir / REPORT_FILE

    def lines(self) -> Iterator[str]:
        """Yield each line of its output so far."""
        return self.tree.log_lines()

    @cached_property
    def final_metrics(self) -> Mapping[str, float]:
        """The last value of each metric the job defines, found as SageMaker does: by its regex."""
        definitions = self.request["AlgorithmSpecification"].get("MetricDefinitions") or []
        patterns = {entry["Name"]: re.compile(entry["Regex"]) for entry in definitions}
        values: dict[str, float] = {}
        for line in self.lines():
            for name, pattern in patterns.items():
                if (found := pattern.search(line)) and (value := _number(found[1])) is not None:
                    values[name] = value
        return values

    def failure_message(self) -> str:
        """Say in words that it failed, why, and where to read more."""
        reason = str(self.failure)
        if _SEE_LOG in reason:
            traceback = _last_traceback(self.lines())
            if traceback:
                reason = "\n".join([traceback[-1], *traceback[:-1]])
            else:
                reason += f"\nLast lines of its log:\n{self.tree.last_lines()}"
        return f"training job {self.name!r} failed: {reason}\nThe whole log: {self.log_path}"

    def describe(self) -> dict[str, Any]:
        """Return what DescribeTrainingJob would, as far as a machine can know it."""
        asked = {key: value for key, value in self.request.items() if key != "Tags"}
        started = self.result.started if self.result else self.created
        return {
            **asked,
            "OutputDataConfig": {"KmsKeyId": "", **self.request["OutputDataConfig"]},
            "TrainingJobArn": self.arn,
            "TrainingJobStatus": self.status,
            "SecondaryStatus": "Training" if self.status == "InProgress" else self.status,
            "CreationTime": self.created,
            "TrainingStartTime": started,
            "LastModifiedTime": started,
            **({"FailureReason": self.failure} if self.failure else {}),
            **({"TrainingEndTime": self.interrupted} if self.interrupted else {}),
            **(self._outcome(self.result) if self.result else {}),
        }

    def _outcome(self, result: JobResult) -> dict[str, Any]:
        whole_seconds = math.ceil(result.seconds)
        model = f"file://{self.model_archive}" if self.model_archive else ""
        return {
            "TrainingEndTime": result.ended,
            "LastModifiedTime": result.ended,
            "TrainingTimeInSeconds": whole_seconds,
            "BillableTimeInSeconds": whole_seconds,
            "ModelArtifacts": {"S3ModelArtifacts": model},
            "FinalMetricDataList": [
                {"MetricName": name, "Value": value, "Timestamp": result.ended}
                for name, value in self.final_metrics.items()
            ],
        }


def _last_traceback(lines: Iterable[str]) -> list[str]:
    """Return the last traceback of a log, up to what sagemaker-training says after it."""
    found: list[str] = []
    inside = False
    for line in lines:
        if line.startswith(_TRACEBACK):
            found, inside = [], True
        inside = inside and _TOOLKIT not in line
        if inside:
            found.append(line.rstrip())
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
