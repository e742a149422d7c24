"""What is told from a job's arguments before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sift_toolkit.client._checks import (
    CHECKED_ARGUMENTS,
    accepted_arguments,
    argument_problems,
    job_name_problems,
    job_problems,
    job_warnings,
    number_problems,
    request_problems,
)
from sift_toolkit.client._source import SourceCode

ENOUGH: dict[str, object] = {"instance_type": "ml.m5.xlarge", "instance_count": 1}


def only(problems: list[str]) -> str:
    """Return the one problem there is."""
    assert len(problems) == 1, problems
    return problems[0]


def test_nothing_wrong() -> None:
    """An instance is all that a request must name here."""
    assert request_problems(ENOUGH, "sagemaker") == []


def test_every_part_is_looked_at() -> None:
    """One call finds the problems of all parts of a request."""
    problems = request_problems(
        {
            "hyperparameters": {"a": {1}},
            "metric_definitions": [{"Name": "a", "Regex": "x"}],
            "distribution": {"torch_distribted": {"enabled": True}},
            "environment": {"A": 1},
            "tags": {"aws:a": ""},
            "max_run": 0,
            "instance_type": None,
            "instance_count": 1,
            "use_spot_instances": True,
            "base_job_name": "a_b",
            "subnets": ["subnet-1"],
            "input_mode": "Files",
        },
        "sagemaker",
    )
    starts = (
        "hyperparameters['a']",
        "metric_definitions[0]",
        "distribution",
        "environment['A']",
        "the tag key 'aws:a'",
        "max_run",
        "input_mode",
        "instance_type",
        "subnets",
        "use_spot_instances",
        "base_job_name",
    )
    assert len(starts) == len(problems)
    for start, problem in zip(starts, problems, strict=True):
        assert problem.startswith(start)


GOOD_JOB: dict[str, object] = {**ENOUGH, "framework_version": "2.8.0", "py_version": "py312"}
VERSIONS = {"2.8.0": ("py312",)}


def test_every_part_of_a_job_is_looked_at(user_code: Path) -> None:
    """One call finds what is wrong with the arguments, the image, and the code in it."""
    code = SourceCode(entry_point="train.py", source_dir=str(user_code), launcher="train")
    assert job_problems(GOOD_JOB, "sagemaker", code, VERSIONS) == []
    wrong = {**GOOD_JOB, "max_run": 0, "py_version": "py2", "instance_count": 2}
    problems = job_problems(wrong, "sagemaker", code, VERSIONS)
    starts = ("max_run", "framework_version", "instance_count=2 without distribution")
    assert len(starts) == len(problems)
    for start, problem in zip(starts, problems, strict=True):
        assert problem.startswith(start)
    assert len(job_problems(wrong, "sagemaker", None, VERSIONS)) == 2


def test_every_part_of_a_job_is_warned_of(user_code: Path) -> None:
    """One call finds what is legal, and hardly meant."""
    code = SourceCode(entry_point="train.py", source_dir=str(user_code))
    assert job_warnings(GOOD_JOB, "sagemaker", code) == []
    doubtful = {
        **GOOD_JOB,
        "instance_type": "ml.g5.xxlarge",
        "instance_count": 2,
        "use_spot_instances": True,
        "environment": {"AWS_SECRET_ACCESS_KEY": "hush-hush"},
    }
    warnings = job_warnings(doubtful, "sagemaker", code)
    starts = ("use_spot_instances", "environment", "instance_type", "instance_count")
    assert len(starts) == len(warnings)
    for start, warning in zip(starts, warnings, strict=True):
        assert warning.startswith(start)
        assert "hush-hush" not in warning
    assert len(job_warnings(doubtful, "local", None)) == 2


def test_checked_arguments_are_the_estimators() -> None:
    """Each argument that is looked at is one the SDK's estimator takes."""
    from sagemaker.pytorch import PyTorch

    assert set(CHECKED_ARGUMENTS) <= accepted_arguments(PyTorch)


