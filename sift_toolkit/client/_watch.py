"""`watch`: a job's sift metrics as a progress line, until the job ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from sift_toolkit.client._aws_errors import aws_trouble
from sift_toolkit.client._aws_faults import DENIED
from sift_toolkit.client._job_facts import JobFacts, elapsed_seconds, facts_from, has_ended
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.client._job_log import LogLine
from sift_toolkit.client._job_source import JobSources
from sift_toolkit.client._progress import JobProgress
from sift_toolkit.client._watch_patience import Patience
from sift_toolkit.client._watched import watched
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.metrics import Metric, read_line

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["JobWatch", "watch"]

_POLL_SECONDS: Final = 10.0
_LATE_LINES: Final = 60.0
"""Seconds after a job's end in which lines of its log may still come."""


def watch(
    job: object,
    *,
    session: Any = None,
    poll_seconds: float = _POLL_SECONDS,
    on_update: Callable[[JobFacts], None] | None = None,
) -> JobFacts:
    """Show a running job's progress until it ends, and return what is known of it then.

    A bar on a terminal or in a notebook, a line now and then elsewhere, as of `JobProgress`. A job
    that fails or is stopped is no error here: the facts say so, and why. Throttling, faults of AWS
    and a lost network are waited out for up to an hour, expired credentials looked for anew.
    Ctrl-C ends the watching, not the job.

    Examples:
        >>> estimator.fit({"training": "s3://bucket/data"}, wait=False)
        >>> facts = watch(estimator)

    Args:
        job: Name of a training job, an estimator or a trainer of SDK v3 that has started one, or
            a job of a HostSession.
        session: Where a name is looked up: a session of the SDK or of boto3, or a function that
            returns one, and is asked again when credentials expire. Default: boto3's own.
        poll_seconds: Seconds between two looks. Default: 10.
        on_update: Called with what is known whenever there is something new; what it raises ends
            the watching.

    Raises:
        SiftUsageError: *job* is no job that runs, or *poll_seconds* is not positive.
        SiftJobError: AWS knows no such job, or would not tell; the job goes on.
    """
    if not poll_seconds > 0:
        msg = f"poll_seconds must be above 0, got {poll_seconds!r}"
        raise SiftUsageError(msg)
    return JobWatch(job, session, poll_seconds=poll_seconds, on_update=on_update).run()


class _JobClock:
    """Seconds since a job's training began: as of the line being read, or else now."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.start: datetime | None = None
        self.read_at: float | None = None
        """Seconds since 1970 of the line being read; None: none is."""

    def __call__(self) -> float:
        if self.start is None:
            return 0.0
        at = self._now().timestamp() if self.read_at is None else self.read_at
        return max(at - self.start.timestamp(), 0.0)


class JobWatch:
    """One watching of one job; arguments as for `watch`, and what a test turns by hand.

    Args:
        job: What is watched.
        session: Where a name is looked up.
        poll_seconds: Seconds between two looks.
        on_update: Called with what is known.
        console: Where to draw. Default: standard output.
        sleep: Waits so many seconds.
        now: The time.
    """

    def __init__(
        self,
        job: object,
        session: Any = None,
        *,
        poll_seconds: float = _POLL_SECONDS,
        on_update: Callable[[JobFacts], None] | None = None,
        console: Console | None = None,
        sleep: Callable[[float], Any] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        found = JobSources(session, now=now).find(job)
        if isinstance(found, JobFacts):
            msg = f"watch needs a job that runs or has run, {found.name!r} only tells of one"
            raise SiftUsageError(msg)
        self._job = watched(found)
        self._poll_seconds = poll_seconds
        self._on_update = on_update
        self._sleep = sleep
        self._now = now
        self._clock = _JobClock(now)
        self._progress = JobProgress(found.name, console=console, clock=self._clock)
        self._patience = Patience(
            found.name,
            renew=self._job.renew,
            say=self._progress.say,
            sleep=sleep,
            poll_seconds=poll_seconds,
        )
        self._points: list[tuple[Metric, float]] = []
        self._stage: str | None = None
        self._news = False
        self._log_denied: str | None = None

    def run(self) -> JobFacts:
        """Watch until the job ends; errors as for `watch`."""
        name, progress = self._job.name, self._progress
        try:
            # Nothing is drawn of a job that cannot be looked at.
            description = self._patience.ask(self._job.describe)
            with progress:
                # Whatever comes between, it is not the job that ends.
                progress.ended("not watched any more")
                facts = self._follow(description)
                progress.ended("" if facts.status == "Completed" else str(facts.status).lower())
        except KeyboardInterrupt:
            progress.say(f"{name}: the job goes on; watch({name!r}) looks at it again")
            raise
        if facts.failure_reason:
            progress.say(f"{name}: {facts.failure_reason}")
        return facts

    def _follow(self, description: Mapping[str, Any]) -> JobFacts:
        while True:
            self._note(description)
            ended = has_ended(description.get("TrainingJobStatus"))
            self._patience.ask(self._read)
            if ended:
                return self._finish(description)
            if self._news and self._on_update is not None:
                self._on_update(self._facts(description))
            self._news = False
            self._sleep(self._poll_seconds)
            description = self._patience.ask(self._job.describe)

    def _note(self, description: Mapping[str, Any]) -> None:
        """Set the clock by the job, and say what it is at where that has changed."""
        self._clock.start = description.get("TrainingStartTime")
        stage = description.get("SecondaryStatus")
        if stage == self._stage:
            return
        self._stage, self._news = stage, True
        if not has_ended(description.get("TrainingJobStatus")):
            transitions = description.get("SecondaryStatusTransitions") or [{}]
            words = transitions[-1].get("StatusMessage")
            self._progress.say(f"{self._job.name}: {': '.join(filter(None, (stage, words)))}")

    def _read(self) -> None:
        if self._log_denied is not None:
            return
        try:
            for line in self._job.new_lines():
                self._take(line)
        except Exception as error:
            trouble = aws_trouble(error)
            if trouble is None or trouble.fault is not DENIED:
                raise
            self._log_denied = f"the log could not be read: {trouble.text}"
            self._progress.say(f"{self._job.name}: {self._log_denied}")

    def _take(self, line: LogLine) -> None:
        self._clock.read_at = line.seconds
        self._progress(line.text)
        self._clock.read_at = None
        if (point := read_line(line.text)) is not None:
            self._points.append(point)
            self._news = True

    def _finish(self, description: Mapping[str, Any]) -> JobFacts:
        """Read what of the log came late, and put together all that is known."""
        end = description.get("TrainingEndTime")
        if end is not None and self._now().timestamp() - end.timestamp() < _LATE_LINES:
            self._sleep(self._poll_seconds)
            self._patience.ask(self._read)
        self._clock.read_at = None if end is None else end.timestamp()
        facts = self._facts(description)
        if not self._points:
            facts = self._patience.ask(lambda: self._job.facts(description, self._now()))
        if self._on_update is not None:
            self._on_update(facts)
        return facts

    def _facts(self, description: Mapping[str, Any]) -> JobFacts:
        now = self._now()
        figures = JobFigures.from_points(
            self._points, name=self._job.name, seconds=elapsed_seconds(description, now)
        )
        return facts_from(
            description,
            figures,
            now=now,
            source="log" if self._points else None,
            notes=() if self._log_denied is None else (self._log_denied,),
        )
