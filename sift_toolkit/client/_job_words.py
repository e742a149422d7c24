"""All that is known of a job in words, for a terminal and for a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sift_toolkit.outside import one_line
from sift_toolkit.report import pairs_of_values, stuck_words

if TYPE_CHECKING:
    from sift_toolkit.client._job_facts import JobFacts

__all__ = ["duration", "pairs_of_facts", "text_of_pairs"]

_UNKNOWN: Final = "not known"


def duration(seconds: float) -> str:
    """Return seconds as minutes and seconds, with hours where there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def pairs_of_facts(facts: JobFacts) -> Iterator[tuple[str, str]]:
    """Yield all that is known of a job, a name and words each; its status first."""
    status = one_line(facts.status or _UNKNOWN)
    yield "status", status + (f", {one_line(facts.stage)}" if facts.stage else "")
    if facts.failure_reason:
        yield "failed", " ".join(one_line(facts.failure_reason).split())
    yield from _place_pairs(facts)
    if facts.config is not None:
        yield "config", str(facts.config)
    elif facts.hyperparameters_known:
        yield "config", "none: it knows nothing of sifting"
    yield from pairs_of_values(facts.figures.values)
    if facts.history is not None and (ids := facts.history.stuck_ids):
        yield "stuck at the top", stuck_words(ids)
    if facts.source is not None:
        yield "figures from", facts.source
    for note in facts.notes:
        yield "note", one_line(note)


def _place_pairs(facts: JobFacts) -> Iterator[tuple[str, str]]:
    if facts.elapsed_seconds is not None:
        billed = facts.billable_seconds
        yield (
            "time",
            duration(facts.elapsed_seconds)
            + ("" if billed is None else f" on its instances, {duration(billed)} billed for each"),
        )
    if facts.instance_type is not None:
        spot = ", spot" if facts.spot else ""
        yield "instances", f"{facts.instance_count} x {facts.instance_type}{spot}"


def text_of_pairs(head: str, pairs: Iterator[tuple[str, str]]) -> str:
    """Return a head, and below it names and what they are, one a line, under one another."""
    known = list(pairs)
    width = max((len(name) for name, _ in known), default=0)
    return "\n".join([head, *(f"  {name:<{width}}  {words}" for name, words in known)])
