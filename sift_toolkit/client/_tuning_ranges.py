"""What a tuner may try: ranges of config fields, held against the rules of the fields themselves.

Needs no SDK: its parameters are told by their names, which SDK v2 and v3 share.
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from sift_toolkit.client import _limits
from sift_toolkit.client._deferred import is_deferred
from sift_toolkit.config import SiftConfig, key_of, rule_of
from sift_toolkit.config._fields import Count, Number, Rule, decode
from sift_toolkit.errors import SiftConfigError

Kind = Literal["Continuous", "Integer", "Categorical"]

_KINDS: Final[dict[str, Kind]] = {
    "ContinuousParameter": "Continuous",
    "IntegerParameter": "Integer",
    "CategoricalParameter": "Categorical",
}
_OTHER_DIAL: Final = {"keep": "beta_value", "beta_value": "keep"}
_DIALS: Final = ("keep", "beta_value", "keep_end")
"""The fields that are held against each other."""


@dataclass(frozen=True, slots=True)
class TunedRange:
    """What a tuner may try for one field."""

    kind: Kind
    values: tuple[object, ...]
    """Continuous and Integer: the lowest and the highest; Categorical: every one there is."""
    scaling: str = "Auto"
    """How the service walks from the lowest to the highest."""


def kind_of(parameter: object) -> Kind | None:
    """Return which of the SDK's parameters *parameter* is, None if it is none of them."""
    names = (base.__name__ for base in type(parameter).__mro__)
    return next((_KINDS[name] for name in names if name in _KINDS), None)


def read_ranges(given: object) -> tuple[dict[str, TunedRange], list[str]]:
    """Return the ranges in *given* by the name of their field, and what is wrong with the others.

    Args:
        given: By field, a parameter of the SDK, a tuple (low, high) or a list of values.
    """
    if not isinstance(given, Mapping) or not given:
        problem = (
            "ranges must say what to try for which field of the config, as {'keep': (0.2, 0.8)}, "
            f"got {given!r}"
        )
        return {}, [problem]
    fields = {field.name: field for field in dataclasses.fields(SiftConfig)}
    ranges: dict[str, TunedRange] = {}
    problems = []
    for name, one in given.items():
        if name not in fields:
            problems.append(_unknown_field(name, fields))
            continue
        rule = rule_of(fields[name])
        read = _read_range(f"ranges[{name!r}]", rule, one)
        found = [read] if isinstance(read, str) else list(_rule_problems(name, rule, read))
        problems += found
        if not found:
            ranges[name] = cast("TunedRange", read)
    return ranges, problems


def combinations(ranges: Iterable[object]) -> int:
    """Return how many combinations there are of the values of lists; other ranges count as one.

    Args:
        ranges: Of fields, or parameters of the SDK.
    """
    listed = (getattr(one, "values", None) for one in ranges)
    return math.prod(len(values) for values in listed if isinstance(values, list | tuple))


def config_problems(config: SiftConfig, ranges: Mapping[str, TunedRange]) -> list[str]:
    """Name where a value that the tuner may try contradicts another one, or *config* itself.

    Args:
        config: What all jobs have in common; a tuned dial takes the place of its own.
        ranges: Each sound in itself.
    """
    problems = []
    if not config.enabled and "enabled" not in ranges:
        problems.append(
            "the estimator's config has enabled=False, so that nothing tuned here would matter: "
            "tune an estimator that sifts"
        )
    if ranges.keys() >= _OTHER_DIAL.keys():
        problems.append("ranges has keep and beta_value, which are one dial: give one of them")
        return problems
    dials = {name: one for name, one in ranges.items() if name in _DIALS}
    found = (_contradiction(config, corner) for corner in _corners(dials))
    # One is enough: the ranges do not fit, and there may be hundreds of corners.
    return problems + next(filter(None, found), [])


def with_dials(config: SiftConfig, values: Mapping[str, object]) -> SiftConfig:
    """Return *config* with other values; `keep` takes the place of `beta_value`, or the reverse.

    Raises:
        SiftConfigError: they contradict each other or the rest of *config*.
    """
    replaced = {_OTHER_DIAL[name]: None for name in values if name in _OTHER_DIAL}
    return dataclasses.replace(config, **{**replaced, **cast("dict[str, Any]", values)})


def _contradiction(config: SiftConfig, values: Mapping[str, object]) -> list[str]:
    try:
        with_dials(config, values)
    except SiftConfigError as error:
        tried = ", ".join(f"{name}={value!r}" for name, value in values.items())
        return [f"where the tuner tries {tried}: {problem}" for problem in error.problems]
    return []


