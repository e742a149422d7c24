"""What is refused before a job is laid out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sift_toolkit.contract import JobDescription
from sift_toolkit.errors import SiftRequestError

Describe = Callable[..., JobDescription]


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    """Every problem of a description is told in one error."""
    (tmp_path / "file").touch()
    with pytest.raises(SiftRequestError) as caught:
        JobDescription(
            name="no spaces please",
            hyperparameters={"lr": 0.1},  # type: ignore[dict-item] # the mistake in question
            channels={"..": tmp_path, "training": tmp_path / "nowhere"},
            environment={"A": 1},  # type: ignore[dict-item] # the mistake in question
            checkpoints=tmp_path / "file",
        )

    expected = [
        "a job name is 1 to 63",
        "hyperparameter 'lr' must be JSON text",
        "needs the hyperparameter 'sagemaker_program'",
        "needs the hyperparameter 'sagemaker_submit_directory'",
        "a channel name is 1 to 64",
        "nowhere', where there is nothing",
        "environment['A'] must be a str, got a int",
        "checkpoints must be a folder",
    ]
    assert len(expected) == len(caught.value.problems)
    for part, problem in zip(expected, caught.value.problems, strict=True):
        assert part in problem


@pytest.mark.parametrize("name", ["a", "a-1", "A--b", "x" * 63])
def test_job_names_sagemaker_takes(describe: Describe, name: str) -> None:
    """Names that CreateTrainingJob takes are taken."""
    assert name == describe(name=name).name


@pytest.mark.parametrize("name", ["", "-a", "a-", "a_b", "a/b", "..", "x" * 64])
def test_job_names_sagemaker_refuses(describe: Describe, name: str) -> None:
    """Names that CreateTrainingJob refuses are refused, so none leaves the root folder."""
    with pytest.raises(SiftRequestError, match="a job name is"):
        describe(name=name)


@pytest.mark.parametrize("encode", [json.dumps, str])
def test_source_is_found_encoded_or_not(
    describe: Describe, source: Path, encode: Callable[[str], str]
) -> None:
    """The code's folder is understood as JSON text and as plain text."""
    job = describe(hyperparameters={"sagemaker_submit_directory": encode(f"file://{source}")})

    assert source == job.source


def test_source_in_s3_is_the_jobs_affair(describe: Describe) -> None:
    """An s3:// source is passed on: the job itself fetches it."""
    job = describe(hyperparameters={"sagemaker_submit_directory": '"s3://b/sourcedir.tar.gz"'})

    assert job.source == "s3://b/sourcedir.tar.gz"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sagemaker_submit_directory", "https://x/y", "must be a path, file:// or s3://"),
        ("sagemaker_submit_directory", "/no/such/folder", "where there is nothing"),
        ("sagemaker_program", "tarin.py", "script 'tarin.py' is not in the job's code folder"),
    ],
)
def test_code_that_cannot_run(describe: Describe, key: str, value: str, message: str) -> None:
    """Code that is not there is told before anything is laid out."""
    with pytest.raises(SiftRequestError, match=message):
        describe(hyperparameters={key: json.dumps(value)})


def test_torchrun_is_not_silently_ignored(describe: Describe) -> None:
    """torch_distributed, which plain sagemaker-training ignores, is refused with the mend."""
    asked = {"sagemaker_torch_distributed_enabled": "true"}

    with pytest.raises(SiftRequestError, match="sagemaker-pytorch-training"):
        describe(hyperparameters=asked)


def test_torchrun_with_a_launcher_of_its_own(describe: Describe) -> None:
    """With a framework's own launcher named, torch_distributed is let through."""
    environment = {"SAGEMAKER_TRAINING_MODULE": "sagemaker_pytorch_container.training:main"}
    job = describe(
        hyperparameters={"sagemaker_torch_distributed_enabled": "true"}, environment=environment
    )

    assert environment == job.environment
