"""Rows of a batch as plain tensors, words and numbers, and back in the form of another batch."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Final

from torch import Tensor

from sift_toolkit.errors import SiftStateError
from sift_toolkit.outside import brief, damage_in_words
from sift_toolkit.sifting._batches import Batch
from sift_toolkit.sifting._containers import is_array, is_list, leaves, map_leaves
from sift_toolkit.sifting._layout import Layout

_WORDS_AND_NUMBERS: Final = (type(None), bool, int, float, complex, str, bytes)
_SHORT_DTYPE: Final = re.compile(r"[<>|=]?[a-zA-Z][0-9]{0,9}(\[[0-9]{0,9}[a-zA-Z]{1,7}\])?")
"""A dtype without fields, in numpy's short form: it would parse much more."""
_OF_THE_BATCH: Final = {"shared": True}
"""Stands for a part that belongs to a batch as a whole, and that a checkpoint cannot hold."""


def plain_rows(batch: Batch, layout: Layout) -> dict[str, Any]:
    """Return the leaves of a batch; of a list of samples, the samples.

    Raises:
        SiftStateError: rows are made of what a checkpoint, which is read without running code,
            cannot hold.
    """
    samples = layout.samples_of(batch)
    if samples is not None:
        return {"samples": [_plain_entry(sample) for sample in samples]}
    return {"leaves": [_plain_leaf(leaf) for leaf in leaves(batch)]}


def _plain_leaf(leaf: Any) -> Any:
    if isinstance(leaf, Tensor) or type(leaf) in _WORDS_AND_NUMBERS:
        return leaf
    if is_array(leaf):
        return _plain_array(leaf)
    if is_list(leaf):
        return [_plain_entry(entry) for entry in leaf]
    return _OF_THE_BATCH


def _plain_array(array: Any) -> dict[str, Any]:
    if array.dtype.hasobject:
        return {"objects": _plain_entry(array.ravel().tolist()), "shape": list(array.shape)}
    # What has fields has no short name: it is the other batch's.
    dtype = array.dtype.str if array.dtype.names is None else None
    return {"bytes": array.tobytes(), "shape": list(array.shape), "dtype": dtype}


def _plain_entry(entry: Any) -> Any:
    if isinstance(entry, Tensor) or type(entry) in _WORDS_AND_NUMBERS:
        return entry
    if isinstance(entry, dict):
        return {key: _plain_entry(value) for key, value in entry.items()}
    if is_list(entry):
        return [_plain_entry(value) for value in entry]
    if isinstance(entry, os.PathLike):
        return os.fspath(entry)
    if _is_scalar(entry):
        return entry.item()
    msg = (
        "rows that wait for their batch cannot be saved: a checkpoint holds tensors, arrays, words "
        f"and numbers, and a sample has a {type(entry).__name__}, {brief(repr(entry))}; return "
        'another form of it from the collate function, or set leftover="drop" and save between '
        "epochs"
    )
    raise SiftStateError(msg)


def _is_scalar(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.number | numpy.bool_ | numpy.str_)


def formed_rows(part: dict[str, Any], like: Batch, layout: Layout) -> Batch:
    """Return what `plain_rows` returned in the form of a batch, as `Layout.rows_first` gives it.

    Raises:
        SiftStateError: it was changed, or *like* is a batch of another form.
    """
    msg = "the saved rows that wait for their batch are of another form"
    with damage_in_words(msg):
        if "samples" in part:
            return layout.of_samples(part["samples"], like)
        saved = iter(part["leaves"])
        if len(part["leaves"]) != sum(1 for _ in leaves(like)):
            raise SiftStateError(msg)
        return map_leaves(lambda values, _: _formed_leaf(next(saved), values[0]), [like])


def _formed_leaf(saved: Any, like: Any) -> Any:
    if isinstance(like, Tensor):
        return saved
    if is_array(like):
        return _formed_array(saved, like)
    if is_list(like):
        first = like[0] if like else None
        return type(like)(_formed_entry(entry, first) for entry in saved)
    return like if saved == _OF_THE_BATCH else saved


def _formed_array(saved: dict[str, Any], like: Any) -> Any:
    numpy = sys.modules["numpy"]
    if "objects" in saved:
        # One by one: of lists in it numpy would make dimensions.
        objects = numpy.empty(len(saved["objects"]), dtype=object)
        for place, entry in enumerate(saved["objects"]):
            objects[place] = entry
        return objects.reshape(saved["shape"])
    dtype = like.dtype if saved["dtype"] is None else saved["dtype"]
    if isinstance(dtype, str) and not _SHORT_DTYPE.fullmatch(dtype):
        raise ValueError(dtype)
    return numpy.frombuffer(saved["bytes"], dtype).reshape(saved["shape"]).copy()


def _formed_entry(saved: Any, like: Any) -> Any:
    restores = isinstance(like, os.PathLike) or _is_scalar(like)
    if not restores:
        return saved
    if type(saved) not in _WORDS_AND_NUMBERS:
        # A tensor, say: of it numpy would make an array, with its numbers cast.
        raise TypeError(type(saved))
    return type(like)(saved)
