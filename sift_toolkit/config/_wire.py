"""How a config travels: flat hyperparameters under one prefix, with a version."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sift_toolkit.config._fields import Count, decode, rule_of
from sift_toolkit.errors import SiftConfigError
from sift_toolkit.outside import shown

HYPERPARAMETER_PREFIX: Final = "sagemaker_sift_"
"""Hyperparameters that begin with `sagemaker_` stay off the user's command line under SDK v2."""

SCRIPT_KEY: Final = f"{HYPERPARAMETER_PREFIX}script"
"""The user's file that a toolkit entry point starts; rides beside the config."""

QUOTED_KEY: Final = f"{HYPERPARAMETER_PREFIX}quoted"
"""Names the user's hyperparameters that SDK v3's launcher got as JSON within JSON."""

VERSION_KEY: Final = f"{HYPERPARAMETER_PREFIX}version"
_BESIDE: Final = frozenset({SCRIPT_KEY, QUOTED_KEY})
"""Keys of ours that carry no field."""

WIRE_VERSION: Final = 1
"""Raised whenever a field or a default changes its meaning."""


def key_of(field_name: str) -> str:
    """The hyperparameter that carries a config field."""
    return HYPERPARAMETER_PREFIX + field_name


def pack(given: Mapping[str, object]) -> dict[str, object]:
    """Put field values under their hyperparameter keys, with the version."""
    return {VERSION_KEY: WIRE_VERSION, **{key_of(name): value for name, value in given.items()}}


_MOST_NAMED: Final = 20
_LONGEST_NAME: Final = 64
"""Unknown keys that are named, and their characters that are compared with those there are."""


class Unpacked(NamedTuple):
    """What a job's hyperparameters say about sifting."""

    given: dict[str, Any]
    """Values by the name of their field, decoded but not checked."""
    problems: list[str]
    """Keys that are no field's, in words."""


def unpack(
    hyperparameters: Mapping[str, object], fields: Sequence[dataclasses.Field[Any]]
) -> Unpacked | None:
    """Pick the config's field values out of all of a job's hyperparameters.

    Returns:
        None where no hyperparameter speaks of sifting.

    Raises:
        SiftConfigError: the config was packed by a version newer than this package.
    """
    known = {key_of(field.name): field for field in fields}
    ours = {
        key: value
        for key, value in hyperparameters.items()
        if str(key).startswith(HYPERPARAMETER_PREFIX) and key not in _BESIDE
    }
    if not ours:
        return None
    _check_version(ours.pop(VERSION_KEY, WIRE_VERSION))
    return Unpacked(
        {
            known[key].name: decode(rule_of(known[key]), value)
            for key, value in ours.items()
            if key in known
        },
        _all_unknown([key for key in ours if key not in known], known),
    )


def _check_version(value: object) -> None:
    rule = Count(1)
    version = decode(rule, value)
    if not isinstance(version, int) or not rule.accepts(version):
        raise SiftConfigError([f"{VERSION_KEY} must be {rule.allowed}, got {shown(value)}"])
    if version > WIRE_VERSION:
        problem = (
            f"this job was launched by a newer sift_toolkit (config version {shown(version)}) than "
            f"the one inside it understands ({WIRE_VERSION}): update the image, or let the client "
            "ship its own copy"
        )
        raise SiftConfigError([problem])


def _all_unknown(keys: Sequence[str], known: Iterable[str]) -> list[str]:
    """Name unknown keys, the first of them if there are many."""
    more = len(keys) - _MOST_NAMED
    told = [_unknown(key, known) for key in keys[:_MOST_NAMED]]
    return [*told, f"{more} more unknown hyperparameters"] if more > 0 else told


def _unknown(key: str, known: Iterable[str]) -> str:
    # The prefix they share would make all keys look alike; without a cutoff one always is nearest.
    names = [each.removeprefix(HYPERPARAMETER_PREFIX) for each in (*known, *_BESIDE, VERSION_KEY)]
    name = key.removeprefix(HYPERPARAMETER_PREFIX)[:_LONGEST_NAME]
    (nearest,) = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
    return f"unknown hyperparameter {shown(key)}, did you mean {key_of(nearest)!r}?"
