"""A script's own arguments, as the hyperparameters that a SageMaker job is given them by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sift_toolkit.errors import SiftUsageError

_OPTION: Final = re.compile(r"--?([^-=\s][^=\s]*)(?:=(.*))?", re.DOTALL)
_NUMBER: Final = re.compile(r"-(\d|\.\d).*")
_WAY: Final = (
    "a SageMaker job gives its script hyperparameters, as --name value, or -n value where the name "
    "is one letter; give '-- --name value', or --hyperparameter name=value"
)


def hyperparameters_of(arguments: Sequence[str]) -> dict[str, str]:
    """Return the hyperparameters that reach a script as these arguments.

    Raises:
        SiftUsageError: no hyperparameter could: a flag without a value, a value without a name, or
            the same name twice.
    """
    found: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        name, value = _option(argument)
        if value is None:
            if not rest or _is_option(rest[0]):
                msg = f"{argument!r} has no value: {_WAY}"
                raise SiftUsageError(msg)
            value = rest.pop(0)
        if name in found:
            msg = f"{argument!r} is given more than once: {_WAY}"
            raise SiftUsageError(msg)
        found[name] = value
    return found


def _option(argument: str) -> tuple[str, str | None]:
    found = _OPTION.fullmatch(argument) if _is_option(argument) else None
    # The launcher writes two dashes before a name, but one before a single letter.
    if found is None or argument.startswith("--") != (len(found[1]) > 1):
        msg = f"{argument!r} is no option a job could be given: {_WAY}"
        raise SiftUsageError(msg)
    return found[1], found[2]


def _is_option(argument: str) -> bool:
    return argument.startswith("-") and len(argument) > 1 and not _NUMBER.fullmatch(argument)
