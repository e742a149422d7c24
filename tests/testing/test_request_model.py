"""A request is held against the API's own model, and everything wrong with it is named."""

from __future__ import annotations

from typing import Any

import pytest

from sift_toolkit.testing import request_violations

SOUND: dict[str, Any] = {
    "TrainingJobName": "a-job",
    "HyperParameters": {"epochs": "3", "note": '"it\'s fine ✓"'},
    "AlgorithmSpecification": {"TrainingImage": "image:1", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/x",
    "OutputDataConfig": {"S3OutputPath": "s3://bucket"},
    "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "Tags": [{"Key": "team", "Value": "a b"}],
}


def test_a_sound_request() -> None:
    """What AWS takes has no violation."""
    assert request_violations(SOUND) == []


def test_everything_wrong_is_named() -> None:
    """What is too long, malformed, unknown or missing is named, with its place."""
    broken = {
        "TrainingJobName": "a_b",
        "HyperParameters": {"x": "v" * 2501, "y": "a\nb"},
        "Tags": [{"Key": "a*b", "Value": ""}],
        "Typo": 1,
        "RetryStrategy": {"MaximumRetryAttempts": 31},
        "StoppingCondition": {"MaxRuntimeInSeconds": "1"},
        "AlgorithmSpecification": {"TrainingInputMode": "Fiel"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket"},
        "InputDataConfig": [],
    }
    expected = (
        "request.RoleArn is missing",
        "request.TrainingJobName does not match",
        "request.HyperParameters['x']: 2501 is above 2500",
        "request.HyperParameters['y'] does not match",
        "request.Tags[0].Key does not match",
        "request.Typo is unknown",
        "request.RetryStrategy.MaximumRetryAttempts: 31 is above 30",
        "request.StoppingCondition.MaxRuntimeInSeconds is no whole number",
        "request.AlgorithmSpecification.TrainingInputMode is none of the allowed words",
        "request.InputDataConfig: 0 is below 1",
    )
    found = request_violations(broken)
    assert len(found) == len(expected), found
    for start, violation in zip(expected, found, strict=True):
        assert violation.startswith(start)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("HyperParameters", {"epochs": 3}, "request.HyperParameters['epochs'] is no string: 3"),
        ("HyperParameters", ["epochs"], "request.HyperParameters is no dict: ['epochs']"),
        ("Tags", {"a": "b"}, "request.Tags is no list: {'a': 'b'}"),
        ("StoppingCondition", None, "request.StoppingCondition is no dict: None"),
        ("EnableManagedSpotTraining", "yes", "request.EnableManagedSpotTraining is no bool: 'yes'"),
    ],
)
def test_a_wrong_kind_of_value(name: str, value: object, expected: str) -> None:
    """A value of the wrong type is named, not walked into."""
    assert request_violations({**SOUND, name: value}) == [expected]


def test_environment_values_are_not_shown() -> None:
    """What stands in an environment variable may be a secret."""
    secret = "hush" * 200
    (found,) = request_violations({**SOUND, "Environment": {"TOKEN": secret}})
    assert found == "request.Environment['TOKEN']: 800 is above 512"
    (found,) = request_violations({**SOUND, "Environment": {"TOKEN": 12345}})
    assert "12345" not in found


def test_other_operations() -> None:
    """A tuning job's request has a model of its own."""
    found = request_violations(
        {"HyperParameterTuningJobName": "x" * 33}, "CreateHyperParameterTuningJob"
    )
    assert "request.HyperParameterTuningJobConfig is missing" in found
    assert "request.HyperParameterTuningJobName: 33 is above 32" in found
