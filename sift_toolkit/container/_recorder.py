"""Turns observations into metric lines and sift_report.json."""

from __future__ import annotations

import atexit
import math
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sift_toolkit.config import SiftConfig
from sift_toolkit.container._divergence import DivergenceNote
from sift_toolkit.metrics import LINE_TAG, METRICS
from sift_toolkit.outside import one_line
from sift_toolkit.report import REPORT_FILE, Observation, SiftReport

_LEAST_SECONDS_BETWEEN_WRITES: Final = 5.0
_MOST_TIME_WRITING: Final = 0.02
"""Share of the time that may go into writing: the longer a job, the longer its report takes."""

_RANK_VARIABLES: Final = ("RANK", "OMPI_COMM_WORLD_RANK")
"""Set by torchrun and by mpirun."""
_PLACE_VARIABLES: Final = ("NODE_RANK", "LOCAL_RANK")
"""Set by Lightning where it starts the other processes itself."""

_reports: Final[dict[Path, MetricRecorder]] = {}
"""Those of this process: a second loader's must not take the place of the first one's."""


class MetricRecorder:
    """Prints each value as one line, and keeps the report of the job.

    Only the first rank of a distributed job speaks. The report is written every few seconds, and
    when the process ends, be it by an error.

    Args:
        config: goes into the report, as sent.
        folder: where the report goes; None: no report.
        clock: replaced in tests.
    """

    def __init__(
        self,
        config: SiftConfig,
        folder: Path | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._speaks = is_first_rank()
        self._report = SiftReport(config=config.to_hyperparameters())
        self._path: Path | None = None
        self._clock = clock
        self._write_from = -math.inf
        self._is_written = True
        self._has_complained = False
        self._mind_divergence = DivergenceNote(self.note)
        if self._speaks and folder is not None:
            self._path = _free_path(folder)
            _reports[self._path] = self
            atexit.register(self.write)
            if self._path.name != REPORT_FILE:
                self.note(
                    f"this is another loader of the same process: its report is {self._path.name}, "
                    "and its metrics are charted together with the first one's"
                )

    def __call__(self, observation: Observation) -> None:
        """Print and keep one observation."""
        if not self._speaks:
            return
        self._report.observations.append(observation)
        self._mind_divergence(observation)
        for metric in METRICS:
            value = observation.values.get(metric.name)
            if value is not None and math.isfinite(value):
                print_line(metric.line(value))
        self._is_written = False
        if self._clock() >= self._write_from:
            self.write()

    def note(self, words: str) -> None:
        """Print and keep a decision, in words."""
        if self._speaks:
            self._report.notes.append(words)
            self._is_written = False
            print_note(words)

    def write(self) -> None:
        """Write the report as it stands, if anything came since the last time."""
        if self._path is None or self._is_written:
            return
        began = self._clock()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._report.write(self._path)
            self._is_written = True
        except OSError as error:
            # A full disk is no reason to end a training of days.
            if not self._has_complained:
                self._has_complained = True
                self.note(f"the report cannot be written: {error}")
        ended = self._clock()
        pause = max(_LEAST_SECONDS_BETWEEN_WRITES, (ended - began) / _MOST_TIME_WRITING)
        self._write_from = ended + pause

    def go_on_from(self, report: SiftReport) -> None:
        """Let the report go on where that of an interrupted job was."""
        begun = [words for words in self._report.notes if words not in report.notes]
        self._report.notes[:] = [*report.notes, *begun]
        self._report.observations[:0] = report.observations
        self._is_written = False

    @property
    def report(self) -> SiftReport:
        """All that was told so far."""
        return self._report


def recorders_in(folder: Path) -> dict[str, MetricRecorder]:
    """Return the recorders of this process whose reports go into *folder*, by the file's name."""
    return {path.name: each for path, each in _reports.items() if path.parent == folder}


def is_first_rank() -> bool:
    """Whether this process speaks for the job."""
    is_said = any(variable in os.environ for variable in _RANK_VARIABLES)
    variables = _RANK_VARIABLES if is_said else _PLACE_VARIABLES
    return all(os.environ.get(variable, "0") == "0" for variable in variables)


def print_line(line: str) -> None:
    """Print a line with one write, so that nothing another process prints can split it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def print_note(words: str) -> None:
    """Print a note as one line, which no metric's pattern finds anything in."""
    line = f"{LINE_TAG}note: {one_line(words)}"
    # What the log's encoding has no sign for is spelled out.
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print_line(line.encode(encoding, "backslashreplace").decode(encoding))


def _free_path(folder: Path) -> Path:
    path = folder / REPORT_FILE
    count = 1
    while path in _reports:
        count += 1
        path = path.with_stem(f"{Path(REPORT_FILE).stem}_{count}")
    return path
