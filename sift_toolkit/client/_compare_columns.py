"""The columns of a comparison, each declared once: its key, its title, its number, its form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from sift_toolkit.client._compare_rows import ComparedJob
from sift_toolkit.outside import one_line

__all__ = ["COLUMNS", "Column", "Value", "record_of", "shown_columns", "status_text"]

Value: TypeAlias = str | float | int | bool | None

_ABSENT: Final = "-"


@dataclass(frozen=True, slots=True)
class Column:
    """One number of each job."""

    key: str
    """Its name in a record and in a DataFrame, with its unit."""
    title: tuple[str, str]
    """The two lines above it."""
    value: Callable[[ComparedJob], float | None]
    form: str
    """As for `format`."""
    small: tuple[float, str] | None = None
    """Below so much in all of the column: another form, with more decimals."""
    of_time: bool = False
    """Whether it stands in the second table, about where the time went."""
    beside_twin: bool = False
    """Whether it compares with the twin, which then has none itself."""

    def cells(self, jobs: Sequence[ComparedJob]) -> list[str]:
        """Return what stands in the table, with as many decimals for each job."""
        values = [self.value(job) for job in jobs]
        form = self.form
        largest = max((abs(value) for value in values if value is not None), default=0.0)
        if self.small is not None and largest < self.small[0]:
            form = self.small[1]
        return [
            format(value, form)
            if value is not None
            else ("" if self.beside_twin and job.is_twin else _ABSENT)
            for job, value in zip(jobs, values, strict=True)
        ]


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


_SMALL_SECONDS: Final = (1000, ",.1f")

COLUMNS: Final = (
    Column(
        "kept_percent",
        ("data", "kept %"),
        lambda job: _percent(job.facts.figures.kept_share),
        ".1f",
    ),
    Column(
        "elapsed_seconds",
        ("elapsed", "s"),
        lambda job: job.facts.elapsed_seconds,
        ",.0f",
        _SMALL_SECONDS,
    ),
    Column(
        "billable_seconds",
        ("billable", "s"),
        lambda job: job.facts.billable_seconds,
        ",.0f",
        _SMALL_SECONDS,
    ),
    Column("cost_money", ("cost", "money"), lambda job: job.cost_money, ",.3f"),
    Column(
        "saved_money",
        ("saved", "money"),
        lambda job: job.saved_money,
        ",.3f",
        beside_twin=True,
    ),
    Column(
        "cost_saved_percent",
        ("cost", "saved %"),
        lambda job: _percent(job.cost_saved),
        ".1f",
        beside_twin=True,
    ),
    Column(
        "accuracy_percent",
        ("accuracy", "%"),
        lambda job: _percent(job.facts.figures.validation_accuracy),
        ".2f",
    ),
    Column(
        "accuracy_difference_points",
        ("difference", "in points"),
        lambda job: job.accuracy_difference,
        "+.2f",
        beside_twin=True,
    ),
    Column(
        "load_seconds",
        ("load", "s"),
        lambda job: job.facts.figures.load_seconds,
        ",.0f",
        small=_SMALL_SECONDS,
        of_time=True,
    ),
    Column(
        "score_seconds",
        ("score", "s"),
        lambda job: job.facts.figures.score_seconds,
        ",.0f",
        small=_SMALL_SECONDS,
        of_time=True,
    ),
    Column(
        "train_seconds",
        ("train", "s"),
        lambda job: job.facts.figures.train_seconds,
        ",.0f",
        small=_SMALL_SECONDS,
        of_time=True,
    ),
    Column(
        "training_time_saved_percent",
        ("training", "saved %"),
        lambda job: _percent(job.training_time_saved),
        ".1f",
        of_time=True,
        beside_twin=True,
    ),
    Column(
        "counted_cost_percent",
        ("counted", "cost %"),
        lambda job: _percent(job.facts.figures.counted_cost),
        ".1f",
        of_time=True,
    ),
    Column(
        "counted_saved_percent",
        ("counted", "saved %"),
        lambda job: _percent(job.counted_saved),
        ".1f",
        of_time=True,
        beside_twin=True,
    ),
)
"""Every number of a comparison, in order."""


def shown_columns(jobs: Sequence[ComparedJob]) -> list[Column]:
    """Return the columns in which any of *jobs* has a number."""
    return [column for column in COLUMNS if any(column.value(job) is not None for job in jobs)]


def status_text(job: ComparedJob) -> str:
    """Say how a job stands: its status, how far it is, and whether on spot."""
    facts = job.facts
    words = [facts.status or "file"]
    progress = facts.figures.progress
    if facts.status not in {"Completed", None} and progress is not None:
        words.append(f"{progress:.0%}")
    return one_line(" ".join(words)) + (", spot" if facts.spot else "")


def record_of(job: ComparedJob) -> dict[str, Value]:
    """Return everything about one job that a table of data holds, by the column's name."""
    facts = job.facts
    return {
        "job": job.label,
        "training_job_name": facts.name,
        "status": facts.status,
        "is_twin": job.is_twin,
        "sifting_off": facts.sifting_off,
        "instance_type": facts.instance_type,
        "instance_count": facts.instance_count,
        "spot": facts.spot,
        **{column.key: column.value(job) for column in COLUMNS},
        "failure_reason": facts.failure_reason,
    }
