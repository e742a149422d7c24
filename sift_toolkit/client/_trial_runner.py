"""What runs the jobs of a trial, wherever they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sift_toolkit.client._trial_outcome import Outcome
from sift_toolkit.client._trial_plan import TrialJob

__all__ = ["TrialRunner"]


class TrialRunner(Protocol):
    """Starts jobs and says how they ended."""

    @property
    def parallel(self) -> int:
        """Jobs that may be under way at a time."""
        ...

    def subject(self) -> Mapping[str, Any]:
        """Return what all jobs have in common, by name, fit for JSON."""
        ...

    def problems(self, jobs: Sequence[TrialJob]) -> list[str]:
        """Name what would keep *jobs* from being started, as far as it can be known before."""
        ...

    def name_for(self, job: TrialJob, known: str | None) -> str:
        """Return what a job will be called.

        Args:
            job: The job.
            known: What it was called when an earlier process launched it; None: none did.
        """
        ...

    def start(self, job: TrialJob, name: str, *, again: bool) -> None:
        """Start a job, or take on one that an earlier process launched and that runs still.

        Args:
            job: The job.
            name: What `name_for` returned.
            again: Whether an earlier process was about to launch it under this name.
        """
        ...

    def collect(self) -> list[tuple[TrialJob, Outcome]]:
        """Wait until a job has ended, and return what came of those that have since."""
        ...

    def tidy(self, job: TrialJob) -> None:
        """Remove what is of no use once a job's outcome is written down."""
        ...
