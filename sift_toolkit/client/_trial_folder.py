"""The folder of a trial: its plan, the jobs under way, and what came of those that have ended.

Each file is written whole or not at all, so that a trial can be ended at any moment and goes on
from there when it is started again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sift_toolkit.client import _limits
from sift_toolkit.client._staging import TRIAL_FILE
from sift_toolkit.client._trial_outcome import Outcome
from sift_toolkit.client._trial_plan import TrialJob, TrialPlan
from sift_toolkit.errors import SiftStateError, SiftUsageError
from sift_toolkit.outside import brief, read_json, shown, some_of

__all__ = ["TrialFolder"]

_VERSION: Final = 1
_LOCK: Final = "lock"
_MOST_BYTES: Final = 1 << 24
"""Of one of these files, which have some kilobytes."""


class TrialFolder:
    """What a trial has on disk.

    Args:
        path: The folder; made when it is first written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._outcomes = self.path / "outcomes"
        self._launched = self.path / "launched"

    @property
    def jobs(self) -> Path:
        """Folder of the folders of jobs on this machine."""
        return self.path / "jobs"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints of jobs under way on this machine."""
        return self.path / "checkpoints"

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep the folder to this process.

        Raises:
            SiftUsageError: another trial is running in it, or it cannot be written to.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            # Should it be a link to somewhere, nothing there is cut off.
            lock = (self.path / _LOCK).open("a")
        except OSError as error:
            msg = f"the trial's folder {str(self.path)!r} cannot be written to: {error.strerror}"
            raise SiftUsageError(msg) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                msg = (
                    f"another trial is running in {str(self.path)!r}: wait for it, or give another "
                    "output"
                )
                raise SiftUsageError(msg) from None
            yield

    def begin(self, plan: TrialPlan, subject: Mapping[str, Any]) -> None:
        """Write the plan; a trial that is there goes on, if it is of the same subject.

        Arms, seeds, budget and tolerance may be others than before: what was measured stays.

        Args:
            plan: What is to be run.
            subject: What all jobs have in common, by name: the script, its data, the metric.

        Raises:
            SiftUsageError: the trial there is of something else.
            SiftStateError: what is there cannot be read.
        """
        # How it is judged may change: nothing that was measured depends on it.
        metric = {"name": plan.metric.name, "regex": plan.metric.regex}
        own = json.loads(json.dumps({**subject, "epochs": plan.epochs, "metric": metric}))
        path = self.path / TRIAL_FILE
        if path.exists():
            there = _read(path).get("subject", {})
            if not isinstance(there, dict):
                raise _unreadable(path, shown(there))
            changed = sorted(key for key in {*own, *there} if own.get(key) != there.get(key))
            if changed:
                differences = some_of(
                    [
                        f"{brief(key)} was {shown(there.get(key))} and is {shown(own.get(key))}"
                        for key in changed
                    ]
                )
                msg = (
                    f"the trial in {str(self.path)!r} is of something else: {differences}. Give "
                    "another output, or remove that folder"
                )
                raise SiftUsageError(msg)
        _write(path, {"version": _VERSION, "subject": own, "plan": plan.to_json()})

    def outcomes(self, plan: TrialPlan) -> dict[tuple[str, int], Outcome]:
        """Return what came of the plan's jobs; those that failed are left out, to be run again.

        Raises:
            SiftUsageError: an arm was run with another config or other epochs.
            SiftStateError: what is there cannot be read.
        """
        found = {}
        for job in _all_jobs(plan):
            path = self._outcomes / f"{job.key}.json"
            if not path.is_file():
                continue
            content = self._of_job(path, job)
            try:
                outcome = Outcome.from_json(content["outcome"])
            except (KeyError, TypeError) as error:
                raise _unreadable(path, error) from error
            if outcome.counts:
                found[job.arm.label, job.seed] = outcome
        return found

    def launched(self, plan: TrialPlan) -> dict[str, str]:
        """Return the names of jobs that were launched and have not ended, by the job's key."""
        names = {}
        for job in _all_jobs(plan):
            path = self._launched / f"{job.key}.json"
            if path.is_file():
                name = self._of_job(path, job).get("name")
                # AWS is asked about it, and it is the name of a folder here.
                if not isinstance(name, str) or not (name == job.key or _is_job_name(name)):
                    raise _unreadable(path, f"no job is called {shown(name)}")
                names[job.key] = name
        return names

    def note_launch(self, job: TrialJob, name: str) -> None:
        """Write down that a job is about to be launched, before it is."""
        _write(self._launched / f"{job.key}.json", {"job": job.to_json(), "name": name})

    def note_end(self, job: TrialJob, outcome: Outcome) -> None:
        """Write down what came of a job."""
        content = {"job": job.to_json(), "outcome": outcome.to_json()}
        _write(self._outcomes / f"{job.key}.json", content)
        (self._launched / f"{job.key}.json").unlink(missing_ok=True)

    def _of_job(self, path: Path, job: TrialJob) -> dict[str, Any]:
        content = _read(path)
        expected = json.loads(json.dumps(job.to_json()))
        if content.get("job") != expected:
            msg = (
                f"{str(path)!r} is of another arm called {job.arm.label!r}: it was "
                f"{shown(content.get('job'))} and is {shown(expected)}. Give the arm another "
                "label, or the trial another output"
            )
            raise SiftUsageError(msg)
        return content


def _all_jobs(plan: TrialPlan) -> Iterator[TrialJob]:
    for arm in plan.arms:
        for seed in plan.seeds:
            yield TrialJob(arm, seed)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    # Should it be a link, what it leads to is not written to.
    partial.unlink(missing_ok=True)
    with partial.open("x", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)  # noqa: PTH105 - the atomic one


def _read(path: Path) -> dict[str, Any]:
    # Nothing else is opened: a pipe would be waited for without end.
    if not path.is_file() or path.stat().st_size > _MOST_BYTES:
        raise _unreadable(path, "it is none at all, or far too large")
    try:
        content = read_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(content, dict):
        raise _unreadable(path, shown(content))
    return content


def _is_job_name(name: str) -> bool:
    return _limits.JOB_NAME.fullmatch(name) is not None


def _unreadable(path: Path, why: object) -> SiftStateError:
    return SiftStateError(f"{str(path)!r} is no file of a trial: {brief(str(why))}; remove it")
