"""What commands print: one JSON object, or short lines for people."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
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


def figures_json(figures: JobFigures) -> dict[str, Any]:
    """Return what a job reported, for JSON; null where it did not."""
    return {
        "progress": figures.progress,
        "kept_share": figures.kept_share,
        "estimated_saving": figures.estimated_saving,
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


def print_facts(facts: JobFacts) -> None:
    """Print all that is known of a job, its status in colour on a terminal."""
    from sift_toolkit.client._job_words import pairs_of_facts

    (name, status), *rest = pairs_of_facts(facts)
    color = _STATUS_COLORS.get(facts.status or "")
    print_pairs([(name, click.style(status, fg=color)), *rest])


@contextlib.contextmanager
def written(path: Path) -> Iterator[None]:
    """Make the folder that *path* is in, and say in words why it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise click.FileError(str(path), error.strerror or str(error)) from error
