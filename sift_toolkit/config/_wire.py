"""How a config travels: flat hyperparameters under one prefix, with a version."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sift_toolkit.config._fields import decode, rule_of
from sift_toolkit.errors import SiftConfigError

HYPERPARAMETER_PREFIX: Final = "sagemaker_sift_"
"""Hyperparameters that begin with `sagemaker_` stay off the user's command line under SDK v2."""

SCRIPT_KEY: Final = f"{HYPERPARAMETER_PREFIX}script"
"""The user's file that a toolkit entry point starts; rides beside the config."""

VERSION_KEY: Final = f"{HYPERPARAMETER_PREFIX}version"
WIRE_VERSION: Final = 1
"""Raised whenever a field or a default changes its meaning."""


def key_of(field_name: str) -> str:
    """The hyperparameter that carries a config field."""
    return HYPERPARAMETER_PREFIX + field_name


def pack(given: Mapping[str, object]) -> dict[str, object]:
    """Put field values under their hyperparameter keys, with the version."""
    return {VERSION_KEY: WIRE_VERSION, **{key_of(name): value for name, value in given.items()}}


def unpack(
    hyperparameters: Mapping[str, object], fields: Sequence[dataclasses.Field[Any]]
) -> dict[str, Any] | None:
    """Pick the config's field values out of all of a job's hyperparameters."""
    known = {key_of(field.name): field for field in fields}
    ours = {
        key: value
        for key, value in hyperparameters.items()
        if key.startswith(HYPERPARAMETER_PREFIX) and key != SCRIPT_KEY
    }
    if not ours:
        return None
    _check_version(ours.pop(VERSION_KEY, WIRE_VERSION))
    problems = [_unknown(key, known) for key in ours if key not in known]
    if problems:
        raise SiftConfigError(problems)
    return {known[key].name: decode(rule_of(known[key]), value) for key, value in ours.items()}


def _check_version(value: object) -> None:
    try:
        version = int(json.loads(str(value)))
    except (TypeError, ValueError):
        problem = f"{VERSION_KEY} must be a whole number, got {value!r}"
        raise SiftConfigError([problem]) from None
    if version > WIRE_VERSION:
        problem = (
            f"this job was launched by a newer sift_toolkit (config version {version}) than the "
            f"one inside it understands ({WIRE_VERSION}): update the image, or let the client "
            "ship its own copy"
        )
        raise SiftConfigError([problem])


def _unknown(key: str, known: Mapping[str, object]) -> str:
    nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
    return f"unknown hyperparameter {key!r}, did you mean {nearest[0]!r}?"
