"""Turns observations into metric lines and sift_report.json."""

from __future__ import annotations

import atexit
import math
import os
import sys
import time
from pathlib import Path
from typing import Final

from sift_toolkit.config import SiftConfig
from sift_toolkit.metrics import METRICS
from sift_toolkit.report import REPORT_FILE, Observation, SiftReport

_SECONDS_BETWEEN_WRITES: Final = 5.0


class MetricRecorder:
    """Prints each value as one line, and keeps the report of the job.

    Only the first rank of a distributed job speaks. The report is written every few seconds, and
    when the process ends.

    Args:
        config: goes into the report, as sent.
        folder: where the report goes; None: no report.
    """

    def __init__(self, config: SiftConfig, folder: Path | None) -> None:
        self._speaks = is_first_rank()
        self._report = SiftReport(config=config.to_hyperparameters())
        self._path = None if folder is None else folder / REPORT_FILE
        self._written_at = -math.inf
        if self._speaks and self._path is not None:
            atexit.register(self.write)

    def __call__(self, observation: Observation) -> None:
        """Print and keep one observation."""
        if not self._speaks:
            return
        self._report.observations.append(observation)
        for metric in METRICS:
            value = observation.values.get(metric.name)
            if value is not None and math.isfinite(value):
                print_line(metric.line(value))
        if time.monotonic() - self._written_at > _SECONDS_BETWEEN_WRITES:
            self.write()

    def note(self, words: str) -> None:
        """Print and keep a decision, in words."""
        if self._speaks:
            self._report.notes.append(words)
            print_line(f"[sift] {words}")

    def write(self) -> None:
        """Write the report as it stands."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._report.write(self._path)
            self._written_at = time.monotonic()


def is_first_rank() -> bool:
    """Whether this process speaks for the job; torchrun sets the rank."""
    return os.environ.get("RANK", "0") == "0"


def print_line(line: str) -> None:
    """Print a line with one write, so that nothing another process prints can split it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
