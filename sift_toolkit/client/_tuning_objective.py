"""What a tuner tunes for: a metric, which way is better, and the regexes that find it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sift_toolkit.metrics import METRICS, NAME_PREFIX, Metric

ObjectiveType = Literal["Maximize", "Minimize"]

_TYPES: Final[dict[str, ObjectiveType]] = {"higher": "Maximize", "lower": "Minimize"}


@dataclass(frozen=True, slots=True)
class Objective:
    """The metric that a tuning job chooses its best job by."""

    name: str
    """As one of the definitions has it."""
    type: str
    definitions: list[Any]
    """All that the jobs report, the objective among them."""


def read_objective(
    objective: object, objective_type: object, definitions: Sequence[Any]
) -> tuple[Objective | None, list[str]]:
    """Return what *objective* stands for, None with the reasons where that cannot be told.

    Args:
        objective: A metric of the toolkit, its name with or without the prefix, or the name of one
            of *definitions*.
        objective_type: "Maximize", "Minimize", or None for what the metric itself says.
        definitions: What the jobs report.
    """
    ours = {metric.definition["Name"]: metric for metric in METRICS}
    defined = _names(definitions)
    name = _full_name(objective, {*defined, *ours})
    if name is None:
        return None, [_unknown(objective, [*defined, *ours])]
    kind = objective_type
    if kind is None and name in ours:
        kind = _TYPES.get(ours[name].better or "")
    if kind not in _TYPES.values():
        return None, [_no_type(name, objective_type)]
    missing = [] if name in defined else [ours[name].definition]
    return Objective(name, str(kind), [*definitions, *missing]), []


def _full_name(objective: object, known: Collection[str]) -> str | None:
    name = objective.name if isinstance(objective, Metric) else objective
    if not isinstance(name, str):
        return None
    return next((full for full in (name, NAME_PREFIX + name) if full in known), None)


def _names(definitions: Sequence[Any]) -> list[str]:
    return [one["Name"] for one in definitions if isinstance(one, Mapping) and "Name" in one]


def _unknown(objective: object, known: Iterable[str]) -> str:
    """Suggest what is meant: names are compared without their prefix, and a word of one will do."""
    names = {name.removeprefix(NAME_PREFIX): name for name in known}
    given = str(objective).removeprefix(NAME_PREFIX)
    near = [short for short in names if given in short.split("_")]
    near = near or difflib.get_close_matches(given, names, n=1)
    hint = (
        f"did you mean {names[near[0]]!r}?"
        if near
        else "there are " + ", ".join(map(repr, names.values()))
    )
    return f"objective must be the name of a metric, got {objective!r}; {hint}"


def _no_type(name: object, given: object) -> str:
    if given is not None:
        return f"objective_type must be 'Maximize' or 'Minimize', got {given!r}"
    return (
        f"objective_type is needed: {name!r} does not tell by itself which of two jobs is the "
        "better one; give 'Maximize' or 'Minimize'"
    )
