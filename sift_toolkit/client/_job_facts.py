"""What is known of one training job, wherever it ran: how it ended, what it took and gave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.client._job_words import pairs_of_facts, text_of_pairs
from sift_toolkit.config import SiftConfig
from sift_toolkit.display import figures_html, pairs_table
from sift_toolkit.errors import SiftConfigError
from sift_toolkit.report import report_figures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sift_toolkit.report import SiftReport

__all__ = ["JobFacts", "elapsed_seconds", "facts_from", "has_ended", "read_config"]

_ENDED: Final = frozenset({"Completed", "Failed", "Stopped"})


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class JobFacts:
    """One training job, running or ended; what is not known of it is None, never guessed.

    Print it, or show it in a notebook.
    """

    name: str
    """The job's name, or the path of the file that speaks of it."""
    status: str | None = None
    """'InProgress', 'Completed', 'Failed', 'Stopping' or 'Stopped'; None: a file does not tell."""
    stage: str | None = None
    """What it is at, as 'Downloading', 'Training', 'Interrupted' or 'MaxRuntimeExceeded'."""
    failure_reason: str | None = None
    """Why it failed, in the job's or SageMaker's words."""
    elapsed_seconds: float | None = None
    """Seconds it has trained on its instances, waits between interruptions included."""
    billable_seconds: float | None = None
    """Seconds that each instance is billed for, known once the job has ended. On spot instances
    fewer than elapsed. A warm pool kept afterwards is billed beside them."""
    instance_type: str | None = None
    """As 'ml.g5.xlarge'; None for instance groups of several types."""
    instance_count: int | None = None
    """Instances, over all groups."""
    spot: bool | None = None
    """Whether it runs on spot instances."""
    config: SiftConfig | None = None
    """How it sifts; None: its hyperparameters say nothing of sifting, or are not known."""
    hyperparameters_known: bool = False
    """Whether `config` was looked for where it would stand."""
    figures: JobFigures
    """What it reported."""
    source: str | None = None
    """Where the figures were read: 'CloudWatch', 'log' or 'report'; None: nowhere."""
    notes: tuple[str, ...] = ()
    """What could not be found out, and why."""
    history: SiftReport | None = None
    """What it observed over time: its sift_report.json where that was read, else what its log or
    its charts tell; None: neither was."""

    def __repr__(self) -> str:
        return f"<JobFacts of {self.name}: {self.status or 'status not known'}>"

    def __str__(self) -> str:
        """All that is known, line by line."""
        return text_of_pairs(self.name, pairs_of_facts(self))

    def _repr_html_(self) -> str:
        figures = [] if self.history is None else report_figures(self.history)
        return pairs_table(f"Job {self.name}", pairs_of_facts(self)) + figures_html(figures)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return has_ended(self.status)

    @property
    def sifting_off(self) -> bool | None:
        """Whether it trains on everything; None: neither its config nor its log tells."""
        if self.config is not None:
            return not self.config.sifts
        if self.hyperparameters_known:
            return True
        share = self.figures.kept_share
        return None if share is None else share == 1

    @property
    def machine_seconds(self) -> float | None:
        """Billable seconds of all instances together."""
        if self.billable_seconds is None or self.instance_count is None:
            return None
        return self.billable_seconds * self.instance_count


def has_ended(status: str | None) -> bool:
    """Whether a job of this status is over."""
    return status in _ENDED


def elapsed_seconds(description: Mapping[str, Any], now: datetime) -> float | None:
    """Return a job's training time so far, None before it has started on its instances."""
    # The field of spot's own formula for savings, 1 - billable / training time.
    if (told := description.get("TrainingTimeInSeconds")) is not None:
        return float(told)
    start = description.get("TrainingStartTime")
    if start is None:
        return None
    end = description.get("TrainingEndTime")
    # A job that has ended without saying when does not run still.
    if end is None and has_ended(description.get("TrainingJobStatus")):
        return None
    # Local mode gives times without a zone.
    moments = [moment.astimezone(timezone.utc) for moment in (start, end or now)]
    return float(max((moments[1] - moments[0]).total_seconds(), 0.0))


def facts_from(
    description: Mapping[str, Any],
    figures: JobFigures,
    *,
    now: datetime,
    source: str | None = None,
    notes: tuple[str, ...] = (),
    history: SiftReport | None = None,
) -> JobFacts:
    """Put together what DescribeTrainingJob answered and what the job reported.

    Args:
        description: The answer of DescribeTrainingJob, the SDK's or HostJob's imitation of it.
        figures: What the job reported.
        now: The time, for a job that still runs.
        source: Where the figures were read.
        notes: What could not be found out.
        history: What it observed over time.
    """
    instance_type, instance_count = _instances(description.get("ResourceConfig") or {})
    billable = description.get("BillableTimeInSeconds")
    config, problem = read_config(description.get("HyperParameters"))
    return JobFacts(
        name=figures.name,
        status=description.get("TrainingJobStatus"),
        stage=description.get("SecondaryStatus"),
        failure_reason=description.get("FailureReason"),
        elapsed_seconds=elapsed_seconds(description, now),
        billable_seconds=None if billable is None else float(billable),
        instance_type=instance_type,
        instance_count=instance_count,
        spot=description.get("EnableManagedSpotTraining"),
        config=config,
        hyperparameters_known=problem is None and description.get("HyperParameters") is not None,
        figures=figures,
        source=source,
        notes=notes if problem is None else (*notes, problem),
        history=history,
    )


def _instances(resources: Mapping[str, Any]) -> tuple[str | None, int | None]:
    groups = resources.get("InstanceGroups")
    if not groups:
        return resources.get("InstanceType"), resources.get("InstanceCount")
    types = {group["InstanceType"] for group in groups}
    count = sum(group["InstanceCount"] for group in groups)
    return types.pop() if len(types) == 1 else None, count


def read_config(
    hyperparameters: Mapping[str, object] | None,
) -> tuple[SiftConfig | None, str | None]:
    """Return the config that *hyperparameters* carry, and in words why it cannot be read."""
    try:
        return SiftConfig.from_hyperparameters(hyperparameters or {}), None
    except SiftConfigError as error:
        return None, f"its sift config cannot be read: {'; '.join(error.problems)}"
