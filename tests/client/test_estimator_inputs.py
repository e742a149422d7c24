"""What SDK v2 can make no channel of is told before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sagemaker.inputs import FileSystemInput, TrainingInput

from sift_toolkit import SiftConfig, SiftRequestError, sift_estimator
from sift_toolkit.client._estimator_inputs import input_problems
from sift_toolkit.testing import MockedAws


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({"train": None}, "inputs['train'] is None; give an address as text"),
        (Path("data"), "inputs['training'] is PosixPath('data'); give"),
        ([1, 2], "inputs['training'] is [1, 2]; give"),
        ("data", "inputs['training'] is 'data', which is no address"),
        (TrainingInput("data"), "inputs['training'] is 'data', which is no address"),
    ],
)
def test_nothing_is_sent(
    aws: MockedAws, job_arguments: dict[str, Any], inputs: object, problem: str
) -> None:
    """What the SDK would trip over after the upload is refused before it."""
    estimator = sift_estimator(SiftConfig(keep=0.5), **job_arguments)
    with pytest.raises(SiftRequestError) as caught:
        estimator.fit(inputs, wait=False)
    assert problem in str(caught.value)
    assert aws.calls == []


@pytest.mark.parametrize(
    "inputs",
    [
        None,
        TrainingInput("s3://bucket/a"),
        {"train": FileSystemInput("fs-1", "EFS", "/data"), "test": "s3://bucket/a"},
    ],
)
def test_sources(inputs: object) -> None:
    """What the SDK knows how to send is left alone."""
    assert input_problems(inputs, "sagemaker") == []


@pytest.mark.parametrize("inputs", [{}, []])
def test_no_channels(aws: MockedAws, job_arguments: dict[str, Any], inputs: Any) -> None:
    """Empty ones are as good as none; of them the SDK would send a list that is refused."""
    estimator = sift_estimator(SiftConfig(keep=0.5), **job_arguments)
    estimator.fit(inputs, wait=False)
    assert "InputDataConfig" not in aws.request()
    assert "InputDataConfig" not in estimator.describe_request(inputs)
