"""`keep_sweep`: one job for each share of the data, and their plain twin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from sift_toolkit.client._job_copies import copy_for_job
from sift_toolkit.client._job_factory import job_factory, made_problems
from sift_toolkit.client._job_names import labelled_name
from sift_toolkit.client._job_words import text_of_pairs
from sift_toolkit.client._sweep_plan import PlannedJob, plan_sweep
from sift_toolkit.client._sweep_wait import JobsUnderWay
from sift_toolkit.config import SiftConfig
from sift_toolkit.display import Row, html_table
from sift_toolkit.errors import SiftError, SiftRequestError, SiftSweepError

if TYPE_CHECKING:
    from sift_toolkit.client._compare import Comparison
    from sift_toolkit.client._compare_rows import Price

__all__ = ["Sweep", "keep_sweep"]

_POLL_SECONDS: Final = 30.0
_BASE: Final = "sift"


class Sweep:
    """Jobs launched together, one for each share to keep, and their plain twin.

    Args:
        jobs: By label, what each was launched from.
        names: By label, what each is called.
    """

    def __init__(self, jobs: Mapping[str, Any], names: Mapping[str, str]) -> None:
        self._jobs = dict(jobs)
        self._names = dict(names)

    @property
    def jobs(self) -> Mapping[str, Any]:
        """By label, "plain" and "keep=0.5", the estimator or trainer that launched the job."""
        return MappingProxyType(self._jobs)

    @property
    def names(self) -> Mapping[str, str]:
        """By label, the name of the training job."""
        return MappingProxyType(self._names)

    def __repr__(self) -> str:
        jobs = ", ".join(f"{label}: {name!r}" for label, name in self._names.items())
        return f"<Sweep of {len(self._names)} jobs: {jobs}>"

    def __str__(self) -> str:
        """The jobs, one a line: label, name and config."""
        pairs = ((label, f"{name}, {config}") for label, name, config in self._shown())
        return text_of_pairs(f"Sweep of {len(self._names)} jobs", pairs)

    def _repr_html_(self) -> str:
        rows = [Row(label, [name, config]) for label, name, config in self._shown()]
        titles = [["label"], ["training job"], ["config"]]
        return html_table(f"Sweep of {len(self._names)} jobs", titles, rows, text_columns=2)

    def _shown(self) -> Iterator[tuple[str, str, str]]:
        for label, name in self._names.items():
            yield label, name, str(self._jobs[label].sift_config)

    def wait(self, *, poll_seconds: float = _POLL_SECONDS) -> None:
        """Wait until all jobs have ended, through throttling and faults of AWS.

        Args:
            poll_seconds: Seconds between two looks at the jobs.

        Raises:
            SiftSweepError: jobs failed, once all have ended; it names each with its reason. A job
                that was stopped is no failure.
            SiftJobError: AWS would not tell; the jobs go on.
        """
        under_way = JobsUnderWay(poll_seconds)
        for label, job in self._jobs.items():
            under_way.add(label, job)
        under_way.wait(at_most=0)
        if failures := under_way.failures:
            reasons = "; ".join(
                f"{label} ({self._names[label]!r}): {reason}" for label, reason in failures.items()
            )
            msg = f"{len(failures)} of {len(self._jobs)} jobs failed: {reasons}"
            raise SiftSweepError(msg, self._names)

    def compare(self, *, price_per_hour: Price | None = None) -> Comparison:
        """Put the jobs side by side; see `sift_toolkit.compare`. They need not have ended.

        Args:
            price_per_hour: What one instance costs an hour, or {instance type: price}. Default: no
                money in the table.
        """
        from sift_toolkit.client._compare import compare

        return compare(self._jobs, price_per_hour=price_per_hour)


def keep_sweep(
    job: Any,
    shares: Iterable[float],
    *,
    config: SiftConfig | None = None,
    twin: bool = True,
    inputs: Any = None,
    wait: bool = False,
    max_parallel: int | None = None,
    poll_seconds: float = _POLL_SECONDS,
) -> Sweep:
    """Launch a job for each share of the data to keep, and their plain twin first.

    Each job is *job*'s own, but for its share, its name, which tells the share, and the folder of
    its checkpoints. With a HostSession, or in local mode, they run one after the other. Each reads
    your code anew: leave it alone until the last one is launched.

    Examples:
        >>> sweep = keep_sweep(
        ...     sift_estimator(SiftConfig(keep=0.5), ...),
        ...     [0.3, 0.5, 0.7],
        ...     inputs={"training": "s3://bucket/data"},
        ... )
        >>> sweep.wait()
        >>> print(sweep.compare(price_per_hour=1.41))

    Args:
        job: What `sift_estimator` or `sift_model_trainer` returned, or a function that returns such
            a one for a config, as ``lambda config: sift_estimator(config, ...)``.
        shares: The shares to keep, each above 0 to 1.
        config: What all jobs have in common, but for the share. Default: the config of *job*; of a
            function: nothing.
        twin: Also launch a job with sifting off, which the others are compared to.
        inputs: As `fit` takes them.
        wait: Return when all have ended.
        max_parallel: Jobs at a time; the next is launched when one has ended, and the call returns
            when the last is launched. Default: all at once.
        poll_seconds: Seconds between two looks at running jobs.

    Raises:
        SiftRequestError: a share or a job is none; nothing was launched.
        SiftSweepError: a job could not be launched, or failed while it was waited for; it says
            which were launched, and go on, and which were not.
        SiftJobError: the very first could not be launched.
    """
    make, base = job_factory(job, config)
    planned, problems = plan_sweep(base, shares, twin=twin)
    problems += _number_problems(max_parallel)
    if problems:
        raise SiftRequestError(problems)
    jobs, names = _copies(planned, make)
    launched = _launch(jobs, names, inputs, JobsUnderWay(poll_seconds), max_parallel)
    sweep = Sweep(jobs, launched)
    if wait:
        sweep.wait(poll_seconds=poll_seconds)
    return sweep


def _number_problems(max_parallel: object) -> list[str]:
    if max_parallel is None or (type(max_parallel) is int and max_parallel >= 1):
        return []
    return [f"max_parallel must be a whole number from 1, got {max_parallel!r}"]


def _copies(
    planned: Iterable[PlannedJob], make: Callable[[SiftConfig], Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Make all jobs, and the names they will have, before any of them is launched."""
    now = datetime.now(timezone.utc)
    jobs, names, problems = {}, {}, []
    for plan in planned:
        made = make(plan.config)
        problems += made_problems(plan.label, made)
        if not problems:
            base = str(made.base_job_name or _BASE).replace("_", "-")
            name = names[plan.label] = labelled_name(base, plan.word, now)
            jobs[plan.label] = copy_for_job(made, plan.config, name)
    if problems:
        raise SiftRequestError(list(dict.fromkeys(problems)))
    return jobs, names


