"""Metric definitions: the toolkit's and the user's together, and what SageMaker asks of each."""

from __future__ import annotations

import re
import reprlib
from collections import Counter
from collections.abc import Mapping, Sequence

from sift_toolkit.client import _limits
from sift_toolkit.client._deferred import is_deferred
from sift_toolkit.metrics import METRICS


def with_sift_metrics(definitions: Sequence[object]) -> list[object]:
    """All metrics of sifting, then the user's own; one given in both stands once."""
    ours: list[object] = [metric.definition for metric in METRICS]
    return [*ours, *(definition for definition in definitions if definition not in ours)]


def metric_definition_problems(definitions: object) -> list[str]:
    """Name what is wrong with a list of metric definitions."""
    if definitions is None:
        return []
    if not isinstance(definitions, list | tuple):
        problem = (
            "metric_definitions must be a list of {'Name': ..., 'Regex': ...}, got "
            f"{reprlib.repr(definitions)}"
        )
        return [problem]
    problems = []
    if len(definitions) > _limits.METRIC_DEFINITIONS_MAX:
        problems.append(
            f"the job would have {len(definitions)} metric definitions, SageMaker allows "
            f"{_limits.METRIC_DEFINITIONS_MAX}, those of sifting among them"
        )
    names: Counter[str] = Counter()
    ours = [metric.definition for metric in METRICS]
    own = [definition for definition in definitions if definition not in ours]
    for index, definition in enumerate(own):
        problems += _definition_problems(f"metric_definitions[{index}]", definition)
    for definition in definitions:
        if isinstance(definition, Mapping) and isinstance(definition.get("Name"), str):
            names[definition["Name"]] += 1
    problems += [
        f"metric_definitions has {count} entries called {name!r}, whose values would be mixed up "
        "in one chart: give each its own name"
        for name, count in names.items()
        if count > 1
    ]
    return problems


def _definition_problems(place: str, definition: object) -> list[str]:
    if not isinstance(definition, Mapping) or set(definition) != {"Name", "Regex"}:
        return [f"{place} must be {{'Name': ..., 'Regex': ...}}, got {reprlib.repr(definition)}"]
    problems = []
    limits = {"Name": _limits.METRIC_NAME_MAX, "Regex": _limits.METRIC_REGEX_MAX}
    for part, most in limits.items():
        text = definition[part]
        if is_deferred(text):
            continue
        if not isinstance(text, str) or not 0 < len(text) <= most:
            problems.append(
                f"{place}[{part!r}] must be a str of 1 to {most} characters, got "
                f"{reprlib.repr(text)}"
            )
        elif part == "Regex":
            problems += _regex_problems(place, text)
    return problems


def _regex_problems(place: str, regex: str) -> list[str]:
    try:
        groups = re.compile(regex).groups
    except re.error as error:
        return [f"{place}['Regex'] is no regular expression: {error}, got {regex!r}"]
    if groups != 1:
        problem = (
            f"{place}['Regex'] must have exactly one group, around the number, got {groups} in "
            f"{regex!r}; write (?:...) for the others"
        )
        return [problem]
    return []
