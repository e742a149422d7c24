"""What no tuning job can be, each with the mend; the numbers are SageMaker's own."""

from __future__ import annotations

from typing import Any

import pytest
from sagemaker.parameter import ContinuousParameter

from sift_toolkit.client import _limits
from sift_toolkit.client._tuner_checks import (
    estimator_problems,
    own_range_problems,
    tuning_name_problems,
    tuning_problems,
)
from sift_toolkit.testing._request_model import request_shape

ARGUMENTS = {"strategy": "Bayesian", "max_jobs": 10, "max_parallel_jobs": 2}


def test_a_sound_tuner() -> None:
    """Nothing is wrong with what is right."""
    assert estimator_problems({}, on_sagemaker=True) == []
    assert tuning_problems(ARGUMENTS, ["Continuous"], 17) == []
    assert own_range_problems({"lr": ContinuousParameter(0, 1)}, ["lr"]) == []
    assert tuning_name_problems("a-name") == tuning_name_problems(None) == []


@pytest.mark.parametrize(
    ("changes", "on_sagemaker", "problem"),
    [
        ({}, False, "or try shares one by one with keep_sweep"),
        ({"instance_groups": [1]}, True, "instance_groups is not possible in a tuning job"),
        ({"keep_alive_period_in_seconds": 60}, True, "keep_alive_period_in_seconds is not poss"),
        ({"environment": {f"A{n}": "" for n in range(49)}}, True, "has 49 variables, a tuning"),
    ],
)
def test_estimators(changes: dict[str, Any], on_sagemaker: bool, problem: str) -> None:
    """An estimator that cannot be tuned is refused for each reason."""
    (only,) = estimator_problems(changes, on_sagemaker=on_sagemaker)
    assert problem in only


@pytest.mark.parametrize(
    ("changes", "kinds", "num_metrics", "problem"),
    [
        ({"max_jobs": 0}, [], 0, "max_jobs must be a whole number from 1 to 750, got 0"),
        ({"max_jobs": 751}, [], 0, "from 1 to 750, got 751"),
        ({"max_jobs": 10_001, "strategy": "Random"}, [], 0, "from 1 to 10000, got 10001"),
        ({"max_parallel_jobs": True}, [], 0, "from 1 to 100, got True"),
        ({"max_parallel_jobs": 2.0}, [], 0, "from 1 to 100, got 2.0"),
        ({}, ["Continuous"] * 31, 0, "has 31 ranges, SageMaker allows 30"),
        ({}, [], 21, "would report 21 metrics, a tuning job allows 20"),
        ({"strategy": "Baysian"}, [], 0, "must be one of 'Bayesian', 'Random'"),
        ({"early_stopping_type": "On"}, [], 0, "must be 'Off' or 'Auto', got 'On'"),
        ({"strategy": "Grid"}, ["Categorical", "Integer"], 0, "'Grid' tries lists only"),
        ({"base_tuning_job_name": "a_b"}, [], 0, "base_tuning_job_name must be letters"),
    ],
)
def test_arguments(
    changes: dict[str, Any], kinds: list[str], num_metrics: int, problem: str
) -> None:
    """Each argument that SageMaker would refuse is named with what it allows."""
    (only,) = tuning_problems({**ARGUMENTS, **changes}, kinds, num_metrics)
    assert problem in only


def test_deferred_arguments(pipeline_variable: Any) -> None:
    """What only a pipeline knows is left to AWS."""
    deferred = dict.fromkeys(
        ("strategy", "max_jobs", "max_parallel_jobs", "early_stopping_type"), pipeline_variable
    )
    assert tuning_problems(deferred, ["Continuous"], 1) == []


@pytest.mark.parametrize(
    ("ranges", "problem"),
    [
        ({"lr": (0, 1)}, "must be a ContinuousParameter, IntegerParameter or Categorical"),
        ({"sagemaker_sift_keep": ContinuousParameter(0, 1)}, "is reserved: tune it in ranges"),
        ({"sagemaker_program": ContinuousParameter(0, 1)}, "is reserved: the SDK writes it"),
    ],
)
def test_own_ranges(ranges: dict[str, Any], problem: str) -> None:
    """Ranges of the user's own are the SDK's parameters, and of his own hyperparameters."""
    (only,) = own_range_problems(ranges, [])
    assert problem in only


def test_too_many_hyperparameters() -> None:
    """Fixed and tuned ones count together, once each, beside those of SDK and service."""
    most = _limits.HYPERPARAMETERS_MAX - 8
    static = [f"a{number}" for number in range(most)]
    assert own_range_problems({"a0": ContinuousParameter(0, 1)}, static) == []
    (only,) = own_range_problems({"b": ContinuousParameter(0, 1)}, static)
    assert "would have 101 hyperparameters, 8 of them the SDK's own" in only


@pytest.mark.parametrize("name", ["a" * 33, "a_b", "-a", "a-", "", 3])
def test_job_names(name: Any) -> None:
    """A tuning job's name is shorter than a training job's."""
    (only,) = tuning_name_problems(name)
    assert "32 characters at most" in only


def test_limits() -> None:
    """The numbers that the API's model has are those of the model."""
    members = request_shape("CreateHyperParameterTuningJob").members
    assert members["HyperParameterTuningJobName"].metadata["pattern"] == (
        _limits.TUNING_JOB_NAME.pattern
    )
    config = members["HyperParameterTuningJobConfig"].members
    assert tuple(config["Strategy"].metadata["enum"]) == _limits.TUNING_STRATEGIES
    ranges = config["ParameterRanges"].members
    for kind in ("Continuous", "Integer", "Categorical"):
        assert ranges[f"{kind}ParameterRanges"].metadata["max"] == _limits.TUNING_RANGES_MAX
    values = ranges["CategoricalParameterRanges"].member.members["Values"]
    assert values.metadata["max"] == _limits.TUNING_CATEGORIES_MAX
    definition = members["TrainingJobDefinition"].members
    assert definition["Environment"].metadata["max"] == _limits.TUNING_ENVIRONMENT_MAX