def _launch(
    jobs: Mapping[str, Any],
    names: Mapping[str, str],
    inputs: Any,
    under_way: JobsUnderWay,
    max_parallel: int | None,
) -> dict[str, str]:
    """Launch the jobs in order; return the names of those launched, by label: all."""
    launched: dict[str, str] = {}
    label = ""
    try:
        for label, job in jobs.items():
            if max_parallel is not None:
                under_way.wait(at_most=max_parallel - 1)
            job.fit(inputs, wait=False, job_name=names[label])
            _require_started(job)
            launched[label] = names[label]
            if max_parallel is not None:
                under_way.add(label, job)
    except (Exception, KeyboardInterrupt) as error:
        if jobs[label].latest_training_job is not None:
            launched[label] = names[label]
        if not launched and isinstance(error, SiftError):
            raise
        left = [one for one in jobs if one not in launched]
        raise SiftSweepError(_message(label, error, launched, left), launched) from error
    return launched


def _require_started(job: Any) -> None:
    if job.latest_training_job is None:
        # The SDK's wrapper around fit() swallows Ctrl-C.
        raise KeyboardInterrupt


def _message(
    label: str, error: BaseException, launched: Mapping[str, str], left: Iterable[str]
) -> str:
    there = ", ".join(f"{one} ({name!r})" for one, name in launched.items())
    return (
        f"the sweep ended at {label}. Launched were {there or 'none'}: those that run go on. Not "
        f"launched were {', '.join(left) or 'none'}. {label}: {str(error) or type(error).__name__}"
    )
