"""The jobs of a trial by an estimator or a trainer: on SageMaker, or by a HostSession."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final

from sift_toolkit.client._aws_errors import aws_trouble
from sift_toolkit.client._aws_faults import NOT_FOUND
from sift_toolkit.client._job_copies import copy_for_job
from sift_toolkit.client._job_factory import made_problems
from sift_toolkit.client._job_facts import JobFacts, has_ended
from sift_toolkit.client._job_names import labelled_name
from sift_toolkit.client._job_source import JobSources
from sift_toolkit.client._trial_metric import TrialMetric
from sift_toolkit.client._trial_outcome import Outcome
from sift_toolkit.client._trial_plan import TrialJob
from sift_toolkit.client._watch_patience import Patience
from sift_toolkit.client._watched import Watched, watched
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftJobError

__all__ = ["JobsRunner", "LaunchedSubject"]

_BASE: Final = "sift-trial"
_LOOKS_FOR_METRICS: Final = 10
"""Looks at a job that has ended before its metrics are taken to be missing: charts come late."""


@dataclass(frozen=True, kw_only=True)
class LaunchedSubject:
    """What is launched, and what differs between its jobs."""

    make: Callable[[SiftConfig], Any]
    inputs: Any = None
    """As `fit` takes them."""
    epochs_name: str = "epochs"
    seed_name: str | None = "seed"
    parallel: int = 1

    def hyperparameters(self, job: TrialJob) -> dict[str, object]:
        """Return those of the script that a job of its own has."""
        seed = {} if self.seed_name is None else {self.seed_name: job.seed}
        return {self.epochs_name: job.arm.epochs, **seed}


@dataclass(slots=True)
class _UnderWay:
    """A job that has been launched."""

    job: TrialJob
    watched: Watched
    looks: int = field(default=0)
    """Looks since it ended."""


class JobsRunner:
    """Launches jobs under names that are written down before, and waits for them.

    Args:
        subject: What is launched.
        metric: What arms are compared by.
        poll_seconds: Seconds between two looks at running jobs.
        say: Prints a line.
    """

    def __init__(
        self,
        subject: LaunchedSubject,
        metric: TrialMetric,
        poll_seconds: float,
        say: Callable[[str], None],
    ) -> None:
        self._subject = subject
        self._metric = metric
        self._poll_seconds = poll_seconds
        self._say = say
        self._sources = JobSources()
        self._under_way: list[_UnderWay] = []
        self.parallel = subject.parallel

    def subject(self) -> Mapping[str, Any]:
        """Return what all jobs have in common, as far as it can be written down."""
        made = self._subject.make(SiftConfig(keep=1.0, enabled=False))
        return {
            "place": "jobs",
            "entry_point": str(getattr(made, "entry_point", None)),
            "instance_type": str(_of(made, "instance_type")),
            "instance_count": str(_of(made, "instance_count")),
            "inputs": _in_words(self._subject.inputs),
            "epochs_hyperparameter": self._subject.epochs_name,
            "seed_hyperparameter": self._subject.seed_name,
        }

    def problems(self, jobs: Sequence[TrialJob]) -> list[str]:
        """Name why a job could not be launched, as far as it can be known before."""
        problems = []
        for job in jobs:
            made = self._subject.make(job.config)
            problems += made_problems(job.arm.label, made) or _session_problems(made)
        return list(dict.fromkeys(problems))

    def name_for(self, job: TrialJob, known: str | None) -> str:
        """Return the name it was given before, so that no twin of it can be launched.

        A job on this machine ended with the process that ran it, and its folder is taken: it gets
        another name.
        """
        made = self._subject.make(job.config)
        if known is not None and not _is_local(made):
            return known
        base = str(made.base_job_name or _BASE).replace("_", "-")
        return labelled_name(base, job.key, datetime.now(timezone.utc))

    def start(self, job: TrialJob, name: str, *, again: bool) -> None:
        """Launch a job; one that AWS knows already is only waited for."""
        made = self._subject.make(job.config)
        copied = copy_for_job(made, job.config, name, self._subject.hyperparameters(job))
        if again and not _is_local(made) and self._is_known(name, made.sagemaker_session):
            self._add(job, name, made.sagemaker_session)
            return
        try:
            copied.fit(self._subject.inputs, wait=False, job_name=name)
        except SiftJobError as error:
            if _was_interrupted(made.sagemaker_session, name):
                raise KeyboardInterrupt from error
            if copied.latest_training_job is None:
                raise
            # It ran, and failed: on this machine `fit` comes back when a job has ended.
        if copied.latest_training_job is None:
            # The SDK's wrapper around fit() swallows Ctrl-C.
            raise KeyboardInterrupt
        self._under_way.append(_UnderWay(job, self._watched(copied)))

    def collect(self) -> list[tuple[TrialJob, Outcome]]:
        """Wait until a job has ended, through throttling and faults of AWS."""
        while True:
            ended = [
                (each, outcome)
                for each in self._under_way
                if (outcome := self._look(each)) is not None
            ]
            for each, _ in ended:
                self._under_way.remove(each)
            if ended or not self._under_way:
                return [(each.job, outcome) for each, outcome in ended]
            time.sleep(self._poll_seconds)

    def tidy(self, job: TrialJob) -> None:
        """Leave everything where it is: it is in the user's account."""

    def _look(self, each: _UnderWay) -> Outcome | None:
        watched_job = each.watched
        patience = self._patience(watched_job.name, watched_job.renew)
        description = patience.ask(watched_job.describe)
        if not has_ended(description.get("TrainingJobStatus")):
            return None
        now = datetime.now(timezone.utc)
        facts: JobFacts = patience.ask(lambda: watched_job.facts(description, now))
        score = self._score(description, facts, watched_job)
        outcome = Outcome.of(facts, score, self._metric)
        each.looks += 1
        is_late = facts.status == "Completed" and not outcome.counts
        return None if is_late and each.looks < _LOOKS_FOR_METRICS else outcome

    def _score(self, description: Mapping[str, Any], facts: JobFacts, job: Watched) -> float | None:
        """Return the last value of the metric: SageMaker's own word for it, else by the log."""
        for one in description.get("FinalMetricDataList") or ():
            if one.get("MetricName") == self._metric.name:
                return float(one["Value"])
        if self._metric.name == "sift:validation_accuracy":
            return facts.figures.validation_accuracy
        return self._metric.last_in(line.text for line in job.new_lines())

    def _is_known(self, name: str, session: Any) -> bool:
        job = self._found(name, session)
        patience = self._patience(name, job.renew)
        try:
            patience.ask(job.describe)
        except SiftJobError as error:
            if _is_unknown(error):
                return False
            raise
        return True

    def _add(self, job: TrialJob, name: str, session: Any) -> None:
        self._say(f"{job.title}: {name} was launched before, and is waited for")
        self._under_way.append(_UnderWay(job, self._found(name, session)))

    def _found(self, name: str, session: Any) -> Watched:
        found: Any = JobSources(session).find(name)
        return watched(found)

    def _watched(self, launched: Any) -> Watched:
        found: Any = self._sources.find(launched)
        return watched(found)

    def _patience(self, name: str, renew: Callable[[], bool]) -> Patience:
        return Patience(
            name,
            renew=renew,
            say=self._say,
            sleep=time.sleep,
            poll_seconds=self._poll_seconds,
        )


