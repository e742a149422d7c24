"""What no tuning job can be, told from the estimator and the tuner's arguments, without an SDK."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from sift_toolkit.client import _limits
from sift_toolkit.client._deferred import is_deferred
from sift_toolkit.client._tuning_ranges import kind_of
from sift_toolkit.config import HYPERPARAMETER_PREFIX

KEPT_BY_WARM_START: Final = (
    "strategy",
    "strategy_config",
    "completion_criteria_config",
    "objective_type",
    "max_jobs",
    "max_parallel_jobs",
    "max_runtime_in_seconds",
    "warm_start_config",
    "early_stopping_type",
    "random_seed",
)
"""SDK v2 and v3: what HyperparameterTuner._create_warm_start_tuner hands on, the metrics not."""

_GRID: Final = "Grid"
_EARLY_STOPPING: Final = ("Off", "Auto")
_RESERVED: Final = _limits.SDK_HYPERPARAMETERS | _limits.TUNER_HYPERPARAMETERS


def estimator_problems(arguments: Mapping[str, object], *, on_sagemaker: bool) -> list[str]:
    """Name why an estimator of these arguments cannot be tuned at all.

    Args:
        arguments: Its own, by the names that SDK v2 gives them.
        on_sagemaker: Whether its jobs run there, and not on this machine.
    """
    if not on_sagemaker:
        problem = (
            "a tuning job runs on SageMaker only, and this estimator's jobs run on this machine: "
            "give it an instance_type of SageMaker's, or try shares one by one with keep_sweep"
        )
        return [problem]
    return [*_instance_problems(arguments), *_environment_problems(arguments.get("environment"))]


def tuning_problems(
    arguments: Mapping[str, Any], kinds: Collection[str | None], num_metrics: int
) -> list[str]:
    """Name what SageMaker would refuse in a tuner's arguments.

    Args:
        arguments: Those of HyperparameterTuner, by name.
        kinds: The kind of each range: "Continuous", "Integer" or "Categorical".
        num_metrics: How many metrics the jobs report.
    """
    return [
        *_count_problems(arguments, len(kinds), num_metrics),
        *_strategy_problems(arguments, kinds),
        *_name_problems("base_tuning_job_name", arguments, _limits.JOB_NAME_PREFIX),
    ]


def own_range_problems(ranges: Mapping[str, object], static: Collection[str]) -> list[str]:
    """Name the ranges of the user's own hyperparameters that are none, not theirs, or too many.

    Args:
        ranges: Of the hyperparameters that are tuned beside the config's fields.
        static: The names of all hyperparameters of the estimator's jobs.
    """
    problems = []
    for name, one in ranges.items():
        if kind_of(one) is None:
            problems.append(
                f"hyperparameter_ranges[{name!r}] must be a ContinuousParameter, IntegerParameter "
                f"or CategoricalParameter of the SDK, got {one!r}"
            )
        if name.startswith(HYPERPARAMETER_PREFIX):
            problems.append(f"hyperparameter_ranges[{name!r}] is reserved: tune it in ranges")
        elif name in _RESERVED:
            problems.append(f"hyperparameter_ranges[{name!r}] is reserved: the SDK writes it")
    total = len({*ranges, *static, *_RESERVED})
    if total > _limits.HYPERPARAMETERS_MAX:
        problems.append(
            f"each job would have {total} hyperparameters, {len(_RESERVED)} of them the SDK's "
            f"own; SageMaker allows {_limits.HYPERPARAMETERS_MAX}: put some into one dict"
        )
    return problems


def tuning_name_problems(job_name: object) -> list[str]:
    """Name what is wrong with a name given to the tuner's fit()."""
    return _name_problems("job_name", {"job_name": job_name}, _limits.TUNING_JOB_NAME)


def tuning_channel_problems(channels: Iterable[Any]) -> list[str]:
    """Name the channels that SDK v3's tuner cannot send: unlike train() it uploads nothing."""
    return [
        f"inputs[{one.channel_name!r}] is {one.data_source!r}; a tuning job reads from 's3://...', "
        "or from what a Channel of sagemaker.core.training.configs describes"
        for one in channels
        if type(one).__name__ == "InputData"
        and not (isinstance(one.data_source, str) and one.data_source.startswith("s3://"))
        and not is_deferred(one.data_source)
    ]


def _instance_problems(arguments: Mapping[str, object]) -> list[str]:
    problems = []
    if arguments.get("instance_groups") is not None:
        problems.append(
            "instance_groups is not possible in a tuning job, whose jobs have instances of one "
            "kind: give instance_type and instance_count"
        )
    if arguments.get("keep_alive_period_in_seconds"):
        problems.append(
            "keep_alive_period_in_seconds is not possible in a tuning job, the SDK drops it: leave "
            "it out"
        )
    return problems


def _environment_problems(environment: object) -> list[str]:
    most = _limits.TUNING_ENVIRONMENT_MAX
    if not isinstance(environment, Mapping) or len(environment) <= most:
        return []
    return [f"environment has {len(environment)} variables, a tuning job allows {most}"]


def _count_problems(arguments: Mapping[str, Any], ranges: int, metrics: int) -> list[str]:
    problems = []
    for name, most in (
        ("max_jobs", _limits.TUNING_JOBS_MAX),
        ("max_parallel_jobs", _limits.TUNING_PARALLEL_MAX),
    ):
        value = arguments.get(name)
        if value is None or is_deferred(value):
            continue
        # More random jobs are to be had on request.
        most = 10_000 if (name, arguments["strategy"]) == ("max_jobs", "Random") else most
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            problems.append(f"{name} must be a whole number from 1 to {most}, got {value!r}")
    if ranges > _limits.TUNING_RANGES_MAX:
        problems.append(
            f"the tuner has {ranges} ranges, SageMaker allows {_limits.TUNING_RANGES_MAX}"
        )
    if metrics > _limits.TUNING_METRICS_MAX:
        problems.append(
            f"the jobs would report {metrics} metrics, a tuning job allows "
            f"{_limits.TUNING_METRICS_MAX}: give metric_definitions=[...] with those you want; the "
            "objective is added"
        )
    return problems


def _strategy_problems(arguments: Mapping[str, Any], kinds: Collection[str | None]) -> list[str]:
    problems = []
    strategy, stopping = arguments["strategy"], arguments.get("early_stopping_type", "Off")
    if not is_deferred(strategy) and strategy not in _limits.TUNING_STRATEGIES:
        names = ", ".join(map(repr, _limits.TUNING_STRATEGIES))
        problems.append(f"strategy must be one of {names}, got {strategy!r}")
    if not is_deferred(stopping) and stopping not in _EARLY_STOPPING:
        problems.append(f"early_stopping_type must be 'Off' or 'Auto', got {stopping!r}")
    if strategy == _GRID and set(kinds) != {"Categorical"}:
        problems.append("strategy='Grid' tries lists only: give a list for each range")
    return problems


def _name_problems(argument: str, arguments: Mapping[str, Any], pattern: Any) -> list[str]:
    name = arguments.get(argument)
    if name is None or is_deferred(name):
        return []
    if isinstance(name, str) and pattern.fullmatch(name):
        return []
    problem = (
        f"{argument} must be letters, digits and hyphens, beginning with a letter or digit, and a "
        f"tuning job's whole name has 32 characters at most, got {name!r}"
    )
    return [problem]
