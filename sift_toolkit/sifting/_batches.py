"""A batch of any common type, viewed as rows along dimension 0.

Containers (tuple, list, named tuple, mapping, dataclass, nested) are walked; what they hold is

- rows: tensors and arrays whose dimension 0 is the number of rows, and lists with one entry a row;
- shared: everything else (None, a word, a number, a 0-dimensional tensor): kept as it is.

A list or tuple of tensors is a list of features, each with all rows, as PyTorch's default collate
makes it; one whose tensors are not that long, but which has one entry a row, is a list of rows.
"""

from __future__ import annotations

import copy
import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from sift_toolkit.errors import SiftBatchError

Batch: TypeAlias = Any
"""Whatever the user's collate function returns."""

Pad: TypeAlias = Callable[[Sequence[Tensor]], Sequence[Tensor]]
"""Brings tensors of different trailing sizes to one size, rows unchanged."""


def num_rows(batch: Batch) -> int:
    """Return how many samples a batch holds.

    Raises:
        SiftBatchError: nothing in it has a dimension for samples.
    """
    for leaf in _leaves(batch):
        if _is_array(leaf) and leaf.ndim > 0:
            return int(leaf.shape[0])
    if isinstance(batch, list | tuple) and not _is_namedtuple(batch) and batch:
        lists = [entry for entry in batch if isinstance(entry, list)]
        return len(lists[0]) if lists else len(batch)
    for entry in _children(batch):
        if isinstance(entry, list):
            return len(entry)
    msg = (
        f"a batch of type {type(batch).__name__} holds no tensor, array or list with one entry a "
        "sample; return one from the collate function, or give a batch transform"
    )
    raise SiftBatchError(msg)


def take(batch: Batch, rows: Tensor) -> Batch:
    """Return a batch of the same type with only the given rows, in the given order.

    Args:
        batch: a batch of `num_rows` samples.
        rows: shape (kept,), int64, on the CPU.

    Raises:
        SiftBatchError: a tensor's dimension 0 is not the number of samples.
    """
    return _take(batch, rows, num_rows(batch), "batch")


def _take(value: Batch, rows: Tensor, count: int, path: str) -> Batch:
    if _is_array(value):
        return _take_array(value, rows, count, path)
    if _is_row_list(value, count):
        return type(value)([value[row] for row in rows.tolist()])
    if _is_container(value):
        return _rebuild(
            value, [_take(child, rows, count, f"{path}{key}") for key, child in _items(value)]
        )
    return value


def _take_array(value: Any, rows: Tensor, count: int, path: str) -> Any:
    if value.ndim == 0:
        return value
    if value.shape[0] != count:
        msg = (
            f"{path} has shape {tuple(value.shape)}, but the batch holds {count} samples: "
            "dimension 0 must hold the samples in every tensor of a batch"
        )
        raise SiftBatchError(msg)
    if isinstance(value, Tensor):
        return value.index_select(0, rows.to(value.device))
    return value[rows.numpy()]


def concat(parts: Sequence[Batch], pad: Pad | None = None) -> Batch:
    """Join batches of one type row after row; shared values are the first part's.

    Args:
        parts: at least one batch.
        pad: called with the tensors of one place when their trailing sizes differ.

    Raises:
        SiftBatchError: the parts do not have the same structure or trailing sizes.
    """
    if len(parts) == 1:
        return parts[0]
    return _concat(list(parts), [num_rows(part) for part in parts], pad, "batch")


def _concat(values: list[Batch], counts: list[int], pad: Pad | None, path: str) -> Batch:
    first = values[0]
    if any(type(value) is not type(first) for value in values):
        kinds = sorted({type(value).__name__ for value in values})
        msg = f"{path} changes its type from batch to batch: {', '.join(kinds)}"
        raise SiftBatchError(msg)
    if isinstance(first, Tensor):
        return first if first.ndim == 0 else _concat_tensors(values, pad, path)
    if _is_array(first):
        return first if first.ndim == 0 else sys.modules["numpy"].concatenate(values)
    if all(_is_row_list(value, count) for value, count in zip(values, counts, strict=True)):
        return type(first)([entry for value in values for entry in value])
    if not _is_container(first):
        return first
    columns = [list(_items(value)) for value in values]
    keys = [key for key, _ in columns[0]]
    if any([key for key, _ in column] != keys for column in columns):
        msg = f"{path} changes its keys from batch to batch"
        raise SiftBatchError(msg)
    return _rebuild(
        first,
        [
            _concat([column[place][1] for column in columns], counts, pad, f"{path}{key}")
            for place, key in enumerate(keys)
        ],
    )


def _concat_tensors(tensors: list[Tensor], pad: Pad | None, path: str) -> Tensor:
    shapes = {tuple(tensor.shape[1:]) for tensor in tensors}
    if len(shapes) > 1 and pad is not None:
        tensors = list(pad(tensors))
        shapes = {tuple(tensor.shape[1:]) for tensor in tensors}
    if len(shapes) > 1:
        msg = (
            f"{path} has samples of different sizes in different batches: "
            f"{', '.join(map(str, sorted(shapes)))}; give `pad=` to bring them to one size"
        )
        raise SiftBatchError(msg)
    return torch.cat(tensors)


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Return the batch with its tensors on *device*; the very same batch if they are there."""
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    if all(not isinstance(leaf, Tensor) or leaf.device == device for leaf in _leaves(batch)):
        return batch
    return _rebuild(batch, [to_device(child, device) for child in _children(batch)])


def _is_array(value: object) -> bool:
    """Whether *value* is a tensor or a numpy array; numpy itself need not be installed."""
    return isinstance(value, Tensor) or type(value).__module__.partition(".")[0] == "numpy"


def _is_namedtuple(value: object) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


def _is_container(value: object) -> bool:
    if isinstance(value, Mapping | list | tuple):
        return True
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _is_row_list(value: object, count: int) -> bool:
    """Whether *value* is a list with one entry a row, not a list of features."""
    if not isinstance(value, list | tuple) or _is_namedtuple(value) or len(value) != count:
        return False
    return not any(
        _is_array(leaf) and leaf.ndim > 0 and leaf.shape[0] == count
        for entry in value
        for leaf in _leaves(entry)
    )


def _items(value: Batch) -> Iterator[tuple[str, Batch]]:
    """Yield the children of a container, each with its place in words."""
    if isinstance(value, Mapping):
        yield from ((f"[{key!r}]", child) for key, child in value.items())
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield f".{field.name}", getattr(value, field.name)
    else:
        yield from ((f"[{place}]", child) for place, child in enumerate(value))


def _children(value: Batch) -> Iterator[Batch]:
    return (child for _, child in _items(value)) if _is_container(value) else iter(())


def _leaves(value: Batch) -> Iterator[Any]:
    if not _is_container(value):
        yield value
        return
    for child in _children(value):
        yield from _leaves(child)


def _rebuild(like: Batch, children: list[Batch]) -> Batch:
    """Return a container of the same type around new children."""
    if isinstance(like, Mapping):
        content = dict(zip(like, children, strict=True))
        # dict subclasses such as defaultdict take other arguments first; UserDicts take a mapping
        return content if type(like) is dict else _rebuild_mapping(like, content)
    if _is_namedtuple(like):
        return type(like)(*children)
    if isinstance(like, list | tuple):
        return type(like)(children)
    names = [field.name for field in dataclasses.fields(like)]
    return dataclasses.replace(like, **dict(zip(names, children, strict=True)))


def _rebuild_mapping(like: Any, content: dict[Any, Batch]) -> Batch:
    clone = copy.copy(like)
    clone.update(content)
    return clone
