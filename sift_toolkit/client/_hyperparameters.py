"""Hyperparameters on their way to a job: what JSON, the API and the SDK leave room for."""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from os import PathLike
from typing import Final, TypeVar

from sift_toolkit.client import _limits
from sift_toolkit.client._deferred import is_deferred
from sift_toolkit.client._distribution import added_hyperparameters
from sift_toolkit.config import HYPERPARAMETER_PREFIX, key_of

_Value = TypeVar("_Value")

_SCALARS = (str, bool, int)
_SAME_DIAL: Final = frozenset({key_of("keep"), key_of("beta_value")})


def hyperparameter_problems(hyperparameters: object, distribution: object = None) -> list[str]:
    """Name every hyperparameter that would not arrive as it was given, and too many of them."""
    if hyperparameters is None:
        return []
    if not isinstance(hyperparameters, Mapping):
        return [f"hyperparameters must be a dict, got {reprlib.repr(hyperparameters)}"]
    problems = []
    for key, value in hyperparameters.items():
        problems += _key_problems(key) or _value_problems(f"hyperparameters[{key!r}]", value)
    added = _limits.SDK_HYPERPARAMETERS | added_hyperparameters(distribution)
    total = len(added | {str(key) for key in hyperparameters})
    if total > _limits.HYPERPARAMETERS_MAX:
        problems.append(
            f"the job would have {total} hyperparameters, {len(added)} of them the SDK's own; "
            f"SageMaker allows {_limits.HYPERPARAMETERS_MAX}: put some into one dict, or a file "
            "beside your script"
        )
    return problems


def reserved_key_problems(hyperparameters: object, distribution: object = None) -> list[str]:
    """Name the user's hyperparameters that the toolkit or the SDK writes itself."""
    if not isinstance(hyperparameters, Mapping):
        return []
    of_the_sdk = (
        _limits.SDK_HYPERPARAMETERS
        | _limits.TUNER_HYPERPARAMETERS
        | added_hyperparameters(distribution)
    )
    problems = []
    for key in hyperparameters:
        if str(key).startswith(HYPERPARAMETER_PREFIX):
            problems.append(
                f"hyperparameters[{key!r}] is reserved: set the field in sift_config instead"
            )
        elif key in of_the_sdk:
            problems.append(
                f"hyperparameters[{key!r}] is reserved: the SageMaker SDK writes it and would "
                "replace yours; use the estimator's own argument, or another name"
            )
    return problems


def without_dial(
    hyperparameters: Mapping[str, _Value], tuned: Collection[str]
) -> dict[str, _Value]:
    """Leave out what is tuned: each key in *tuned*, and of keep and beta_value both with one.

    Those two are names of one dial; a static one beside a tuned one would contradict it.
    """
    replaced = set(tuned)
    if replaced & _SAME_DIAL:
        replaced |= _SAME_DIAL
    return {key: value for key, value in hyperparameters.items() if key not in replaced}


def _key_problems(key: object) -> list[str]:
    if not isinstance(key, str):
        return [f"the name of a hyperparameter must be a str, got {key!r}"]
    if not 0 < len(key) <= _limits.HYPERPARAMETER_KEY_MAX:
        problem = (
            f"the name of a hyperparameter has 1 to {_limits.HYPERPARAMETER_KEY_MAX} characters, "
            f"got {len(key)}: {reprlib.repr(key)}"
        )
        return [problem]
    if _has_line_break(key):
        return [f"the name of a hyperparameter must be one line, got {key!r}"]
    return []


def _value_problems(place: str, value: object) -> list[str]:
    if is_deferred(value):
        return []
    if problems := list(_json_problems(place, value)):
        return problems
    if isinstance(value, str) and _has_line_break(value):
        problem = (
            f"{place} must be one line, got {reprlib.repr(value)}; pass a list of lines, or a "
            "file beside your script"
        )
        return [problem]
    if _limits.ACCESS_KEY.search(json.dumps(value)):
        problem = (
            f"{place} holds what reads like the id of an AWS access key: leave it out, a job has "
            "its role, and everyone who may describe the job can read its hyperparameters"
        )
        return [problem]
    if (length := len(json.dumps(value))) > _limits.HYPERPARAMETER_VALUE_MAX:
        problem = (
            f"{place} takes {length} characters as JSON, SageMaker allows "
            f"{_limits.HYPERPARAMETER_VALUE_MAX}: put it into a file beside your script, or in "
            "S3, and pass its name"
        )
        return [problem]
    return []


def _json_problems(place: str, value: object, above: tuple[int, ...] = ()) -> Iterator[str]:
    """Walk *value* as json.dumps would; *above* holds the ids of the containers around it."""
    if value is None or isinstance(value, _SCALARS):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            yield f"{place} is {value!r}, which is not JSON: give a finite number, or None"
        return
    if not isinstance(value, dict | list | tuple):
        yield f"{place} is {reprlib.repr(value)}, which is not JSON: {_mend(value)}"
        return
    if id(value) in above:
        yield f"{place} contains itself, which is not JSON"
        return
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(value, dict) and not isinstance(key, str):
            yield f"{place} has a key {key!r}, which JSON would turn into a str: give a str"
        else:
            yield from _json_problems(f"{place}[{key!r}]", item, (*above, id(value)))


def _mend(value: object) -> str:
    if isinstance(value, PathLike):
        return "give str(path)"
    if isinstance(value, AbstractSet):
        return "give a sorted list"
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return "give its .item()"
    if hasattr(value, "tolist"):
        return "give its .tolist()"
    return "give a str, int, float, bool, None, list or dict"


def _has_line_break(text: str) -> bool:
    return any(sign in text for sign in _limits.LINE_BREAKS)
