"""What a config field may hold: one rule a field, used to check, to decode and to document it."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Iterable
from typing import Any, Protocol, cast

from sift_toolkit.outside import read_json, shown

_RULE = "rule"
_HELP = "help"
_MOST_ENCODINGS = 3
# What `str()` makes of these, as a tuner's categorical ranges do; all else is sent as JSON.
_PYTHON_WORDS = {"True": True, "False": False, "None": None}


class Rule(Protocol):
    """What one field accepts."""

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        ...

    def accepts(self, value: object) -> bool:
        """Whether *value* may stand in the field."""
        ...


@dataclasses.dataclass(frozen=True)
class Number:
    """A finite number between *low* and *high*; *above* excludes *low* itself."""

    low: float
    high: float
    above: bool = False
    optional: bool = False

    @property
    def allowed(self) -> str:
        start = f"above {self.low:g}" if self.above else f"from {self.low:g}"
        end = "" if math.isinf(self.high) else f" to {self.high:g}"
        return f"a number {start}{end}" + (" or None" if self.optional else "")

    def accepts(self, value: object) -> bool:
        if value is None:
            return self.optional
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        # Compared before it is converted: a whole number may be too large for a float.
        if not -sys.float_info.max <= value <= min(self.high, sys.float_info.max):
            return False
        return value > self.low if self.above else value >= self.low


@dataclasses.dataclass(frozen=True)
class Count:
    """A whole number from *low* to *high*."""

    low: int
    high: int = 2**63 - 1

    @property
    def allowed(self) -> str:
        return f"a whole number from {self.low}"

    def accepts(self, value: object) -> bool:
        return (
            isinstance(value, int)
            and not isinstance(value, bool)
            and self.low <= value <= self.high
        )


@dataclasses.dataclass(frozen=True)
class Choice:
    """One of a few words."""

    options: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(repr(option) for option in self.options)

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and value in self.options


@dataclasses.dataclass(frozen=True)
class Flag:
    """True or False."""

    allowed: str = "True or False"

    def accepts(self, value: object) -> bool:
        return isinstance(value, bool)


def config_field(default: object, rule: Rule, help_text: str) -> Any:
    """Declare a config field with its default, its rule and the line that documents it."""
    return dataclasses.field(default=default, metadata={_RULE: rule, _HELP: help_text})


def rule_of(field: dataclasses.Field[Any]) -> Rule:
    """The rule a field was declared with."""
    return cast("Rule", field.metadata[_RULE])


def help_of(field: dataclasses.Field[Any]) -> str:
    """The line that documents a field."""
    return cast("str", field.metadata[_HELP])


def rule_problems(config: object, fields: Iterable[dataclasses.Field[Any]]) -> dict[str, str]:
    """Return, by its name, every field of *config* whose value breaks its rule, in words."""
    return {
        field.name: f"{field.name} must be {rule_of(field).allowed}, got {shown(value)}"
        for field in fields
        if not rule_of(field).accepts(value := getattr(config, field.name))
    }


def decode(rule: Rule, value: object) -> object:
    r"""Undo what the SDK, a tuner and the container may have done to a value on its way.

    Strings are read as JSON until they no longer are: the SDK encodes each value once, a tuner
    sends its own strings, which the SDK may have encoded before (``"\"0.5\""``).
    """
    for _ in range(_MOST_ENCODINGS):
        if rule.accepts(value) or not isinstance(value, str):
            break
        if value in _PYTHON_WORDS:
            return _PYTHON_WORDS[value]
        try:
            value = read_json(value)
        except ValueError:
            break
    return value