class Base:
    """Takes an argument of its own and swallows the rest."""

    def __init__(self, base: int = 0, **kwargs: object) -> None:
        """Swallow *kwargs*."""


class Middle(Base):
    """Has no constructor."""


class Child(Middle):
    """Takes arguments of each kind."""

    def __init__(self, first: int, *args: object, second: int = 0, **kwargs: object) -> None:
        """Swallow *args* and *kwargs*."""


def test_accepted_arguments() -> None:
    """What a class takes by name is what its and its bases' constructors name."""
    assert {"first", "second", "base"} == accepted_arguments(Child)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("metric_definitons", "did you mean 'metric_definitions'?"),
        ("train_instance_type", "did you mean 'instance_type'?"),
        ("zzzz", "leave it out"),
    ],
)
def test_misspelt_arguments(name: str, hint: str) -> None:
    """An argument the SDK would swallow is named with the nearest one it knows."""
    problem = only(
        argument_problems([name, "role"], {"metric_definitions", "instance_type", "role"})
    )
    assert repr(name) in problem
    assert hint in problem


@pytest.mark.parametrize("name", ["training_recipe", "recipe_overrides"])
def test_recipes(name: str) -> None:
    """A recipe would replace the hyperparameters, and is refused although the SDK takes it."""
    assert "sift config" in only(argument_problems([name], {name}))


@pytest.mark.parametrize(
    ("arguments", "bounds"),
    [
        ({"max_run": 0}, "from 1, got 0"),
        ({"max_run": "3600"}, "from 1, got '3600'"),
        ({"max_run": 3600.0}, "from 1, got 3600.0"),
        ({"instance_count": 0}, "from 1, got 0"),
        ({"instance_count": True}, "from 1, got True"),
        ({"max_retry_attempts": 31}, "from 1 to 30, got 31"),
        ({"keep_alive_period_in_seconds": 21_601}, "from 0 to 21600, got 21601"),
    ],
)
def test_whole_numbers(arguments: dict[str, object], bounds: str) -> None:
    """A number that the API refuses is named with its bounds."""
    name = next(iter(arguments))
    assert f"{name} must be a whole number {bounds}" == only(number_problems(arguments))


def test_numbers_within_bounds(pipeline_variable: Any) -> None:
    """Numbers at their bounds, and those a pipeline fills in, are accepted."""
    arguments = {
        "max_run": 1,
        "max_retry_attempts": 30,
        "keep_alive_period_in_seconds": 0,
        "instance_count": pipeline_variable,
        "max_wait": None,
    }
    assert number_problems(arguments) == []


@pytest.mark.parametrize(
    ("arguments", "good"),
    [
        ({"base_job_name": "letters-1"}, True),
        ({"base_job_name": "a" * 100}, True),
        ({"base_job_name": "my_job"}, False),
        ({"base_job_name": "-job"}, False),
        ({"base_job_name": ""}, False),
        ({"base_job_name": 3}, False),
        ({"image_uri": "1.dkr.ecr.eu-west-1.amazonaws.com/group/pytorch:2.8"}, True),
        ({"image_uri": "my_image:latest"}, False),
        ({"image_uri": "my_image:latest", "base_job_name": "job"}, True),
    ],
)
def test_beginning_of_a_job_name(arguments: dict[str, object], good: bool) -> None:
    """What begins a job's name, given or taken from the image, must be legal in one."""
    problems = request_problems({**ENOUGH, **arguments}, "sagemaker")
    assert (problems == []) == good
    assert request_problems({**ENOUGH, **arguments}, "local") == []


@pytest.mark.parametrize("name", [None, "a", "letters-0-5", "a" * 63])
def test_good_job_names(name: str | None) -> None:
    """A name as the API has it, or none, is accepted."""
    assert job_name_problems(name) == []


@pytest.mark.parametrize("name", ["", "a_b", "a-", "-a", "a" * 64, 3])
def test_wrong_job_names(name: object) -> None:
    """A name that the API refuses is named."""
    assert f"got {name!r}" in only(job_name_problems(name))
