"""Rows of a batch as plain tensors, words and numbers, and back in the form of another batch."""

from __future__ import annotations

from typing import Any, Final

from sift_toolkit.errors import SiftStateError
from sift_toolkit.outside import brief, damage_in_words
from sift_toolkit.sifting._batches import Batch
from sift_toolkit.sifting._containers import is_list, leaves, map_leaves
from sift_toolkit.sifting._layout import Layout
from sift_toolkit.sifting._plain_values import plain_value, value_of

_OF_THE_BATCH: Final = "of the batch"
"""Stands for a part that belongs to a batch as a whole, and that a checkpoint cannot hold."""


def plain_rows(batch: Batch, layout: Layout) -> dict[str, Any]:
    """Return the leaves of a batch; of a list of samples, the samples.

    Raises:
        SiftStateError: rows are made of what a checkpoint, which is read without running code,
            cannot hold.
    """
    samples = layout.samples_of(batch)
    try:
        if samples is not None:
            return {"samples": [plain_value(sample) for sample in samples]}
        return {"leaves": [_plain_leaf(leaf) for leaf in leaves(batch)]}
    except TypeError as error:
        msg = (
            "rows that wait for their batch cannot be saved: a checkpoint holds tensors, arrays, "
            f"words and numbers, and a sample has a {brief(str(error))}; return another form of "
            'it from the collate function, or set leftover="drop" and save between epochs'
        )
        raise SiftStateError(msg) from None


def _plain_leaf(leaf: Any) -> Any:
    try:
        return plain_value(leaf)
    except TypeError:
        if is_list(leaf):
            raise
        return {_OF_THE_BATCH: True}


def formed_rows(part: dict[str, Any], like: Batch, layout: Layout) -> Batch:
    """Return what `plain_rows` returned in the form of a batch, as `Layout.rows_first` gives it.

    Raises:
        SiftStateError: it was changed, or *like* is a batch of another form.
    """
    msg = "the saved rows that wait for their batch are of another form"
    with damage_in_words(msg):
        if "samples" in part:
            first = next(iter(layout.samples_of(like) or ()), None)
            return layout.of_samples([value_of(each, first) for each in part["samples"]], like)
        saved = iter(part["leaves"])
        if len(part["leaves"]) != sum(1 for _ in leaves(like)):
            raise SiftStateError(msg)
        return map_leaves(lambda values, _: _formed_leaf(next(saved), values[0]), [like])


def _formed_leaf(saved: Any, like: Any) -> Any:
    if isinstance(saved, dict) and _OF_THE_BATCH in saved:
        return like
    return value_of(saved, like)
