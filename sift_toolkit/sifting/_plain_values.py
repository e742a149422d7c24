"""Values of a batch as what a file holds that is read without running code, and back, as they were.

Each value carries its own type, for the batch that a resumed training meets may hold others: None
where there was a number, a float where there was an int. Only of named tuples the class is another
batch's.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import Any, Final

from torch import Tensor

from sift_toolkit.sifting._containers import is_array, is_list

__all__ = ["plain_value", "value_of"]

_WORDS_AND_NUMBERS: Final = (type(None), bool, int, float, complex, str)
_BYTES: Final = "latin-1"
"""Bytes as text of as many signs: no bytes at all are stored as code, which is not read."""
_PATHS: Final = {
    each.__name__: each for each in (PosixPath, WindowsPath, PurePosixPath, PureWindowsPath)
}
_SHORT_DTYPE: Final = re.compile(r"[<>|=]?[a-zA-Z][0-9]{0,9}(\[[0-9]{0,9}[a-zA-Z]{1,7}\])?")
"""A dtype without fields, in numpy's short form: it would parse much more."""
_OF_TEXT: Final = "T"
"""Kind of numpy's dtype for words of any length."""


def plain_value(value: Any) -> Any:
    """Return *value* made of tensors, words, numbers, and lists and mappings of such.

    A mapping has one entry: the kind of value, and what that is made of.

    Raises:
        TypeError: it is or holds something else; the message is that, as Python shows it.
    """
    if isinstance(value, Tensor) or type(value) in _WORDS_AND_NUMBERS:
        return value
    tagged = _plain_number(value) or _plain_container(value) or _plain_text(value)
    if tagged is None:
        msg = f"{type(value).__name__}, {value!r}"
        raise TypeError(msg)
    return tagged


def _plain_number(value: Any) -> dict[str, Any] | None:
    if is_array(value):
        return {"array": _plain_array(value)}
    if _is_scalar(value):
        return {"scalar": _plain_array(sys.modules["numpy"].asarray(value))}
    return None


def _plain_container(value: Any) -> dict[str, Any] | None:
    if isinstance(value, tuple) and (names := getattr(value, "_fields", None)) is not None:
        return {"named": [list(names), [plain_value(each) for each in value]]}
    if type(value) in (list, tuple, set):
        return {type(value).__name__: [plain_value(each) for each in value]}
    if type(value) is dict and all(type(key) in _WORDS_AND_NUMBERS for key in value):
        return {"mapping": {key: plain_value(each) for key, each in value.items()}}
    return None


def _plain_text(value: Any) -> dict[str, Any] | None:
    if type(value) in (bytes, bytearray):
        return {type(value).__name__: value.decode(_BYTES)}
    if type(value).__name__ in _PATHS and isinstance(value, PurePosixPath | PureWindowsPath):
        return {"path": [type(value).__name__, str(value)]}
    return None


def value_of(plain: Any, like: Any = None) -> Any:
    """Return the value that `plain_value` made *plain* of.

    Args:
        plain: what was saved.
        like: a value of the same form, for the classes of named tuples.

    Raises:
        Exception: of many kinds, where *plain* was changed.
    """
    if not isinstance(plain, dict):
        return plain
    ((kind, content),) = plain.items()
    return _MADE_OF[kind](content, like)


def _values_of(plain: Any, like: Any) -> list[Any]:
    first = like[0] if is_list(like) and like else None
    return [value_of(each, first) for each in plain]


def _tuple_of(plain: Any, like: Any) -> tuple[Any, ...]:
    if is_list(like) and len(like) == len(plain):
        return tuple(map(value_of, plain, like))
    return tuple(_values_of(plain, like))


def _named_of(plain: Any, like: Any) -> Any:
    names, values = plain
    if list(getattr(like, "_fields", ())) != names:
        raise TypeError(type(like))
    return type(like)(*map(value_of, values, like))


def _mapping_of(plain: Any, like: Any) -> dict[Any, Any]:
    known = like if isinstance(like, Mapping) else {}
    return {key: value_of(each, known.get(key)) for key, each in plain.items()}


def _path_of(plain: Any, _: Any) -> Any:
    name, text = plain
    return _PATHS[name](text)


def _is_scalar(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.generic)


def _plain_array(array: Any) -> dict[str, Any]:
    shape = list(array.shape)
    if array.dtype.names is not None:
        parts = {name: _plain_array(array[name]) for name in array.dtype.names}
        return {"fields": parts, "shape": shape}
    if array.dtype.kind == _OF_TEXT:
        return {"words": array.ravel().tolist(), "shape": shape}
    if array.dtype.hasobject:
        return {"objects": [plain_value(each) for each in array.ravel()], "shape": shape}
    return {"bytes": array.tobytes().decode(_BYTES), "shape": shape, "dtype": array.dtype.str}


def _array_of(plain: Any, like: Any) -> Any:
    numpy = sys.modules["numpy"]
    if "fields" in plain:
        return _array_with_fields(plain, like)
    if "words" in plain:
        words = numpy.array(plain["words"], dtype=numpy.dtypes.StringDType())
        return words.reshape(plain["shape"])
    if "objects" in plain:
        # One by one: of lists in it numpy would make dimensions.
        objects = numpy.empty(len(plain["objects"]), dtype=object)
        for place, each in enumerate(plain["objects"]):
            objects[place] = value_of(each)
        return objects.reshape(plain["shape"])
    if not _SHORT_DTYPE.fullmatch(plain["dtype"]):
        raise ValueError(plain["dtype"])
    content = plain["bytes"].encode(_BYTES)
    return numpy.frombuffer(content, plain["dtype"]).reshape(plain["shape"]).copy()


def _array_with_fields(plain: Any, like: Any) -> Any:
    numpy = sys.modules["numpy"]
    shape = tuple(plain["shape"])
    parts = {name: _array_of(part, None) for name, part in plain["fields"].items()}
    form = [(name, part.dtype, part.shape[len(shape) :]) for name, part in parts.items()]
    same = getattr(getattr(like, "dtype", None), "names", None) == tuple(parts)
    # Of the other batch where it has the same fields: it may have gaps between them.
    array = numpy.empty(shape, like.dtype if same else numpy.dtype(form))
    for name, part in parts.items():
        array[name] = part
    return array


_MADE_OF: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "array": _array_of,
    "scalar": lambda plain, like: _array_of(plain, like)[()],
    "named": _named_of,
    "list": _values_of,
    "tuple": _tuple_of,
    "set": lambda plain, _: set(_values_of(plain, None)),
    "mapping": _mapping_of,
    "path": _path_of,
    "bytes": lambda plain, _: plain.encode(_BYTES),
    "bytearray": lambda plain, _: bytearray(plain.encode(_BYTES)),
}
