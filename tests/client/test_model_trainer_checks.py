"""What SDK v3 alone would refuse or trip over."""

from __future__ import annotations

from typing import Any

import pytest

from sift_toolkit.client._model_trainer_arguments import UNTRANSLATED
from sift_toolkit.client._model_trainer_checks import (
    untranslated_problems,
    v3_channel_problems,
    v3_problems,
)

APOSTROPHES = "'" * 400  # seven characters each, once they are spelled out


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        ({"hyperparameters": {"model.depth": 2}}, "hyperparameters has a name 'model.depth'"),
        ({"hyperparameters": {"a b": 2}}, "hyperparameters has a name 'a b'"),
        ({"hyperparameters": {"note": APOSTROPHES}}, "hyperparameters['note'] takes "),
        ({"distribution": {"mpi": {"enabled": True}}}, "distribution has 'mpi'"),
        ({"distribution": {"torch_distributed": {"enabled": True}}}, None),
        ({"hyperparameters": {"batch-size": "it's", "x_1": None}}, None),
        ({"hyperparameters": "lr"}, None),  # the common checks name it
        ({"output_path": "s3://bucket"}, None),
    ],
)
def test_problems_on_sagemaker(arguments: dict[str, Any], start: str | None) -> None:
    """Each is named with what came; what works is let through."""
    problems = v3_problems(arguments, "sagemaker")
    assert len(problems) == (start is not None)
    assert all(problem.startswith(str(start)) for problem in problems)


@pytest.mark.parametrize(
    ("path", "count"), [(None, 0), ("file:///tmp/out", 0), ("s3://bucket/out", 1)]
)
def test_local_mode_writes_here(path: str | None, count: int) -> None:
    """SDK v3's local mode cannot write to S3."""
    assert len(v3_problems({"output_path": path}, "local")) == count


@pytest.mark.parametrize("name", sorted(UNTRANSLATED))
def test_what_v3_has_no_place_for(name: str) -> None:
    """An argument that SDK v3 cannot honour is refused; turned off, it is let through."""
    assert untranslated_problems({name: None}) == untranslated_problems({name: False}) == []
    (problem,) = untranslated_problems({name: "something"})
    assert problem == f"{name} is not possible with SDK v3: {UNTRANSLATED[name]}"


@pytest.mark.parametrize(
    ("names", "start"),
    [
        (["training", "val_2"], None),
        (["my-data"], "inputs has a channel 'my-data'; SDK v3 makes a shell variable"),
        (["my.data"], "inputs has a channel 'my.data'; SDK v3 makes a shell variable"),
        (["code"], "inputs has a channel 'code', which SDK v3 uses itself"),
        (["sm_drivers"], "inputs has a channel 'sm_drivers', which SDK v3 uses itself"),
        ([f"c{number}" for number in range(18)], None),
        ([f"c{number}" for number in range(19)], "the job would have 21 channels"),
    ],
)
def test_channels(names: list[str], start: str | None) -> None:
    """A channel that would end the job at its start, or is there already, is named."""
    problems = v3_channel_problems(names)
    assert len(problems) == (start is not None)
    assert all(problem.startswith(str(start)) for problem in problems)
