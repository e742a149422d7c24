"""Spot instances and checkpoints that belong together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.model import Shape

from sift_toolkit.client import _limits
from sift_toolkit.client._checks import Place
from sift_toolkit.client._spot import local_problems, spot_problems, spot_warnings
from sift_toolkit.contract import JobTree
from sift_toolkit.contract._tree import DEFAULT_BASE

GOOD: dict[str, object] = {
    "use_spot_instances": True,
    "max_run": 60,
    "max_wait": 60,
    "checkpoint_s3_uri": "s3://bucket/checkpoints",
}


def only(problems: list[str]) -> str:
    """Return the one problem there is."""
    assert len(problems) == 1, problems
    return problems[0]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"use_spot_instances": True}, "needs max_wait"),
        ({"use_spot_instances": True, "max_wait": 3600}, "at least max_run=86400"),
        ({"use_spot_instances": True, "max_wait": 5, "max_run": 6}, "max_wait=5 must be at least"),
        ({"max_wait": 90_000}, "max_wait=90000 is for spot instances only"),
        ({"checkpoint_local_path": "/data"}, "is dropped by the SDK"),
        ({**GOOD, "checkpoint_local_path": ""}, "1 to 4096 characters, got ''"),
        ({**GOOD, "checkpoint_local_path": Path("/data")}, "must be a path of 1 to"),
    ],
)
def test_wrong(arguments: dict[str, object], problem: str) -> None:
    """A wait shorter than the run, or a folder nothing is copied from, is named with the mend."""
    assert problem in only(spot_problems(arguments))


@pytest.mark.parametrize(
    "arguments", [{}, GOOD, {**GOOD, "checkpoint_local_path": "/opt/ml/checkpoints"}]
)
def test_good(arguments: dict[str, object]) -> None:
    """A wait as long as the run is enough; checkpoints need no spot instances."""
    assert spot_problems(arguments) == []
    assert spot_warnings(arguments, "sagemaker") == []


def test_deferred(pipeline_variable: Any) -> None:
    """What a pipeline fills in is left alone."""
    later = dict.fromkeys(("max_wait", "checkpoint_local_path"), pipeline_variable)
    assert spot_problems({**GOOD, **later}) == []


@pytest.mark.parametrize("address", [None, ""])
def test_spot_without_checkpoints(address: str | None) -> None:
    """A spot job that would lose its work when it is interrupted is warned of, with the mend."""
    arguments = {**GOOD, "checkpoint_s3_uri": address}
    assert "give checkpoint_s3_uri='s3://...'" in only(spot_warnings(arguments, "sagemaker"))
    assert spot_warnings({"checkpoint_s3_uri": address}, "sagemaker") == []
    assert spot_warnings(arguments, "local") == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"checkpoint_s3_uri": "s3://bucket/checkpoints"},
        {"checkpoint_local_path": "/opt/ml/checkpoints"},
        {"use_spot_instances": True},
    ],
)
@pytest.mark.parametrize("place", ["local", "host"])
def test_what_local_sessions_lack(arguments: dict[str, object], place: Place) -> None:
    """Spot instances and checkpoints in S3 are refused with a local session."""
    problem = only(local_problems(arguments, place))
    assert next(iter(arguments)) in problem
    assert ("HostSession(checkpoints=DIR)" in problem) == (
        place == "host" and "use_spot_instances" not in arguments
    )


def test_folder_that_checkpoints_come_back_to(training_request_model: Shape) -> None:
    """What SageMaker copies, unless told otherwise, is the folder that the trainer writes to."""
    assert JobTree(Path(DEFAULT_BASE)).checkpoints_dir == Path(_limits.CHECKPOINT_FOLDER)
    folder = training_request_model.members["CheckpointConfig"].members["LocalPath"]
    assert f"<code>{_limits.CHECKPOINT_FOLDER}/</code>" in folder.documentation
