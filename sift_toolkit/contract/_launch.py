"""Running a training job on this machine: the real `train` of sagemaker-training, no Docker."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from sift_toolkit.contract._description import JobDescription
from sift_toolkit.contract._environment import job_environment
from sift_toolkit.contract._layout import lay_out
from sift_toolkit.contract._outcome import JobOutcome, interruption_written, write_outcome
from sift_toolkit.contract._process import run_streaming
from sift_toolkit.contract._tree import FAILURE_REASON_LIMIT, JobTree
from sift_toolkit.errors import SiftJobError

# Not the console script: it may lie anywhere, and `-c` alone would let the folder it is started in
# onto the path of the user's script.
_TRAIN: Final = (
    "import sys; sys.path[:] = filter(None, sys.path); "
    "from sagemaker_training.cli.train import main; main()"
)
_HAS_TRAIN: Final = (
    "import importlib.util, sys; sys.exit(importlib.util.find_spec('sagemaker_training') is None)"
)
_SIGNAL_BASE: Final = 128
"""What a shell adds to the number of the signal that ended a process."""


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """How a job ended."""

    tree: JobTree
    exit_code: int
    """Exit status of `train` (1 whatever the script's own was), or 128 plus a signal's number."""
    failure: str | None
    """Why it failed, at most 1024 characters; None: it did not."""
    started: datetime
    """When `train` was started, UTC."""
    seconds: float
    """From the start of `train` to its end."""

    @property
    def outcome(self) -> JobOutcome:
        """What the job's folder remembers of it."""
        return JobOutcome(
            status="Completed" if self.failure is None else "Failed",
            failure_reason=self.failure,
            exit_code=self.exit_code,
            seconds=self.seconds,
        )

    @property
    def ended(self) -> datetime:
        """When `train` had ended, UTC."""
        return self.started + timedelta(seconds=self.seconds)

    @property
    def log_path(self) -> Path:
        """All lines of the job's output."""
        return self.tree.log_file


def launch(
    job: JobDescription,
    base: Path,
    *,
    python: str | Path = sys.executable,
    on_line: Callable[[str], None] | None = None,
    grace_seconds: float = 10.0,
) -> JobResult:
    """Lay *job* out under *base*, run it with *python* to its end, and say how it ended.

    A job that fails is a result, not an error. *on_line* gets each line as the job prints it
    (default: none does; all are in the log). What it raises, Ctrl-C too, ends the job: every
    process of it is asked to stop, and killed after *grace_seconds*.

    Raises:
        SiftJobError: *base* is not empty, *python* cannot be run or has no sagemaker-training, or
            the job's code cannot be read.
    """
    tree = JobTree(base.absolute())
    interpreter = _interpreter(str(python))
    left_out = lay_out(job, tree)
    deliver = on_line or _ignore
    started, clock = datetime.now(timezone.utc), time.monotonic()
    write_outcome(tree, JobOutcome(status="InProgress"))
    with (
        interruption_written(tree),
        tree.log_file.open("w", encoding="utf-8", buffering=1) as log,
    ):
        for name in left_out:
            log.write(_left_out_note(name) + "\n")
            deliver(_left_out_note(name))
        exit_code = run_streaming(
            [str(interpreter), "-c", _TRAIN],
            environment=job_environment(job, tree, interpreter, os.environ),
            folder=tree.base,
            log=log,
            on_line=deliver,
            grace_seconds=grace_seconds,
        )
    result = JobResult(
        tree=tree,
        exit_code=exit_code,
        failure=failure_reason(tree, exit_code) if exit_code else None,
        started=started,
        seconds=time.monotonic() - clock,
    )
    write_outcome(tree, result.outcome)
    return result


def _ignore(line: str) -> None:
    """Take a line nobody asked for."""


def _interpreter(python: str) -> Path:
    found = shutil.which(python)
    if found is None:
        msg = f"the job's python {python!r} is no program: give the path of an interpreter"
        raise SiftJobError(msg)
    # Made absolute, for the job runs elsewhere; not resolved, or it would leave its environment.
    interpreter = Path(found).absolute()
    if subprocess.run([interpreter, "-c", _HAS_TRAIN], check=False).returncode:
        msg = (
            f"{str(interpreter)!r} has no sagemaker-training, which runs the job: "
            'pip install "sift_toolkit[container]" there'
        )
        raise SiftJobError(msg)
    return interpreter


def _left_out_note(name: str) -> str:
    return (
        f"sift_toolkit: {name} is left out of this job's code: it would be pip installed into the "
        "environment the job shares with you"
    )


def failure_reason(tree: JobTree, exit_code: int) -> str:
    """Say why a job failed: in the words of its failure file, else by the end of its log."""
    if (reason := tree.read_failure()) is not None:
        return reason
    how = f"train ended with exit code {exit_code}"
    if exit_code > _SIGNAL_BASE:
        how = f"train was ended by {_signal_name(exit_code - _SIGNAL_BASE)}"
    opening = f"{how}; last lines of its log:\n"
    return opening + tree.last_lines()[len(opening) - FAILURE_REASON_LIMIT :]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
