"""How a script is told its hyperparameters: on its command line and in its environment.

Written as sagemaker-training 5.1.4 writes both (its mapping.py), so that a script sees the same
whoever starts it: that toolkit, or the driver of SDK v3, which writes booleans and dicts in other
words, reads the string "1.10" as a number, and adds hyperparameters that are not the user's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from typing import Final

from sift_toolkit.errors import SiftUsageError
from sift_toolkit.outside import shown

_VARIABLE_PREFIX: Final = "SM_HP_"
_SERVICE_PREFIX: Final = f"{_VARIABLE_PREFIX}SAGEMAKER_"
_SUMMARY: Final = "SM_TRAINING_ENV"


def command_line(hyperparameters: Mapping[str, object]) -> list[str]:
    """Return the options and their values, sorted by option."""
    return [
        word
        for key, value in sorted(hyperparameters.items())
        for word in (f"--{key}" if len(key) > 1 else f"-{key}", _word(value))
    ]


def tell_hyperparameters(
    hyperparameters: Mapping[str, object], environment: MutableMapping[str, str]
) -> None:
    """Let the environment's variables about hyperparameters tell of the user's own, and no others.

    A name with hyphens gets two variables, as sagemaker-training and as SDK v3 call it.

    Raises:
        SiftUsageError: a name or a value is none that a variable may have, as with a null byte.
    """
    for name in [name for name in environment if name.startswith(_SERVICE_PREFIX)]:
        del environment[name]
    for key, value in hyperparameters.items():
        for name in {key.upper(), key.upper().replace("-", "_")}:
            _tell(environment, key, _VARIABLE_PREFIX + name, _variable(value))
    environment["SM_HPS"] = _variable(dict(hyperparameters))
    environment["SM_USER_ARGS"] = _variable(command_line(hyperparameters))
    if _SUMMARY in environment:
        summary = {**json.loads(environment[_SUMMARY]), "hyperparameters": dict(hyperparameters)}
        environment[_SUMMARY] = _variable(summary)


def _tell(environment: MutableMapping[str, str], key: str, name: str, text: str) -> None:
    try:
        environment[name] = text
    except ValueError as error:
        # Not its value, which may be secret.
        msg = f"hyperparameter {shown(key)} cannot be told in an environment variable: {error}"
        raise SiftUsageError(msg) from None


def _word(value: object) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{key}={item}" for key, item in sorted(value.items()))
    return "" if value is None else str(value)


def _variable(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
