"""Spot instances and checkpoints: what belongs together, so that a job can go on where it was.

SageMaker starts an interrupted spot job again from its beginning. What it had saved under
`checkpoint_local_path` is there again only if `checkpoint_s3_uri` was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sift_toolkit.client import _limits
from sift_toolkit.client._deferred import is_deferred

if TYPE_CHECKING:
    from sift_toolkit.client._checks import Place

_CHECKPOINTS: Final = ("checkpoint_s3_uri", "checkpoint_local_path")


def spot_problems(arguments: Mapping[str, object]) -> list[str]:
    """Name what is wrong with a SageMaker job's spot instances and checkpoints."""
    return [*_wait_problems(arguments), *_checkpoint_problems(arguments)]


def spot_warnings(arguments: Mapping[str, object], place: Place) -> list[str]:
    """Name what SageMaker accepts of spot instances, but hardly anyone wants."""
    spot, address = arguments.get("use_spot_instances"), arguments.get("checkpoint_s3_uri")
    if place != "sagemaker" or not spot or address:
        return []
    warning = (
        "use_spot_instances=True without checkpoint_s3_uri: an interrupted job starts again from "
        "its beginning; give checkpoint_s3_uri='s3://...', a folder of this job's own"
    )
    return [warning]


def local_problems(arguments: Mapping[str, object], place: Place) -> list[str]:
    """Name what the SDK's local mode, and so a host job, has no room for."""
    mend = (
        "to keep checkpoints between jobs, use HostSession(checkpoints=DIR)"
        if place == "host"
        else "leave it out, or run on a SageMaker instance type"
    )
    problems = [
        f"{name}={arguments[name]!r} is not possible with a local session: {mend}"
        for name in _CHECKPOINTS
        if arguments.get(name)
    ]
    if arguments.get("use_spot_instances"):
        problems.append(
            "use_spot_instances=True is not possible with a local session: leave it out"
        )
    return problems


def _wait_problems(arguments: Mapping[str, object]) -> list[str]:
    longest_run = arguments.get("max_run")
    longest_run = _limits.SDK_DEFAULT_MAX_RUN if longest_run is None else longest_run
    longest_wait = arguments.get("max_wait")
    if longest_wait is None:
        if arguments.get("use_spot_instances"):
            problem = (
                "use_spot_instances=True needs max_wait, the seconds for waiting and running "
                f"together: at least max_run, which is {longest_run!r}"
            )
            return [problem]
        return []
    if not arguments.get("use_spot_instances"):
        problem = (
            f"max_wait={longest_wait!r} is for spot instances only, SageMaker refuses it without: "
            "give use_spot_instances=True too, or leave max_wait out"
        )
        return [problem]
    both = isinstance(longest_wait, int) and isinstance(longest_run, int)
    if both and longest_wait < longest_run:  # type: ignore[operator] # both are int here
        problem = (
            f"max_wait={longest_wait!r} must be at least max_run={longest_run!r}, since it covers "
            "waiting and running together"
        )
        return [problem]
    return []


def _checkpoint_problems(arguments: Mapping[str, object]) -> list[str]:
    address, folder = (arguments.get(name) for name in _CHECKPOINTS)
    if folder is None or is_deferred(folder):
        return []
    if address is None:
        problem = (
            f"checkpoint_local_path={folder!r} without checkpoint_s3_uri is dropped by the SDK, "
            "and no checkpoint outlives the job: give checkpoint_s3_uri too, or leave both out"
        )
        return [problem]
    if not isinstance(folder, str) or not 0 < len(folder) <= _limits.CHECKPOINT_FOLDER_MAX:
        most = _limits.CHECKPOINT_FOLDER_MAX
        return [f"checkpoint_local_path must be a path of 1 to {most} characters, got {folder!r}"]
    return []
