"""A batch of any common type, viewed as rows along dimension 0.

Tensors, arrays and lists in a batch hold rows: their dimension 0, or their length, is the number
of samples. Words, numbers, None and 0-dimensional tensors belong to the batch as a whole and are
kept as they are. Anything else is refused: it might hold samples nobody sees.
"""

from __future__ import annotations

import enum
import numbers
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from sift_toolkit.errors import SiftBatchError
from sift_toolkit.outside import brief
from sift_toolkit.sifting._containers import is_array, is_container, is_list, leaves, map_leaves

Batch: TypeAlias = Any
"""Whatever the user's collate function returns."""

Pad: TypeAlias = Callable[[Sequence[Tensor]], Sequence[Tensor]]
"""Brings tensors of different trailing sizes to one size, rows unchanged."""

_PLAIN = (list, tuple)
_SHARED = (
    type(None),
    str,
    bytes,
    numbers.Number,
    enum.Enum,
    os.PathLike,
    torch.dtype,
    torch.device,
)


def num_rows(batch: Batch) -> int:
    """Return how many samples a batch holds: dimension 0 of its first tensor or array.

    Raises:
        SiftBatchError: it holds no tensor, array or list.
    """
    # The usual forms first, which begin with a tensor: it is asked at each step.
    first = next(iter(batch.values()), None) if type(batch) is dict else batch
    if type(first) in _PLAIN and first:
        first = first[0]
    if isinstance(first, Tensor) and not first.is_nested and first.ndim:
        return int(first.shape[0])
    length = None
    for leaf in leaves(batch):
        if is_array(leaf) and not _is_nested(leaf) and leaf.ndim > 0:
            return int(leaf.shape[0])
        if length is None and is_list(leaf):
            length = len(leaf)
    if length is None:
        msg = (
            f"a batch of type {type(batch).__name__} holds no tensor, array or list with one entry "
            "a sample; return one from the collate function"
        )
        raise SiftBatchError(msg)
    return length


def take(batch: Batch, rows: Tensor) -> Batch:
    """Return a batch of the same type with only the given rows, in the given order.

    Args:
        batch: a batch of `num_rows` samples.
        rows: shape (kept,), int64, on the CPU.

    Raises:
        SiftBatchError: a part of the batch does not hold its samples in dimension 0.
    """
    count = num_rows(batch)
    rows_on: dict[torch.device, Tensor] = {}

    def take_leaf(values: list[Any], place: str) -> Any:
        (value,) = values
        if _is_shared(value):
            return value
        _check_rows(value, count, place)
        if isinstance(value, Tensor):
            device = value.device
            if device not in rows_on:
                rows_on[device] = rows.to(device)
            return value.index_select(0, rows_on[device])
        if is_array(value):
            return value[rows.numpy()]
        return type(value)([value[row] for row in rows.tolist()])

    return map_leaves(take_leaf, [batch])


def _is_shared(value: Any) -> bool:
    """Whether *value* belongs to the batch as a whole; numpy's scalars have no dimension either."""
    if isinstance(value, Tensor):
        return value.ndim == 0
    return isinstance(value, _SHARED) or getattr(value, "ndim", None) == 0


def _check_rows(value: Any, count: int, place: str) -> None:
    if is_list(value):
        if len(value) != count:
            msg = (
                f"{brief(place)} has {len(value)} entries, but the batch holds {count} samples: a "
                "list without tensors must hold one entry a sample"
            )
            raise SiftBatchError(msg)
        return
    _check_array(value, place)
    if value.shape[0] != count:
        msg = (
            f"{brief(place)} has shape {tuple(value.shape)}, but the batch holds {count} samples: "
            "dimension 0 must hold the samples in every tensor of a batch"
        )
        raise SiftBatchError(msg)


