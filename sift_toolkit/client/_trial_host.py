"""The jobs of a trial on this machine, one after the other, without any SDK."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sift_toolkit.client._host_run import HostRun
from sift_toolkit.client._job_facts import JobFacts
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.client._source import Launcher
from sift_toolkit.client._trial_folder import TrialFolder
from sift_toolkit.client._trial_metric import TrialMetric
from sift_toolkit.client._trial_outcome import Outcome
from sift_toolkit.client._trial_plan import TrialJob
from sift_toolkit.contract import JobResult, JobTree

__all__ = ["HostRunner", "HostSubject"]


@dataclass(frozen=True, kw_only=True)
class HostSubject:
    """What is trained on this machine, as `sift-toolkit run` takes it."""

    script: Path
    launcher: Launcher = "run"
    source_dir: Path | None = None
    """The folder that goes along; None: the script alone."""
    hyperparameters: Mapping[str, object] = field(default_factory=dict)
    channels: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    epochs_name: str = "epochs"
    """The hyperparameter that sets the epochs."""
    seed_name: str | None = "seed"
    """The hyperparameter that sets the seed; None: none does."""

    def run(self, job: TrialJob, checkpoints: Path | None) -> HostRun:
        """Return one job of it."""
        seed = {} if self.seed_name is None else {self.seed_name: job.seed}
        return HostRun(
            script=self.script,
            hooks=self.launcher == "train",
            source_dir=self.source_dir,
            name=job.key,
            config=job.config,
            hyperparameters={**self.hyperparameters, self.epochs_name: job.arm.epochs, **seed},
            channels=self.channels,
            environment=self.environment,
            checkpoints=checkpoints,
        )


class HostRunner:
    """Runs jobs on this machine; one that is interrupted goes on from its checkpoint.

    Args:
        subject: What is trained.
        folder: The trial's.
        metric: What arms are compared by.
        python: Interpreter of the jobs.
        on_line: Called with each line a job prints.
    """

    parallel = 1

    def __init__(
        self,
        subject: HostSubject,
        folder: TrialFolder,
        metric: TrialMetric,
        python: str | Path,
        on_line: Callable[[str], None],
    ) -> None:
        self._subject = subject
        self._folder = folder
        self._metric = metric
        self._python = python
        self._on_line = on_line
        self._ended: list[tuple[TrialJob, Outcome]] = []

    def subject(self) -> Mapping[str, Any]:
        """Return what all jobs have in common; values of the environment stay out of it."""
        given = self._subject
        return {
            "place": "this machine",
            "script": str(given.script),
            "script_sha256": hashlib.sha256(given.script.read_bytes()).hexdigest(),
            "launcher": given.launcher,
            "hyperparameters": dict(given.hyperparameters),
            "channels": {name: os.path.abspath(path) for name, path in given.channels.items()},  # noqa: PTH100 - links stay
            "environment": sorted(given.environment),
            "epochs_hyperparameter": given.epochs_name,
            "seed_hyperparameter": given.seed_name,
        }

    def problems(self, jobs: Sequence[TrialJob]) -> list[str]:
        """Name what SageMaker would refuse as well."""
        return list(
            dict.fromkeys(one for job in jobs for one in self._subject.run(job, None).problems())
        )

    def name_for(self, job: TrialJob, known: str | None) -> str:  # noqa: ARG002 - always the same
        """Return the job's key: its folder's name."""
        return job.key

    def start(self, job: TrialJob, name: str, *, again: bool) -> None:  # noqa: ARG002 - its checkpoint tells
        """Run a job to its end, from its checkpoint if it was interrupted before."""
        base, checkpoints = self._folder.jobs / name, self._folder.checkpoints / name
        # What an interrupted job has left but for its checkpoint, or a failed one.
        shutil.rmtree(base, ignore_errors=True)
        result = self._subject.run(job, checkpoints).go(base, self._python, self._on_line)
        self._ended.append((job, self._outcome(name, result)))

    def collect(self) -> list[tuple[TrialJob, Outcome]]:
        """Return what came of the jobs that have run since."""
        ended, self._ended = self._ended, []
        return ended

    def tidy(self, job: TrialJob) -> None:
        """Keep log, report and description; dozens of models and copies of code fill a disk."""
        tree = JobTree(self._folder.jobs / job.key)
        for folder in (tree.checkpoints_dir, tree.model_dir, tree.code_dir):
            if folder.is_symlink():
                folder.unlink()
            else:
                shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(self._folder.checkpoints / job.key, ignore_errors=True)

    def _outcome(self, name: str, result: JobResult) -> Outcome:
        tree = result.tree
        facts = JobFacts(
            name=name,
            status=result.outcome.status,
            failure_reason=result.failure,
            figures=JobFigures.from_lines(tree.log_lines(), name=name, seconds=result.seconds),
        )
        return Outcome.of(facts, self._metric.last_in(tree.log_lines()), self._metric)
