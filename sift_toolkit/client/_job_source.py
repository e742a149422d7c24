"""What somebody calls a job: a name, an estimator, a trainer, a file or facts, made into facts."""

from __future__ import annotations

import difflib
import os
import reprlib
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from sift_toolkit.client import _limits
from sift_toolkit.client._aws_access import AwsAccess
from sift_toolkit.client._host_job import HostJob
from sift_toolkit.client._job_facts import JobFacts, facts_from, read_config
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.client._job_folder import folder_facts, history_in
from sift_toolkit.client._job_history import history_of
from sift_toolkit.client._job_reading import read_aws_job
from sift_toolkit.client._shown_handle import job_name_of
from sift_toolkit.contract import JobTree, read_log
from sift_toolkit.errors import SiftJobError, SiftUsageError
from sift_toolkit.metrics import read_lines
from sift_toolkit.outside import some_of
from sift_toolkit.report import SiftReport

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AwsJob", "Job", "JobSources", "host_facts"]

_LATEST: Final = ("latest_training_job", "_latest_training_job")
_ALLOWED: Final = (
    "a job is a name, an estimator or trainer that has started one, a log file, a "
    "sift_report.json, the folder of a job on this machine, a SiftReport, JobFacts or JobFigures"
)


class AwsJob(NamedTuple):
    """A job that AWS is asked about."""

    name: str
    access: AwsAccess


Job: TypeAlias = JobFacts | AwsJob | HostJob


class JobSources:
    """Finds out what jobs are; those of one session share its clients.

    Args:
        session: For jobs that bring none of their own; as for `AwsAccess`.
        with_reports: Whether to fetch what jobs on AWS wrote over time, with their output data.
        now: The time.
    """

    def __init__(
        self,
        session: Any = None,
        *,
        with_reports: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._session = session
        self._with_reports = with_reports
        self._now = now
        self._accesses: dict[int, tuple[Any, AwsAccess]] = {}

    def find(self, job: object) -> Job:
        """Return what *job* stands for; files are read, AWS is not asked.

        Raises:
            SiftUsageError: it is no job, or has not been started yet.
            SiftStateError: it is a .json file, but no sift report.
        """
        if isinstance(job, JobFacts | HostJob):
            return job
        if isinstance(job, JobFigures):
            return JobFacts(name=job.name, elapsed_seconds=job.job_seconds, figures=job)
        if isinstance(job, SiftReport):
            return _report_facts(job, "report")
        if isinstance(job, str | os.PathLike):
            if _is_file(path := Path(job)):
                return _read_file(path)
            if _is_file((tree := JobTree(path)).log_file):
                return folder_facts(os.fspath(job), tree)
            if isinstance(job, str) and _limits.JOB_NAME.fullmatch(job):
                return self._named(job, self._session)
            name = os.fspath(job)
            what = f"{name!r} is neither a file nor the name of a training job{_meant(name)}"
            msg = f"{what}; {_ALLOWED}"
            raise SiftUsageError(msg)
        return self._launched(job)

    def facts(self, job: object) -> JobFacts:
        """Return all that is known of *job*.

        Raises:
            SiftJobError: AWS would not tell.
            SiftUsageError: it is no job, or has not been started yet.
            SiftStateError: it is a .json file, but no sift report.
        """
        found = self.find(job)
        if isinstance(found, JobFacts):
            return found
        if isinstance(found, HostJob):
            return host_facts(found, self._now())
        try:
            return read_aws_job(
                found.name, found.access, self._now(), with_report=self._with_reports
            )
        except SiftJobError as error:
            if not isinstance(job, str):
                raise
            msg = f"nothing here is called {job!r}{_meant(job)}, and as a job in AWS: {error}"
            # AWS's own error, as everywhere.
            raise SiftJobError(msg) from (error.__cause__ or error)

    def _launched(self, job: object) -> Job:
        latest = job
        for attribute in _LATEST:
            if hasattr(job, attribute):
                latest = getattr(job, attribute)
                break
        if latest is None and job is not None:
            kind = type(job).__name__
            msg = f"this {kind} has started no job yet: call its fit(), or train() of a trainer"
            raise SiftUsageError(msg)
        name = job_name_of(latest)
        if name is None:
            msg = f"{reprlib.repr(job)} is no training job; {_ALLOWED}"
            raise SiftUsageError(msg)
        return self._named(name, getattr(job, "sagemaker_session", None) or self._session)

    def _named(self, name: str, session: Any) -> Job:
        # Told by what it has: a HostSession's module imports the SDK.
        has_job = getattr(session, "has_job", None)
        if callable(has_job) and has_job(name):
            job = session.job(name)
            assert isinstance(job, HostJob)
            return job
        if id(session) not in self._accesses:
            self._accesses[id(session)] = session, AwsAccess(session)
        return AwsJob(name, self._accesses[id(session)][1])


def host_facts(job: HostJob, now: datetime) -> JobFacts:
    """Return what is known of a job on this machine."""
    figures = JobFigures.from_lines(job.lines(), name=job.name, seconds=job.seconds)
    history = history_in(job.tree)
    return facts_from(job.describe(), figures, now=now, source="log", history=history)


def _meant(name: str) -> str:
    """Return what of this folder may have been meant, in words."""
    if _is(Path.is_dir, folder := Path(name)):
        jobs = sorted(str(path) for path in folder.iterdir() if _is_file(JobTree(path).log_file))
        return f" but a folder, and no job's{'; jobs in it: ' if jobs else ''}{some_of(jobs)}"
    close = difflib.get_close_matches(name, [path.name for path in Path().iterdir()], n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _is_file(path: Path) -> bool:
    return _is(Path.is_file, path)


def _is(kind: Callable[[Path], bool], path: Path) -> bool:
    # A name with a null byte in it, or too long a one, is no file's: told so by an error at times.
    try:
        return kind(path)
    except (OSError, ValueError):
        return False


def _read_file(path: Path) -> JobFacts:
    name = str(path)
    if path.suffix != ".json":
        points = list(read_lines(read_log(path)))
        figures = JobFigures.from_points(points, name=name)
        return JobFacts(name=name, figures=figures, source="log", history=history_of(points))
    return _report_facts(SiftReport.read(path), name)


def _report_facts(report: SiftReport, name: str) -> JobFacts:
    config, problem = read_config(report.config)
    return JobFacts(
        name=name,
        config=config,
        figures=JobFigures.from_report(report, name=name),
        source="report",
        notes=() if problem is None else (problem,),
        history=report,
    )
