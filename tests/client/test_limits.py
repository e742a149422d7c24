"""The limits are those of the API's own model, of the SDK and of the container."""

from __future__ import annotations

import inspect
import re
from functools import reduce
from typing import Any

import pytest
from botocore.model import Shape

from sift_toolkit import SiftConfig, sift_estimator
from sift_toolkit.client import _limits


def shape_at(model: Shape, path: str) -> Shape:
    """Follow a path such as ``Tags.[].Key``; ``{k}`` and ``{v}`` are a map's two sides."""

    def step(shape: Shape, name: str) -> Shape:
        sides = {"[]": "member", "{k}": "key", "{v}": "value"}
        return getattr(shape, sides[name]) if name in sides else shape.members[name]

    return reduce(step, path.split("."), model)


@pytest.mark.parametrize(
    ("limit", "path"),
    [
        (_limits.HYPERPARAMETERS_MAX, "HyperParameters"),
        (_limits.HYPERPARAMETER_KEY_MAX, "HyperParameters.{k}"),
        (_limits.HYPERPARAMETER_VALUE_MAX, "HyperParameters.{v}"),
        (_limits.METRIC_DEFINITIONS_MAX, "AlgorithmSpecification.MetricDefinitions"),
        (_limits.METRIC_NAME_MAX, "AlgorithmSpecification.MetricDefinitions.[].Name"),
        (_limits.METRIC_REGEX_MAX, "AlgorithmSpecification.MetricDefinitions.[].Regex"),
        (_limits.ENVIRONMENT_MAX, "Environment"),
        (_limits.ENVIRONMENT_KEY_MAX, "Environment.{k}"),
        (_limits.ENVIRONMENT_VALUE_MAX, "Environment.{v}"),
        (_limits.TAGS_MAX, "Tags"),
        (_limits.TAG_KEY_MAX, "Tags.[].Key"),
        (_limits.TAG_VALUE_MAX, "Tags.[].Value"),
        (_limits.JOB_NAME_MAX, "TrainingJobName"),
        (_limits.CHANNELS_MAX, "InputDataConfig"),
        (_limits.CHANNEL_NAME_MAX, "InputDataConfig.[].ChannelName"),
        (_limits.S3_ADDRESS_MAX, "OutputDataConfig.S3OutputPath"),
        (_limits.S3_ADDRESS_MAX, "CheckpointConfig.S3Uri"),
        (_limits.CHECKPOINT_FOLDER_MAX, "CheckpointConfig.LocalPath"),
        (_limits.SUBNETS_MAX, "VpcConfig.Subnets"),
        (_limits.SECURITY_GROUPS_MAX, "VpcConfig.SecurityGroupIds"),
        (_limits.NETWORK_ID_MAX, "VpcConfig.Subnets.[]"),
        (_limits.NETWORK_ID_MAX, "VpcConfig.SecurityGroupIds.[]"),
        (_limits.KMS_KEY_MAX, "OutputDataConfig.KmsKeyId"),
        (_limits.KMS_KEY_MAX, "ResourceConfig.VolumeKmsKeyId"),
    ],
)
def test_greatest_size(training_request_model: Shape, limit: int, path: str) -> None:
    """Each greatest size is the API's."""
    assert shape_at(training_request_model, path).metadata["max"] == limit


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (_limits.JOB_NAME, "TrainingJobName"),
        (_limits.ENVIRONMENT_KEY, "Environment.{k}"),
        (_limits.CHANNEL_NAME, "InputDataConfig.[].ChannelName"),
        (_limits.NETWORK_ID, "VpcConfig.Subnets.[]"),
        (_limits.NETWORK_ID, "VpcConfig.SecurityGroupIds.[]"),
        (_limits.KMS_KEY, "OutputDataConfig.KmsKeyId"),
        (_limits.KMS_KEY, "ResourceConfig.VolumeKmsKeyId"),
    ],
)
def test_pattern(training_request_model: Shape, pattern: re.Pattern[str], path: str) -> None:
    """Each pattern is the API's."""
    assert shape_at(training_request_model, path).metadata["pattern"] == pattern.pattern


@pytest.mark.parametrize("path", ["OutputDataConfig.S3OutputPath", "CheckpointConfig.S3Uri"])
def test_addresses_in_s3(training_request_model: Shape, path: str) -> None:
    """The API takes https:// too, of which the SDK would make no use; the rest is the API's."""
    both = _limits.S3_ADDRESS.pattern.replace("s3://", "(https|s3)://")
    assert shape_at(training_request_model, path).metadata["pattern"] == both


