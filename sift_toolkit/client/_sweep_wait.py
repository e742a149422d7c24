"""Jobs that run side by side: how many still do, and which have failed."""

from __future__ import annotations

import time
from typing import Any

from sift_toolkit.client._job_facts import has_ended
from sift_toolkit.client._job_source import JobSources
from sift_toolkit.client._watch_patience import Patience
from sift_toolkit.client._watched import Watched, watched
from sift_toolkit.errors import SiftUsageError

_FAILED = "Failed"


class JobsUnderWay:
    """Looks after jobs until they have ended; throttling, and what else passes, is waited out.

    Args:
        poll_seconds: Seconds between two looks.

    Raises:
        SiftUsageError: *poll_seconds* is not positive.
    """

    def __init__(self, poll_seconds: float) -> None:
        if not poll_seconds > 0:
            msg = f"poll_seconds must be above 0, got {poll_seconds!r}"
            raise SiftUsageError(msg)
        self._poll_seconds = poll_seconds
        self._sources = JobSources()
        self._running: dict[str, Watched] = {}
        self.failures: dict[str, str] = {}
        """Why jobs failed, by label."""

    def add(self, label: str, job: Any) -> None:
        """Look after what an estimator or trainer has launched."""
        found: Any = self._sources.find(job)
        self._running[label] = watched(found)

    def wait(self, *, at_most: int) -> None:
        """Return when no more than so many jobs are under way.

        Raises:
            SiftJobError: AWS would not tell; the jobs go on.
        """
        while len(self._running) > at_most:
            self._look()
            if len(self._running) > at_most:
                time.sleep(self._poll_seconds)

    def _look(self) -> None:
        for label, job in [*self._running.items()]:
            patience = Patience(
                job.name,
                renew=job.renew,
                say=print,
                sleep=time.sleep,
                poll_seconds=self._poll_seconds,
            )
            description = patience.ask(job.describe)
            status = description.get("TrainingJobStatus")
            if has_ended(status):
                del self._running[label]
            if status == _FAILED:
                self.failures[label] = description.get("FailureReason") or "it gave no reason"
