"""Values of a report as it was read: what stands there is what belongs there, or an error."""

from __future__ import annotations

import math
from typing import Any, Final

from sift_toolkit.outside import shown

__all__ = ["as_list", "as_number", "as_object", "as_plain", "as_text", "as_whole"]

_WHOLE_BITS: Final = 63
"""Of an id, a label or a count, its sign left out: what a tensor of them can hold."""


def as_object(value: object) -> dict[str, Any]:
    """Return an object of JSON.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, dict):
        raise _wrong(value, "an object")
    return value


def as_list(value: object) -> list[Any]:
    """Return a list.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, list):
        raise _wrong(value, "a list")
    return value


def as_text(value: object) -> str:
    """Return text.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, str):
        raise _wrong(value, "text")
    return value


def as_plain(value: object) -> object:
    """Return a value of a config: nothing, a flag, text or a number.

    Raises:
        TypeError: it is none.
    """
    if value is None or isinstance(value, bool | str):
        return value
    return as_number(value)


def as_whole(value: object) -> int:
    """Return a whole number of at most 63 bits.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value.bit_length() > _WHOLE_BITS:
        raise _wrong(value, f"a whole number of at most {_WHOLE_BITS} bits")
    return value


def as_number(value: object) -> float:
    """Return a finite number.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(value, "a number")
    # A whole number too large for a float is refused by the conversion.
    if not math.isfinite(value):
        raise _wrong(value, "a finite number")
    return value


def _wrong(value: object, wanted: str) -> TypeError:
    return TypeError(f"{wanted} should stand where {shown(value)} does")