@pytest.mark.parametrize("path", ["HyperParameters.{k}", "HyperParameters.{v}"])
def test_hyperparameters_are_one_line(training_request_model: Shape, path: str) -> None:
    """The API's pattern for hyperparameters is a run of anything but line breaks."""
    assert shape_at(training_request_model, path).metadata["pattern"] == ".*"


@pytest.mark.parametrize("path", ["Tags.[].Key", "Tags.[].Value"])
def test_signs_of_tags(training_request_model: Shape, path: str) -> None:
    """The signs allowed in tags are those the API's pattern lists."""
    signs = "".join(re.escape(sign) if sign == "-" else sign for sign in _limits.TAG_SIGNS)
    expected = rf"([\p{{L}}\p{{Z}}\p{{N}}{signs}]*)"
    assert shape_at(training_request_model, path).metadata["pattern"] == expected


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        ("max_run", "StoppingCondition.MaxRuntimeInSeconds"),
        ("max_wait", "StoppingCondition.MaxWaitTimeInSeconds"),
        ("max_retry_attempts", "RetryStrategy.MaximumRetryAttempts"),
        ("keep_alive_period_in_seconds", "ResourceConfig.KeepAlivePeriodInSeconds"),
    ],
)
def test_bounds(training_request_model: Shape, argument: str, path: str) -> None:
    """The bounds of each whole number are the API's."""
    metadata = shape_at(training_request_model, path).metadata
    assert (metadata.get("min"), metadata.get("max")) == _limits.WHOLE_NUMBERS[argument]


def test_input_modes(training_request_model: Shape) -> None:
    """The ways to show a channel are the API's."""
    modes = shape_at(training_request_model, "AlgorithmSpecification.TrainingInputMode")
    assert sorted(_limits.INPUT_MODES) == sorted(modes.enum)


def test_default_of_max_run() -> None:
    """The longest run that stands where none is given is the SDK's default."""
    from sagemaker.estimator import EstimatorBase

    default = inspect.signature(EstimatorBase).parameters["max_run"].default
    assert default == _limits.SDK_DEFAULT_MAX_RUN


def test_channel_of_the_code(aws: Any, job_arguments: dict[str, Any]) -> None:
    """The channel kept free under network isolation is the one that the SDK takes."""
    estimator = sift_estimator(SiftConfig(keep=0.5), **job_arguments)
    assert estimator.code_channel_name == _limits.CODE_CHANNEL
    assert estimator.CONTAINER_CODE_CHANNEL_SOURCEDIR_PATH == _limits.CODE_CHANNEL_ARCHIVE


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("AKIAIOSFODNN7EXAMPLE", True),
        ('{"key": "ASIAIOSFODNN7EXAMPLE"}', True),
        ("XAKIAIOSFODNN7EXAMPLE", False),
        ("AKIAIOSFODNN7EXAMPLES", False),
        ("akiaiosfodnn7example", False),
    ],
)
def test_access_keys(text: str, found: bool) -> None:
    """The id of an access key is told from longer words; those here are AWS's own examples."""
    assert (_limits.ACCESS_KEY.search(text) is not None) == found


def test_names_of_the_tuner() -> None:
    """The hyperparameters reserved for a tuner hold those that the SDK's tuner writes."""
    from sagemaker.tuner import HyperparameterTuner

    assert {
        HyperparameterTuner.SAGEMAKER_ESTIMATOR_MODULE,
        HyperparameterTuner.SAGEMAKER_ESTIMATOR_CLASS_NAME,
    } < _limits.TUNER_HYPERPARAMETERS


@pytest.mark.parametrize(
    "name",
    ["train.py", "a/b/train-2.py", "_x.py", ".x", "a+b.py", "-x.py", "/x.py", "a b.py", "ü.py", ""],
)
def test_names_of_scripts(name: str) -> None:
    """A script's name is safe exactly where sagemaker-training agrees to start it."""
    from sagemaker_training.errors import ClientError
    from sagemaker_training.process import validate_entry_point

    try:
        validate_entry_point(name)
        starts = True
    except ClientError:
        starts = False
    assert (_limits.SAFE_ENTRY_POINT.fullmatch(name) is not None) == starts