def sdk_ranges(ranges: Mapping[str, Any], parameters: Any) -> dict[str, Any]:
    """Return *ranges*, each of them as a parameter of an SDK.

    Args:
        ranges: By hyperparameter, a TunedRange or such a parameter already.
        parameters: The SDK's module of them.
    """
    return {
        name: _sdk_range(one, parameters) if isinstance(one, TunedRange) else one
        for name, one in ranges.items()
    }


def without_twins(
    hyperparameters: Mapping[str, str], tuned: Iterable[str] | None
) -> dict[str, str]:
    """Return *hyperparameters* without those that must not travel beside a tuned dial.

    Args:
        hyperparameters: What all jobs have in common, by hyperparameter.
        tuned: The hyperparameters that the tuner sets.
    """
    set_by_tuner = frozenset(tuned or ())
    replaced = {
        key_of(other) for dial, other in _OTHER_DIAL.items() if key_of(dial) in set_by_tuner
    }
    return {key: value for key, value in hyperparameters.items() if key not in replaced}


def _sdk_range(one: TunedRange, parameters: Any) -> Any:
    if one.kind == "Categorical":
        return parameters.CategoricalParameter(list(one.values))
    made = getattr(parameters, f"{one.kind}Parameter")
    return made(*one.values, one.scaling)


def _unknown_field(name: object, fields: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(name), list(fields), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return (
        f"ranges has {name!r}, which is no field of the config; {hint}Hyperparameters of your own "
        "script go into hyperparameter_ranges"
    )


def _read_range(place: str, rule: Rule, given: object) -> TunedRange | str:
    kind, parameter = kind_of(given), cast("Any", given)
    if kind == "Categorical":
        return TunedRange(kind, tuple(decode(rule, value) for value in parameter.values))
    if kind is not None:
        ends = (parameter.min_value, parameter.max_value)
        return TunedRange(kind, ends, str(parameter.scaling_type))
    if isinstance(given, list):
        return TunedRange("Categorical", tuple(given))
    if isinstance(given, tuple) and len(given) == 2:
        return TunedRange("Integer" if isinstance(rule, Count) else "Continuous", given)
    return (
        f"{place} must be (low, high), a list of values, or a parameter of the SDK, got {given!r}"
    )


def _rule_problems(name: str, rule: Rule, one: TunedRange) -> Iterator[str]:
    place = f"ranges[{name!r}]"
    if one.kind != "Categorical":
        if not isinstance(rule, Number | Count):
            yield f"{place} goes from a number to another; {name} is {rule.allowed}: give a list"
            return
        if one.kind == "Continuous" and isinstance(rule, Count):
            yield (
                f"{place} is a ContinuousParameter; {name} is {rule.allowed}: give an "
                "IntegerParameter, or (low, high)"
            )
            return
        yield from _span_problems(place, one)
    elif not 0 < len(one.values) <= _limits.TUNING_CATEGORIES_MAX:
        yield (
            f"{place} has {len(one.values)} values, SageMaker allows 1 to "
            f"{_limits.TUNING_CATEGORIES_MAX}"
        )
    elif len(set(map(str, one.values))) < len(one.values):
        yield f"{place} has a value twice: {list(one.values)!r}"
    for value in one.values:
        if not is_deferred(value) and not rule.accepts(value):
            yield f"{place} holds {value!r}; {name} must be {rule.allowed}"


def _span_problems(place: str, one: TunedRange) -> Iterator[str]:
    low, high = cast("Sequence[Any]", one.values)
    if is_deferred(low) or is_deferred(high):
        return
    numbers = all(isinstance(end, int | float) and not isinstance(end, bool) for end in (low, high))
    if not numbers:
        yield f"{place} must go from a number to another, got {low!r} and {high!r}"
        return
    if one.kind == "Integer" and not (isinstance(low, int) and isinstance(high, int)):
        yield f"{place} must go from a whole number to another, got {low!r} and {high!r}"
    if not low < high:
        yield f"{place} must go from the lower number to the higher, got {low!r} and {high!r}"
    if one.scaling == "Logarithmic" and not low > 0:
        yield f"{place} is Logarithmic, which SageMaker allows above 0 only, got {low!r}"
    if one.scaling == "ReverseLogarithmic" and not (
        one.kind == "Continuous" and low >= 0 and high < 1
    ):
        yield (
            f"{place} is ReverseLogarithmic, which SageMaker allows for a ContinuousParameter from "
            f"0 to less than 1 only, got {one.kind} from {low!r} to {high!r}"
        )


def _corners(ranges: Mapping[str, TunedRange]) -> Iterator[dict[str, object]]:
    """Yield every combination of the ends of ranges, and of the values of lists."""
    known = {
        name: [value for value in one.values if not is_deferred(value)]
        for name, one in ranges.items()
    }
    for values in itertools.product(*known.values()):
        yield dict(zip(known, values, strict=True))
