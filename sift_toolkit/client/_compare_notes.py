"""What a comparison says in words: what it is compared to, what is missing, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sift_toolkit.client._compare_columns import shown_columns
from sift_toolkit.client._compare_rows import ComparedJob, Price, is_finished, price_is_ambiguous
from sift_toolkit.client._job_facts import JobFacts
from sift_toolkit.outside import one_line

__all__ = ["notes_of"]

_MOST: Final = 300
"""Characters of a failure reason that a note repeats."""

_NO_TWIN: Final = (
    "No job here has sifting off, so there is nothing to compare to: add one that ran with "
    "SiftConfig(..., enabled=False), or config.plain_twin()."
)
_MEANING: Final = (
    (
        {"billable_seconds", "cost_money", "cost_saved_percent"},
        "Cost: billable seconds of all instances, which is what AWS charges for.",
    ),
    (
        {"load_seconds", "score_seconds", "train_seconds"},
        "Training: seconds loading, scoring and training, as the job measured them.",
    ),
    (
        {"counted_cost_percent"},
        (
            "Counted: passes made, a scored sample as a third of a trained one; counted cost is of "
            "plain training on the same data."
        ),
    ),
    (
        {"cost_saved_percent", "training_time_saved_percent", "counted_saved_percent"},
        "Saved: of the twin's.",
    ),
)
"""What columns mean; said where one of them is shown."""


def notes_of(jobs: Sequence[ComparedJob], price: Price | None) -> tuple[str, ...]:
    """Return whole sentences; jobs that share one are named together."""
    twin = next((job for job in jobs if job.is_twin), None)
    said: dict[str, list[str]] = {}
    for job in jobs:
        for sentence in (*_about(job.facts), *_beside(job, twin, price)):
            said.setdefault(sentence, []).append(job.label)
    notes = (
        *_head(jobs, twin, price),
        *(f"{', '.join(labels)}: {sentence}." for sentence, labels in said.items()),
        *_sources(jobs),
        *_meanings(jobs),
    )
    return tuple(map(one_line, notes))


def _head(
    jobs: Sequence[ComparedJob], twin: ComparedJob | None, price: Price | None
) -> Iterator[str]:
    if twin is None:
        yield _NO_TWIN
    elif len(jobs) > 1:
        by_log = twin.facts.config is None and not twin.facts.hyperparameters_known
        why = "which kept every sample" if by_log else "which has sifting off"
        yield f"Compared to {twin.label}, {why}."
    if price_is_ambiguous((job.facts for job in jobs), price):
        yield (
            "Left out: the cost in money, for there is one price and more than one type of "
            "instance; give price_per_hour={type: price}."
        )


def _about(facts: JobFacts) -> Iterator[str]:
    if facts.failure_reason:
        yield f"failed, saying {_one_line(facts.failure_reason)}"
    if facts.stage in {"MaxRuntimeExceeded", "MaxWaitTimeExceeded"}:
        yield f"was stopped by its time limit ({facts.stage})"
    progress = facts.figures.progress
    if facts.status is None and progress is not None and progress < 1:
        yield f"the file ends at {progress:.0%} of the training"
    yield from facts.notes
    if missing := _missing(facts):
        yield missing


def _missing(facts: JobFacts) -> str | None:
    figures = facts.figures
    reported = {
        "kept share": figures.kept_share,
        "load seconds": figures.load_seconds,
        "score seconds": figures.score_seconds,
        "train seconds": figures.train_seconds,
        "counted cost": figures.counted_cost,
        "validation accuracy": figures.validation_accuracy,
    }
    yet = " yet" if facts.status is not None and not facts.ended else ""
    absent = [name for name, value in reported.items() if value is None]
    if len(absent) == len(reported):
        return f"no metric of sifting was reported{yet}"
    if not absent:
        return None
    hint = ""
    if absent[-1] == "validation accuracy":
        hint = " (a script reports it with loader.record(validation_accuracy=...))"
    return f"not reported{yet}: {', '.join(absent)}{hint}"


def _beside(job: ComparedJob, twin: ComparedJob | None, price: Price | None) -> Iterator[str]:
    facts = job.facts
    if isinstance(price, Mapping) and facts.machine_seconds is not None and job.cost_money is None:
        yield f"price_per_hour has no price for {facts.instance_type or 'its instance groups'}"
    if price is not None and facts.machine_seconds is None:
        yet = "" if facts.status is None or facts.ended else " yet"
        yield f"no cost in money, for how long it is billed for is not known{yet}"
    if twin is None or job.is_twin:
        return
    if not is_finished(facts):
        yield f"not compared, for it {_state(facts)}: cost and accuracy are not whole"
        return
    if not is_finished(twin.facts):
        yield f"not compared, for its twin {twin.label} {_state(twin.facts)}"
        return
    ours, others = facts.instance_type, twin.facts.instance_type
    if ours != others and None not in {facts.machine_seconds, twin.facts.machine_seconds}:
        told = f"ran on {ours or 'several types'}, the twin on {others or 'several types'}"
        cure = "" if job.cost_saved is not None else "; to compare the cost give price_per_hour="
        yield told + (cure and cure + "{type: price}")
    if bool(facts.spot) != bool(twin.facts.spot) and job.cost_saved is not None:
        on_spot = (
            "it ran on spot instances and its twin did not"
            if facts.spot
            else ("its twin ran on spot instances and it did not")
        )
        yield f"{on_spot}, so the cost saved is not sifting's alone"


def _state(facts: JobFacts) -> str:
    if facts.status is not None:
        return f"is {facts.status}"
    return "ends before the training does, or ended it early: its name or its folder would tell"


def _meanings(jobs: Sequence[ComparedJob]) -> Iterator[str]:
    shown = {column.key for column in shown_columns(jobs)}
    if words := [meaning for keys, meaning in _MEANING if keys & shown]:
        yield " ".join(words)


def _sources(jobs: Sequence[ComparedJob]) -> Iterator[str]:
    charted = [job.label for job in jobs if job.facts.source == "CloudWatch"]
    if charted:
        whose = "" if len(charted) == len(jobs) else f" of {', '.join(charted)}"
        yield (
            f"Metrics{whose} are from CloudWatch, which keeps one number a period; last values are "
            "those SageMaker names as final, else the last period's."
        )


def _one_line(reason: str) -> str:
    text = " ".join(one_line(reason).split()).rstrip(".")
    return text if len(text) <= _MOST else text[: _MOST - 3] + "..."
