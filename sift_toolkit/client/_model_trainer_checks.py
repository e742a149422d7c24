"""What SDK v3 cannot do, or its launcher in the container would trip over.

Every function is pure, needs no SDK and returns a list of problems, each saying what came, what is
allowed and the mend. Arguments carry the names that SDK v2's estimators give them.
"""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from sift_toolkit.client import _limits
from sift_toolkit.client._deferred import is_deferred
from sift_toolkit.client._hyperparameters import hyperparameter_problems
from sift_toolkit.client._model_trainer_arguments import UNTRANSLATED, wire_hyperparameters

if TYPE_CHECKING:
    from sift_toolkit.client._checks import Place

_FILE: Final = "file://"
_SWITCHES_OFF: Final[Collection[object]] = (None, False)


def untranslated_problems(arguments: Mapping[str, object]) -> list[str]:
    """Name the arguments that SDK v3 has no place for."""
    return [
        f"{name} is not possible with SDK v3: {mend}"
        for name, mend in UNTRANSLATED.items()
        if arguments.get(name) not in _SWITCHES_OFF
    ]


def v3_problems(arguments: Mapping[str, object], place: Place) -> list[str]:
    """Name what only SDK v3 refuses or trips over, in arguments that are fine with SDK v2."""
    return [
        *_name_problems(arguments.get("hyperparameters")),
        *_value_problems(arguments.get("hyperparameters")),
        *_distribution_problems(arguments.get("distribution")),
        *(_local_output_problems(arguments) if place != "sagemaker" else []),
    ]


def v3_channel_problems(names: Iterable[object]) -> list[str]:
    """Name the channels that would end an SDK v3 job at its start, or that it has itself."""
    problems = []
    count = 0
    for name in names:
        count += 1
        if not isinstance(name, str) or is_deferred(name):
            continue
        if name in _limits.V3_CHANNELS:
            problems.append(
                f"inputs has a channel {name!r}, which SDK v3 uses itself: give it another name"
            )
        elif not _limits.V3_CHANNEL_NAME.fullmatch(name):
            problems.append(
                f"inputs has a channel {name!r}; SDK v3 makes a shell variable of its name, which "
                "takes letters, digits and underscores only"
            )
    if (total := count + len(_limits.V3_CHANNELS)) > _limits.CHANNELS_MAX:
        problems.append(
            f"the job would have {total} channels, {len(_limits.V3_CHANNELS)} of them SDK v3's "
            f"own; SageMaker allows {_limits.CHANNELS_MAX}"
        )
    return problems


def _name_problems(hyperparameters: object) -> list[str]:
    if not isinstance(hyperparameters, Mapping):
        return []
    return [
        f"hyperparameters has a name {reprlib.repr(name)}; SDK v3 makes a shell variable of it, "
        "which takes letters, digits, underscores and hyphens only"
        for name in hyperparameters
        if isinstance(name, str) and not _limits.V3_HYPERPARAMETER_KEY.fullmatch(name)
    ]


def _value_problems(hyperparameters: object) -> list[str]:
    """Name what has no room on the wire once its apostrophes are spelled out."""
    if not isinstance(hyperparameters, Mapping) or hyperparameter_problems(hyperparameters):
        return []
    wire = wire_hyperparameters(hyperparameters)
    return [
        f"hyperparameters[{name!r}] takes {len(text)} characters, since SDK v3's launcher needs "
        "its apostrophes spelled out; SageMaker allows "
        f"{_limits.HYPERPARAMETER_VALUE_MAX}: put it into a file beside your script"
        for name, text in wire.items()
        if isinstance(text, str) and len(text) > _limits.HYPERPARAMETER_VALUE_MAX
    ]


def _distribution_problems(distribution: object) -> list[str]:
    if not isinstance(distribution, Mapping):
        return []
    return [
        f"distribution has {strategy!r}, which is not possible here with SDK v3: give "
        "{'torch_distributed': {'enabled': True}}, or none"
        for strategy in distribution
        if strategy != "torch_distributed"
    ]


def _local_output_problems(arguments: Mapping[str, object]) -> list[str]:
    path = arguments.get("output_path")
    if path is None or (isinstance(path, str) and path.startswith(_FILE)):
        return []
    problem = (
        f"output_path={path!r} is not possible in SDK v3's local mode, which writes to this "
        "machine only: give 'file://...', or leave it out"
    )
    return [problem]
