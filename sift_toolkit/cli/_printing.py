"""What commands print: one JSON object, or short lines for people."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from sift_toolkit.outside import one_line

if TYPE_CHECKING:
    from sift_toolkit.client._job_facts import JobFacts
    from sift_toolkit.client._job_figures import JobFigures

UNKNOWN: Final = "not known"
_STATUS_COLORS: Final = {"Completed": "green", "Failed": "red", "Stopped": "yellow"}


def print_json(content: object) -> None:
    """Print one JSON object."""
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
    # Half a pair of surrogates, which JSON may hold, is no text: spelled out, JSON reads it again.
    click.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def print_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Print names and what they are, one a line, under one another."""
    pairs = list(pairs)
    width = max((len(name) for name, _ in pairs), default=0)
    for name, text in pairs:
        click.echo(f"  {name:<{width}}  {text}")


def status_text(status: str | None) -> str:
    """Return a job's status, in colour on a terminal."""
    return click.style(one_line(status or UNKNOWN), fg=_STATUS_COLORS.get(status or ""))


def duration(seconds: float) -> str:
    """Return seconds as minutes and seconds, with hours where there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def figure_pairs(figures: JobFigures) -> Iterator[tuple[str, str]]:
    """Yield what a job reported, in words; what it did not is left out."""
    shares = (
        ("progress", figures.progress, "{:.0%} of the training"),
        ("kept", figures.kept_share, "{:.1%} of the samples seen"),
        ("counted cost", figures.counted_cost, "{:.1%} of plain training's on the same data"),
        ("accuracy", figures.validation_accuracy, "{:.2%} on held-out data"),
        ("train loss", figures.train_loss, "{:.4g}"),
    )
    for name, value, form in shares:
        if value is not None:
            yield name, form.format(value)
    if figures.training_seconds is not None:
        parts = (
            f"loading {figures.load_seconds:.1f}",
            f"scoring {figures.score_seconds:.1f}",
            f"training loop {figures.train_seconds:.1f}",
        )
        yield "seconds", f"{figures.training_seconds:.1f} ({', '.join(parts)})"


def figures_json(figures: JobFigures) -> dict[str, Any]:
    """Return what a job reported, for JSON; null where it did not."""
    return {
        "progress": figures.progress,
        "kept_share": figures.kept_share,
        "counted_cost": figures.counted_cost,
        "load_seconds": figures.load_seconds,
        "score_seconds": figures.score_seconds,
        "train_seconds": figures.train_seconds,
        "training_seconds": figures.training_seconds,
        "train_loss": figures.train_loss,
        "validation_accuracy": figures.validation_accuracy,
    }


def facts_json(facts: JobFacts) -> dict[str, Any]:
    """Return all that is known of a job, for JSON; null where it is not."""
    return {
        "job": facts.name,
        "status": facts.status,
        "stage": facts.stage,
        "failure_reason": facts.failure_reason,
        "elapsed_seconds": facts.elapsed_seconds,
        "billable_seconds": facts.billable_seconds,
        "instance_type": facts.instance_type,
        "instance_count": facts.instance_count,
        "spot": facts.spot,
        "config": None if facts.config is None else dataclasses.asdict(facts.config),
        "figures": figures_json(facts.figures),
        "source": facts.source,
        "notes": list(facts.notes),
    }


def facts_pairs(facts: JobFacts) -> Iterator[tuple[str, str]]:
    """Yield all that is known of a job, in words."""
    yield (
        "status",
        status_text(facts.status) + (f", {one_line(facts.stage)}" if facts.stage else ""),
    )
    if facts.failure_reason:
        yield "failed", " ".join(one_line(facts.failure_reason).split())
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
    if facts.config is not None:
        yield "config", str(facts.config)
    elif facts.hyperparameters_known:
        yield "config", "none: it knows nothing of sifting"
    yield from figure_pairs(facts.figures)
    if facts.source is not None:
        yield "figures from", facts.source
    for note in facts.notes:
        yield "note", one_line(note)
