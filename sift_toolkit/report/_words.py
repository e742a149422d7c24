"""A job's figures in words, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sift_toolkit.metrics import (
    COUNTED_COST,
    ESTIMATED_SAVING,
    KEPT_SHARE,
    LOAD_SECONDS,
    PROGRESS,
    SCORE_SECONDS,
    TRAIN_LOSS,
    TRAIN_SECONDS,
    VALIDATION_ACCURACY,
    Metric,
)

__all__ = ["pairs_of_values", "stuck_words"]

_WORDS: Final = (
    (PROGRESS, "progress", "{:.0%} of the training"),
    (KEPT_SHARE, "kept", "{:.1%} of the samples seen"),
    (ESTIMATED_SAVING, "time saved", "{:.1%} against training on all, by the job's own estimate"),
    (COUNTED_COST, "counted cost", "{:.1%} of plain training's on the same data"),
    (VALIDATION_ACCURACY, "accuracy", "{:.2%} on held-out data"),
    (TRAIN_LOSS, "train loss", "{:.4g}"),
)
_MOST_IDS: Final = 8


def pairs_of_values(values: Mapping[Metric, float]) -> Iterator[tuple[str, str]]:
    """Yield what a job reported, a name and words each; what it did not is left out."""
    for metric, name, form in _WORDS:
        if metric in values:
            yield name, form.format(values[metric])
    parts = [values.get(part) for part in (LOAD_SECONDS, SCORE_SECONDS, TRAIN_SECONDS)]
    known = [part for part in parts if part is not None]
    if len(known) == len(parts):
        load, score, train = known
        split = f"loading {load:.1f}, scoring {score:.1f}, training loop {train:.1f}"
        yield "seconds", f"{sum(known):.1f} ({split})"


def stuck_words(ids: Sequence[int]) -> str:
    """Say how many samples are stuck at the top of the losses, and name the first of them."""
    named = ", ".join(map(str, ids[:_MOST_IDS]))
    more = len(ids) - _MOST_IDS
    return f"{len(ids)}: ids {named}" + (f" and {more} more" if more > 0 else "")
