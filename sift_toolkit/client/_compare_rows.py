"""What one job took and gave beside its twin: numbers, and no guess where one cannot be told."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sift_toolkit.client._comparison import Spread, TwinComparison
from sift_toolkit.client._job_facts import JobFacts
from sift_toolkit.errors import SiftUsageError

__all__ = ["ComparedJob", "Price", "compare_jobs", "is_finished", "price_is_ambiguous", "twin_of"]

Price: TypeAlias = float | Mapping[str, float]
"""Money for one instance and hour: one number, or one for each instance type."""

_HOUR = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparedJob:
    """One job beside its twin; a number that cannot be told is None."""

    label: str
    facts: JobFacts
    cost_money: float | None = None
    """Price * instances * billable hours, in the price's currency."""
    is_twin: bool = False
    """Whether it is the one that the others are compared to."""
    saved_money: float | None = None
    """How much less it cost than the twin; negative: more."""
    cost_saved: float | None = None
    """Share saved of the twin's cost: of its billable seconds * instances."""
    training_time_saved: float | None = None
    """Share saved of the twin's seconds loading, scoring and training."""
    counted_saved: float | None = None
    """Share saved of the twin's passes, a scored sample a third of a trained one."""
    accuracy_difference: float | None = None
    """Validation accuracy minus the twin's, in percentage points."""


def is_finished(facts: JobFacts) -> bool:
    """Whether a job came to its own end, so that its cost and accuracy are whole.

    A file tells by how far the training is; one that does not say that is taken for whole.
    """
    if facts.status is not None:
        return facts.status == "Completed"
    progress = facts.figures.progress
    return progress is None or progress >= 1


def twin_of(jobs: Mapping[str, JobFacts]) -> str | None:
    """Return the job that sifts nothing which the others are compared to; None: all sift.

    One that has finished; of several the one of most passes, which is plain training in full, and
    the first where they are the same or not known.
    """
    plain = [label for label, facts in jobs.items() if facts.sifting_off]
    candidates = [label for label in plain if is_finished(jobs[label])] or plain
    passes = {label: jobs[label].figures.passes for label in candidates}
    known = {label: number for label, number in passes.items() if number is not None}
    if len(known) < len(candidates):
        return candidates[0]
    # The first of equals.
    return max(known, key=known.__getitem__, default=None)


def compare_jobs(jobs: Mapping[str, JobFacts], price: Price | None = None) -> list[ComparedJob]:
    """Put each of *jobs* beside the twin among them.

    Raises:
        SiftUsageError: a price is no positive number.
    """
    _check_price(price)
    usable = None if price_is_ambiguous(jobs.values(), price) else price
    rows = {
        label: ComparedJob(label=label, facts=facts, cost_money=_cost(facts, usable))
        for label, facts in jobs.items()
    }
    label = twin_of(jobs)
    if label is None:
        return list(rows.values())
    twin = rows[label] = dataclasses.replace(rows[label], is_twin=True)
    return [row if row.is_twin else _beside(row, twin) for row in rows.values()]


def price_is_ambiguous(jobs: Iterable[JobFacts], price: Price | None) -> bool:
    """Whether one price is given for machines of several types."""
    types = {facts.instance_type for facts in jobs if facts.machine_seconds is not None}
    return price is not None and not isinstance(price, Mapping) and len(types) > 1


def _beside(job: ComparedJob, twin: ComparedJob) -> ComparedJob:
    if not is_finished(job.facts) or not is_finished(twin.facts):
        return job
    pair = TwinComparison(label=job.label, plain=(twin.facts.figures,), sifted=(job.facts.figures,))
    return dataclasses.replace(
        job,
        saved_money=_less(twin.cost_money, job.cost_money),
        cost_saved=_cost_saved(job, twin),
        training_time_saved=_center(pair.measured_saving),
        counted_saved=_center(pair.counted_saving),
        accuracy_difference=_center(pair.difference),
    )


def _cost_saved(job: ComparedJob, twin: ComparedJob) -> float | None:
    spent, of_twin = job.cost_money, twin.cost_money
    if job.facts.instance_type == twin.facts.instance_type is not None:
        spent, of_twin = job.facts.machine_seconds, twin.facts.machine_seconds
    return None if spent is None or not of_twin else 1 - spent / of_twin


def _cost(facts: JobFacts, price: Price | None) -> float | None:
    if isinstance(price, Mapping):
        price = price.get(facts.instance_type or "")
    if price is None or facts.machine_seconds is None or facts.instance_type is None:
        return None
    return price * facts.machine_seconds / _HOUR


def _check_price(price: object) -> None:
    prices = price.values() if isinstance(price, Mapping) else () if price is None else (price,)
    if all(_is_price(each) for each in prices):
        return
    msg = (
        "price_per_hour must be a positive number, what one instance costs an hour, or one for "
        f"each instance type as {{'ml.g5.xlarge': 1.41}}, got {price!r}"
    )
    raise SiftUsageError(msg)


def _is_price(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value > 0


def _less(twin: float | None, job: float | None) -> float | None:
    return None if twin is None or job is None else twin - job


def _center(spread: Spread | None) -> float | None:
    return None if spread is None else spread.center
