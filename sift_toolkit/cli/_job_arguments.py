"""Jobs and prices as they are given on the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def price_option(command: Command) -> Command:
    """Add ``--price-per-hour``, for `price_of`."""
    option = click.option(
        "--price-per-hour",
        "prices",
        multiple=True,
        metavar="[TYPE=]PRICE",
        help="What one instance costs an hour; repeat it as TYPE=PRICE for several types.",
    )
    return option(command)


def labelled(jobs: Sequence[str]) -> dict[str, object]:
    """Return jobs by their labels, ``LABEL=JOB`` or the job's own.

    Raises:
        click.UsageError: a label is given twice.
    """
    found: dict[str, object] = {}
    for text in jobs:
        label, sign, job = text.partition("=")
        # A path may have such a sign in it; the name of a job has none.
        if not sign or Path(text).exists():
            label = job = text
        if label in found:
            msg = f"{label!r} is given more than once: give each job a label of its own, LABEL=JOB"
            raise click.UsageError(msg)
        found[label] = job
    return found


def price_of(texts: Sequence[str]) -> float | dict[str, float] | None:
    """Return the price of an hour, or one for each type; None where none is given.

    Raises:
        click.UsageError: one is no number, or it is not said for which type each is.
    """
    pairs = [text.rpartition("=") for text in texts]
    try:
        prices = [(kind, float(number)) for kind, _, number in pairs]
    except ValueError:
        msg = f"--price-per-hour must be a number, or TYPE=NUMBER, got {' '.join(texts)}"
        raise click.UsageError(msg) from None
    if any(kind for kind, _ in prices):
        return dict(prices)
    if len(prices) > 1:
        msg = "--price-per-hour is given more than once: say for which type each is, TYPE=PRICE"
        raise click.UsageError(msg)
    return prices[0][1] if prices else None