def _is_local(made: Any) -> bool:
    """Whether its jobs run on this machine, and end with this process."""
    return bool(getattr(getattr(made, "sagemaker_session", None), "local_mode", False))


def _was_interrupted(session: Any, name: str) -> bool:
    """Whether a HostSession's job was ended from outside, as by Ctrl-C."""
    has_job = getattr(session, "has_job", None)
    return callable(has_job) and has_job(name) and session.job(name).interrupted is not None


def _is_unknown(error: SiftJobError) -> bool:
    """Whether AWS says that there is no such job."""
    trouble = None if error.__cause__ is None else aws_trouble(error.__cause__)
    return trouble is not None and trouble.fault is NOT_FOUND


def _session_problems(made: Any) -> list[str]:
    session = getattr(made, "sagemaker_session", None)
    if _is_local(made) and not hasattr(session, "has_job"):
        problem = (
            "a trial cannot read what jobs in local mode report, for their log is not kept: use a "
            "HostSession, give the script itself, or an instance_type of SageMaker's"
        )
        return [problem]
    return []


def _of(made: Any, name: str) -> object:
    own = getattr(made, name, None)
    return own if own is not None else getattr(getattr(made, "compute", None), name, None)


def _in_words(inputs: Any) -> Any:
    """Return what can be written down and compared of what `fit` takes."""
    if isinstance(inputs, Mapping):
        return {str(name): _in_words(one) for name, one in inputs.items()}
    if inputs is None or isinstance(inputs, str):
        return inputs
    config = getattr(inputs, "config", None)
    return config if isinstance(config, dict) else type(inputs).__name__
