"""What comes from outside: read without surprises, and shown in a message without harm.

Hyperparameters, reports, logs and names may be anybody's. Reading them fails with one kind of
error; what is printed of them stays one line, moves no cursor, and is never taken for a metric.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from sift_toolkit.errors import SiftError, SiftStateError
from sift_toolkit.metrics import LINE_TAG

_BROKEN_TAG: Final = LINE_TAG.rstrip() + ": "
_MOST_SHOWN: Final = 200
"""Characters of a value that a message shows."""
_MOST_PARTS: Final = 20

_DAMAGE: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What taking apart something of an unexpected form may raise."""


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = _MOST_SHOWN
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = 20


_SHORT: Final = _Short()


def read_json(text: str | bytes) -> object:
    """Return what JSON text stands for.

    Raises:
        ValueError: it is no JSON, or nested too deeply, or holds a number with too many digits.
    """
    try:
        content: object = json.loads(text)
    except RecursionError:
        msg = "it is nested too deeply"
        raise ValueError(msg) from None
    return content


def shown(value: object) -> str:
    """Return a value as a message shows it: short, one line, whatever it is."""
    try:
        text = _SHORT.repr(value)
    except Exception:  # noqa: BLE001 - whatever a value's own way to show itself raises
        return f"a {type(value).__name__} that cannot be shown"
    return one_line(text)


def one_line(text: str) -> str:
    """Return text of somebody else's as one line that can be printed, and is no metric's."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return printable.replace(LINE_TAG, _BROKEN_TAG)


def brief(text: str) -> str:
    """Return text of somebody else's as one line that is not too long to read."""
    if len(text) > _MOST_SHOWN:
        half = _MOST_SHOWN // 2
        text = f"{text[:half]}...{text[-half:]}"
    return one_line(text)


def some_of(parts: Sequence[str]) -> str:
    """Return parts of a message as one text, the first of them if there are many."""
    more = len(parts) - _MOST_PARTS
    told = parts[:_MOST_PARTS]
    return "; ".join([*told, f"and {more} more"] if more > 0 else told)


@contextmanager
def damage_in_words(what: str) -> Iterator[None]:
    """Raise what comes of an unexpected form as an error of ours, which begins with *what*.

    Raises:
        SiftStateError: anything but an error of ours or of the system was raised in here.
    """
    try:
        yield
    except SiftError:
        raise
    except _DAMAGE as error:
        msg = f"{what}: {shown(error)}"
        raise SiftStateError(msg) from error
