"""`sift_tuner`: a HyperparameterTuner over the dials of sifting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sift_toolkit.client._checks import argument_problems
from sift_toolkit.client._definitions import metric_definition_problems
from sift_toolkit.client._sdks import module_of_sdk
from sift_toolkit.client._tuner_checks import (
    estimator_problems,
    own_range_problems,
    tuning_problems,
)
from sift_toolkit.client._tuning_objective import ObjectiveType, read_objective
from sift_toolkit.client._tuning_ranges import (
    combinations,
    config_problems,
    kind_of,
    read_ranges,
)
from sift_toolkit.config import SiftConfig, key_of
from sift_toolkit.errors import SiftRequestError
from sift_toolkit.metrics import VALIDATION_ACCURACY, Metric

if TYPE_CHECKING:
    from sift_toolkit.client._sift_model_tuner import SiftModelTuner
    from sift_toolkit.client._sift_tuner import SiftTuner

__all__ = ["sift_tuner"]

_V2: Final = "sift_toolkit.client._sift_tuner"
_V3: Final = "sift_toolkit.client._sift_model_tuner"
_MAX_JOBS: Final = 10
"""A default that says something, and does not cost the earth."""


def sift_tuner(
    estimator: Any,
    ranges: Mapping[str, object],
    *,
    objective: str | Metric = VALIDATION_ACCURACY,
    objective_type: ObjectiveType | None = None,
    max_jobs: int | None = None,
    max_parallel_jobs: int = 1,
    hyperparameter_ranges: Mapping[str, Any] | None = None,
    metric_definitions: Sequence[Mapping[str, str]] | None = None,
    **tuner_arguments: Any,
) -> SiftTuner | SiftModelTuner:
    """Return a HyperparameterTuner of the SDK that tries values of the config's fields.

    It is SDK v2's for what `sift_estimator` returned, and SDK v3's for what `sift_model_trainer`
    returned; `fit` takes the same arguments in both. Each of its jobs is one of *estimator*'s, with
    the fields in *ranges* set by the service. A tuned `keep` takes the place of the config's own
    `keep` or `beta_value`, and so does a tuned `beta_value`.

    Accuracy alone nearly always asks for all of the data. So tune `keep` among shares whose cost
    you accept, or tune the other fields at one share. What each share costs, and what it gives,
    `keep_sweep` shows side by side.

    Examples:
        >>> tuner = sift_tuner(
        ...     sift_estimator(SiftConfig(keep=0.5), ...),
        ...     {"keep": (0.2, 0.6), "law": ["percentile", "proportional"]},
        ...     hyperparameter_ranges={"lr": ContinuousParameter(1e-4, 1e-1, "Logarithmic")},
        ...     max_jobs=20,
        ...     max_parallel_jobs=4,
        ... )
        >>> tuner.fit({"training": "s3://bucket/data"})

    Args:
        estimator: What `sift_estimator` or `sift_model_trainer` returned, for jobs on SageMaker.
        ranges: What to try, by field of the config: a tuple (low, high), a list of values, or one
            of the SDK's parameters.
        objective: What to tune for: a metric of the toolkit's, by itself or by its name with or
            without "sift:", or the name of a metric definition of your own. The jobs must report
            it: the toolkit's trainer does so, a script with `loader.record(...)`.
        objective_type: "Maximize" or "Minimize". Default: as the metric has it; needed for your
            own, and for metrics that do not say which of two jobs is the better one.
        max_jobs: Jobs altogether. Default: 10; all combinations with strategy="Grid".
        max_parallel_jobs: Jobs at a time.
        hyperparameter_ranges: Those of your own script, as the SDK takes them. Default: none.
        metric_definitions: What the jobs report, at most 20. Default: the estimator's.
        **tuner_arguments: All others that HyperparameterTuner takes.

    Raises:
        SiftRequestError: the tuning job would be refused, or some of its jobs could not run. All
            problems at once, before any call to AWS; `fit()` looks again before it uploads.
        SiftJobError: the estimator's SDK is not installed.
    """
    config = _config_of(estimator)
    # Trainers of SDK v3 are told by what estimators of SDK v2 lack.
    home, version = (_V3, 3) if hasattr(estimator, "model_copy") else (_V2, 2)
    sdk = module_of_sdk(home, version, "sift_tuner")
    of_jobs = sdk.arguments_of(estimator)
    _refuse(estimator_problems(of_jobs, on_sagemaker=sdk.runs_on_sagemaker(estimator)))
    fields, problems = read_ranges(ranges)
    own = dict(hyperparameter_ranges or {})
    given = of_jobs["metric_definitions"] if metric_definitions is None else metric_definitions
    goal, unclear = read_objective(objective, objective_type, given or [])
    arguments = {
        "strategy": "Bayesian",
        **tuner_arguments,
        "max_parallel_jobs": max_parallel_jobs,
    }
    if max_jobs is None:
        # The SDK leaves a grid's number out in a way that boto3 refuses.
        is_grid = arguments["strategy"] == "Grid"
        max_jobs = combinations([*fields.values(), *own.values()]) if is_grid else _MAX_JOBS
    arguments["max_jobs"] = max_jobs
    kinds = [*(one.kind for one in fields.values()), *map(kind_of, own.values())]
    problems += [
        *(config_problems(config, fields) if not problems else []),
        *own_range_problems(own, of_jobs["hyperparameters"]),
        *unclear,
        *argument_problems(tuner_arguments, sdk.ACCEPTED),
        *metric_definition_problems(given),
        *tuning_problems(arguments, kinds, len(goal.definitions) if goal else 0),
    ]
    _refuse(problems)
    of_fields = {key_of(name): one for name, one in fields.items()}
    tuner: SiftTuner | SiftModelTuner = sdk.make_tuner(
        estimator, goal, {**own, **of_fields}, arguments
    )
    return tuner


def _config_of(estimator: object) -> SiftConfig:
    config = getattr(estimator, "sift_config", None)
    if isinstance(config, SiftConfig):
        return config
    problem = (
        "estimator must be what sift_estimator or sift_model_trainer returned, whose job knows of "
        f"sifting, got {estimator!r}"
    )
    raise SiftRequestError([problem])


def _refuse(problems: list[str]) -> None:
    if problems:
        raise SiftRequestError(problems)
