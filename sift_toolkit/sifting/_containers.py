"""The containers a batch may be made of: how they come apart, and how they are put together again.

A batch is a tree. Its containers are mappings, dataclasses, named tuples, lists and tuples; its
leaves are tensors, numpy arrays, lists with one entry a row, and everything else. Whether a list
is a container or a leaf is told by what it holds, never by its length:

- with a tensor or array anywhere in it, it is a list of features, each with all rows, as PyTorch's
  default collate makes it; a tuple of lists is one too;
- otherwise it has one entry a row.
"""

from __future__ import annotations

import copy
import dataclasses
import sys
from collections import UserDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from sift_toolkit.errors import SiftBatchError
from sift_toolkit.outside import brief

# Lists of nothing but these are told at once, without a look at each entry.
_WORDS_AND_NUMBERS = frozenset({str, bytes, int, float, bool, type(None)})

_DEEPEST: Final = 64
"""Containers one in another, many more than any batch has."""


def is_array(value: object) -> bool:
    """Whether *value* is a tensor or a numpy array; numpy itself need not be installed."""
    if isinstance(value, Tensor):
        return True
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def is_list(value: object) -> bool:
    """Whether *value* is a list or a tuple whose places have no names."""
    return isinstance(value, list | tuple) and not hasattr(value, "_fields")


def is_container(value: object, depth: int = 0) -> bool:
    """Whether *value* holds other parts of the batch; see the top of this module.

    Args:
        value: a part of a batch.
        depth: containers around it.

    Raises:
        SiftBatchError: there are too many around it, or in it.
    """
    if is_array(value):
        return False
    _check_depth(depth)
    if is_list(value):
        return _is_list_of_features(value, depth)
    return _has_named_parts(value)


def _check_depth(depth: int) -> None:
    if depth > _DEEPEST:
        msg = (
            f"a batch nests its parts more than {_DEEPEST} deep, or contains itself; return a "
            "mapping, a list or a dataclass of tensors from the collate function"
        )
        raise SiftBatchError(msg)


def _has_named_parts(value: object) -> bool:
    if isinstance(value, Mapping) or _is_namedtuple(value):
        return True
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def leaves(batch: Any, depth: int = 0) -> Iterator[Any]:
    """Yield the leaves of a batch, in order.

    Args:
        batch: whatever the collate function returned.
        depth: containers around it.

    Raises:
        SiftBatchError: it is no tree, or a very deep one.
    """
    if not is_container(batch, depth):
        yield batch
        return
    for _, child in _children(batch):
        if isinstance(child, Tensor):
            yield child
        else:
            yield from leaves(child, depth + 1)


def map_leaves(
    function: Callable[[list[Any], str], Any],
    batches: Sequence[Any],
    place: str = "batch",
    depth: int = 0,
) -> Any:
    """Return a batch of the first one's structure, with leaves made of those of all batches.

    Args:
        function: makes a leaf of the leaves that stand in one place, and the name of that place.
        batches: at least one, all of the same structure.
        place: name of the batch in messages.
        depth: containers around it.

    Raises:
        SiftBatchError: the batches do not have the same structure, or are no trees.
    """
    first = batches[0]
    if not is_container(first, depth):
        return function(list(batches), place)
    parts = [list(_children(batch)) if type(batch) is type(first) else [] for batch in batches]
    names = [name for name, _ in parts[0]]
    if any([name for name, _ in part] != names for part in parts):
        kinds = ", ".join(sorted({type(batch).__name__ for batch in batches}))
        msg = (
            f"{brief(place)} changes its type, its keys or its length from batch to batch: {kinds}"
        )
        raise SiftBatchError(msg)
    children = [
        map_leaves(function, [part[index][1] for part in parts], place + name, depth + 1)
        for index, name in enumerate(names)
    ]
    return _rebuild(first, children)


def _is_namedtuple(value: object) -> bool:
    # A PackedSequence is one too, but its first dimension holds no samples.
    return (
        isinstance(value, tuple)
        and hasattr(value, "_fields")
        and not isinstance(value, PackedSequence)
    )


def _is_list_of_features(value: Any, depth: int) -> bool:
    if isinstance(value, tuple) and any(isinstance(entry, list) for entry in value):
        return True
    return _holds_array(value, depth)


def _holds_array(value: Any, depth: int) -> bool:
    if is_array(value):
        return True
    _check_depth(depth)
    if is_list(value):
        kinds = set(map(type, value))
        return not kinds <= _WORDS_AND_NUMBERS and any(
            _holds_array(entry, depth + 1) for entry in value
        )
    return _has_named_parts(value) and any(
        _holds_array(child, depth + 1) for _, child in _children(value)
    )


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the parts of a container, each with its place in words."""
    if is_list(value):
        yield from ((f"[{index}]", child) for index, child in enumerate(value))
    elif isinstance(value, Mapping):
        yield from ((f"[{key!r}]", child) for key, child in value.items())
    else:
        yield from ((f".{name}", getattr(value, name)) for name in _field_names(value))


def _field_names(value: Any) -> list[str]:
    if isinstance(value, tuple):
        return list(value._fields)  # type: ignore[attr-defined] # a named tuple
    return [field.name for field in dataclasses.fields(value)]


def _rebuild(like: Any, children: list[Any]) -> Any:
    """Return a container of the same type around new children."""
    if is_list(like):
        return type(like)(children)
    if isinstance(like, Mapping):
        return _rebuild_mapping(like, dict(zip(like, children, strict=True)))
    if isinstance(like, tuple):
        return like._make(children)  # type: ignore[attr-defined] # a named tuple
    # Not dataclasses.replace, which refuses fields that are not arguments; frozen or not.
    clone = copy.copy(like)
    for name, child in zip(_field_names(like), children, strict=True):
        object.__setattr__(clone, name, child)
    return clone


def _rebuild_mapping(like: Any, content: dict[Any, Any]) -> Any:
    if type(like) is dict:
        return content
    if isinstance(like, dict | UserDict):
        # Copies of these share no storage, and keep what a subclass added.
        clone = copy.copy(like)
        for key, child in content.items():
            clone[key] = child
        return clone
    try:
        return type(like)(content)
    except TypeError as error:
        msg = (
            f"a batch of type {type(like).__name__} cannot be made of a dict: {error}; return a "
            "dict from the collate function"
        )
        raise SiftBatchError(msg) from error