def _check_array(value: Any, place: str) -> None:
    if is_array(value) and not _is_nested(value):
        return
    msg = (
        f"{brief(place)} is of type {type(value).__name__}, whose samples cannot be told apart; "
        "return padded tensors and their lengths, or a mapping or dataclass of tensors"
    )
    raise SiftBatchError(msg)


def _is_nested(value: Any) -> bool:
    return bool(getattr(value, "is_nested", False))


def concat(parts: Sequence[Batch], pad: Pad | None = None) -> Batch:
    """Join batches of one type row after row; what they share is the first part's.

    Args:
        parts: at least one batch.
        pad: called with the tensors of one place when their trailing sizes differ.

    Raises:
        SiftBatchError: the parts do not have the same structure or trailing sizes.
    """
    if len(parts) == 1:
        return parts[0]
    return map_leaves(lambda values, place: _join(values, pad, place), parts)


def _join(values: list[Any], pad: Pad | None, place: str) -> Any:
    if all(_is_shared(value) for value in values):
        return values[0]
    kinds = {_kind(value) for value in values}
    if len(kinds) > 1:
        msg = f"{brief(place)} changes its type from batch to batch: {', '.join(sorted(kinds))}"
        raise SiftBatchError(msg)
    first = values[0]
    if is_list(first):
        return type(first)([entry for value in values for entry in value])
    return _join_arrays(values, pad, place)


def _join_arrays(values: list[Any], pad: Pad | None, place: str) -> Any:
    first = values[0]
    for value in values:
        _check_array(value, place)
    sizes = _trailing_sizes(values)
    if len(sizes) > 1 and pad is not None and isinstance(first, Tensor):
        values = _padded(values, pad, place)
        sizes = _trailing_sizes(values)
    if len(sizes) > 1:
        msg = (
            f"{brief(place)} has samples of different sizes in different batches: "
            f"{', '.join(map(str, sorted(sizes)))}; give `pad=` to bring tensors to one size"
        )
        raise SiftBatchError(msg)
    if isinstance(first, Tensor):
        return torch.cat(values)
    try:
        return sys.modules["numpy"].concatenate(values)
    except TypeError as error:
        msg = f"{brief(place)} changes its dtype from batch to batch: {error}"
        raise SiftBatchError(msg) from error


def _kind(value: Any) -> str:
    """Return in words what must not change from batch to batch."""
    if not is_array(value):
        return type(value).__name__ + (" of tensors" if is_container(value) else "")
    name = _layout(value) + "tensor" if isinstance(value, Tensor) else "array"
    return name if value.ndim else f"{name} without dimensions"


def _layout(tensor: Tensor) -> str:
    return "" if tensor.layout == torch.strided else f"{tensor.layout} "


def _trailing_sizes(values: list[Any]) -> set[tuple[int, ...]]:
    return {tuple(value.shape[1:]) for value in values}


def _padded(values: list[Tensor], pad: Pad, place: str) -> list[Tensor]:
    # One that pads by name is asked for the pad of this place.
    at = getattr(pad, "at", None)
    padded = list(pad(values) if at is None else at(place)(values))
    before, after = ([len(tensor) for tensor in tensors] for tensors in (values, padded))
    if before != after:
        msg = (
            f"`pad=` changed the number of samples of {brief(place)}: given {before}, "
            f"returned {after}"
        )
        raise SiftBatchError(msg)
    return padded


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Return the batch with its tensors on *device*; the very same batch if they are there.

    Objects that are no tensors but have a method `to`, such as packed sequences, are moved by it.
    """

    def moves(leaf: object) -> bool:
        if isinstance(leaf, Tensor):
            return leaf.device != device
        return callable(getattr(leaf, "to", None))

    def move(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return leaf.to(device)
        # Towards the CPU nothing would wait for the copy to end.
        return leaf.to(device, non_blocking=device.type != "cpu")

    if not any(moves(leaf) for leaf in leaves(batch)):
        return batch
    return map_leaves(lambda values, _: move(values[0]) if moves(values[0]) else values[0], [batch])
