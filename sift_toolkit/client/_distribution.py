"""The estimator's `distribution`: the keys the SDK reads, and the hyperparameters it adds.

The SDK ignores what it does not know and treats a missing `enabled` as False, so that a slip of
the pen trains on one process at the price of many.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Final

from sift_toolkit.client._deferred import is_deferred

_ENABLED: Final = "enabled"
_GROUPS: Final = "instance_groups"

_OPTIONS: Final[Mapping[str, Collection[str]]] = {
    "torch_distributed": (_ENABLED,),
    "pytorchddp": (_ENABLED, "custom_mpi_options"),
    "mpi": (_ENABLED, "processes_per_host", "custom_mpi_options"),
    "pytorchxla": (_ENABLED,),
    "parameter_server": (_ENABLED,),
}
_SMDISTRIBUTED: Final[Mapping[str, Collection[str]]] = {
    "dataparallel": (_ENABLED, "custom_mpi_options"),
    "modelparallel": (_ENABLED, "parameters"),
}
_STRATEGIES: Final = (*_OPTIONS, "smdistributed", _GROUPS)

_DATA_PARALLEL: Final = frozenset(
    {
        "sagemaker_distributed_dataparallel_enabled",
        "sagemaker_distributed_dataparallel_custom_mpi_options",
        "sagemaker_instance_type",
        "mp_parameters",
    }
)
_ADDED: Final[Mapping[str, frozenset[str]]] = {
    "torch_distributed": frozenset(
        {"sagemaker_torch_distributed_enabled", "sagemaker_instance_type"}
    ),
    "pytorchddp": _DATA_PARALLEL,
    "smdistributed": _DATA_PARALLEL,
    "mpi": frozenset(
        {
            "sagemaker_mpi_enabled",
            "sagemaker_mpi_num_of_processes_per_host",
            "sagemaker_mpi_custom_mpi_options",
        }
    ),
    "pytorchxla": frozenset({"sagemaker_pytorch_xla_multi_worker_enabled"}),
    "parameter_server": frozenset({"sagemaker_parameter_server_enabled"}),
    _GROUPS: frozenset({"sagemaker_distribution_instance_groups"}),
}


def distribution_problems(distribution: object) -> list[str]:
    """Name what the SDK would ignore or trip over in a `distribution`."""
    if distribution is None:
        return []
    if not isinstance(distribution, Mapping):
        problem = (
            f"distribution must be a dict such as {{'torch_distributed': {{'enabled': True}}}}, "
            f"got {distribution!r}"
        )
        return [problem]
    problems = []
    for strategy, options in distribution.items():
        place = f"distribution[{strategy!r}]"
        if strategy == "smdistributed":
            problems += _smdistributed_problems(place, options)
        elif strategy in _OPTIONS:
            problems += _option_problems(place, options, _OPTIONS[strategy])
        elif strategy != _GROUPS:
            problems.append(_unknown("distribution", strategy, _STRATEGIES))
    return problems


def added_hyperparameters(distribution: object) -> frozenset[str]:
    """The hyperparameters the SDK may add for a `distribution`; the most there can be."""
    if not isinstance(distribution, Mapping):
        return frozenset()
    return frozenset().union(*(_ADDED.get(strategy, frozenset()) for strategy in distribution))


def _smdistributed_problems(place: str, libraries: object) -> list[str]:
    if not isinstance(libraries, Mapping):
        problem = (
            f"{place} must be a dict such as {{'dataparallel': {{'enabled': True}}}}, "
            f"got {libraries!r}"
        )
        return [problem]
    problems = []
    for library, options in libraries.items():
        if library in _SMDISTRIBUTED:
            below = f"{place}[{library!r}]"
            problems += _option_problems(below, options, _SMDISTRIBUTED[library])
        else:
            problems.append(_unknown(place, library, _SMDISTRIBUTED))
    return problems


def _option_problems(place: str, options: object, known: Collection[str]) -> list[str]:
    if not isinstance(options, Mapping):
        return [f"{place} must be a dict such as {{'enabled': True}}, got {options!r}"]
    problems = [_unknown(place, option, known) for option in options if option not in known]
    if _ENABLED not in options:
        problems.append(f"{place} lacks 'enabled': True, and so would be ignored")
    elif not isinstance(options[_ENABLED], bool) and not is_deferred(options[_ENABLED]):
        problems.append(f"{place}['enabled'] must be True or False, got {options[_ENABLED]!r}")
    return problems


def _unknown(place: str, key: object, known: Collection[str]) -> str:
    near = difflib.get_close_matches(str(key), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "it may hold " + ", ".join(map(repr, known))
    return f"{place} has a key {key!r}, which the SDK ignores; {hint}"
