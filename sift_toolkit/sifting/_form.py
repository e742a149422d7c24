"""Forms that a saved state is held against: what a value must look like, said part by part."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias, get_type_hints

import torch
from torch import Tensor

Form: TypeAlias = Callable[[object, str], str | None]
"""Given a value and the name of its place, returns the place that is not as it should be."""

_MOST: Final = 1 << 53
"""No run counts further, and floats count exactly up to here."""


def count(value: object, place: str) -> str | None:
    """A whole number from 0."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return None if is_whole and 0 <= value <= _MOST else place  # type: ignore[operator] # whole


def whole(value: object, place: str) -> str | None:
    """A whole number, such as the label of a class."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return None if is_whole and -(1 << 63) <= value < 1 << 63 else place  # type: ignore[operator]


def number(value: object, place: str) -> str | None:
    """A number that can be reckoned with."""
    if isinstance(value, float):
        return None if math.isfinite(value) and abs(value) <= _MOST else place
    return count(value, place)


def flag(value: object, place: str) -> str | None:
    """True or False."""
    return None if isinstance(value, bool) else place


def anything(value: object, place: str) -> str | None:  # noqa: ARG001 - a form is asked so
    """Whatever somebody else saved, who knows it."""
    return None


def one_of(*words: str) -> Form:
    """One of a few words."""
    return lambda value, place: None if isinstance(value, str) and value in words else place


def optional(form: Form) -> Form:
    """None, or what *form* says."""
    return lambda value, place: None if value is None else form(value, place)


def each(form: Form) -> Form:
    """A list, or a tuple, of any length."""

    def check(value: object, place: str) -> str | None:
        if not isinstance(value, list | tuple):
            return place
        return _first(form(entry, f"{place}[{index}]") for index, entry in enumerate(value))

    return check


def row(*forms: Form) -> Form:
    """A list, or a tuple, of one value for each form."""

    def check(value: object, place: str) -> str | None:
        if not isinstance(value, list | tuple) or len(value) != len(forms):
            return place
        pairs = zip(forms, value, strict=True)
        return _first(form(entry, f"{place}[{index}]") for index, (form, entry) in enumerate(pairs))

    return check


def record(forms: dict[str, Form], *, beside: dict[str, Form] | None = None) -> Form:
    """A dict with these keys and no others, save those *beside*, which need not be there."""
    known = {**forms, **(beside or {})}

    def check(value: object, place: str) -> str | None:
        if not isinstance(value, dict) or not forms.keys() <= value.keys() <= known.keys():
            return place
        return _first(known[name](entry, f"{place}[{name!r}]") for name, entry in value.items())

    return check


def fields_of(kind: type[Any]) -> dict[str, Form]:
    """The fields of a dataclass of counts, numbers and flags."""
    forms = {int: count, float: number, bool: flag}
    hints = get_type_hints(kind)
    return {field.name: forms[hints[field.name]] for field in dataclasses.fields(kind)}


def tensor(*dtypes: torch.dtype, rows: int | None = None) -> Form:
    """A tensor of one dimension on the CPU, of one of these dtypes and, if given, so many rows."""

    def check(value: object, place: str) -> str | None:
        is_fit = (
            isinstance(value, Tensor)
            and value.layout == torch.strided
            and value.device.type == "cpu"
            and value.dtype in dtypes
            and value.ndim == 1
            and (rows is None or len(value) == rows)
        )
        return None if is_fit else place

    return check


def both(*forms: Form) -> Form:
    """What all of the forms say, asked in their order."""
    return lambda value, place: _first(form(value, place) for form in forms)


def such_that(holds: Callable[[Any], bool]) -> Form:
    """What *holds* is true of; to be asked after the forms that make sure it can be."""
    return lambda value, place: None if holds(value) else place


def _first(places: Iterable[str | None]) -> str | None:
    return next((place for place in places if place is not None), None)
