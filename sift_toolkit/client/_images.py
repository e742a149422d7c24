"""Which image a job gets: the versions the SDK knows, and the instance types the API does.

The SDK finds its image offline, but late: an unknown version fails after the upload where the job
has a name of its own, and an unknown instance type gets the image for CPUs without a word.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Collection, Mapping
from typing import Final

from sift_toolkit.client import _limits
from sift_toolkit.client._deferred import is_deferred

Versions = Mapping[str, Collection[str]]
"""PyTorch versions that have a training image, each with its Python versions (`py312`)."""

_NUMBER: Final = re.compile(r"\d+")


def training_versions(image_config: Mapping[str, object]) -> Versions:
    """Read the SDK's own list of images, the same in v2 and v3.

    Args:
        image_config: What `image_uris.config_for_framework("pytorch")` returns.
    """
    training = image_config["training"]
    assert isinstance(training, Mapping)
    exact = {version: tuple(of["py_versions"]) for version, of in training["versions"].items()}
    short = {short: exact[full] for short, full in training["version_aliases"].items()}
    return {**short, **exact}


@functools.cache
def training_instance_types() -> frozenset[str]:
    """Every instance type that the installed botocore knows for training."""
    import botocore.session

    service = botocore.session.get_session().get_service_model("sagemaker")
    return frozenset(service.shape_for("TrainingInstanceType").enum)


def image_problems(
    arguments: Mapping[str, object], versions: Versions, instance_types: Collection[str]
) -> list[str]:
    """Name what keeps the SDK from finding the right image for a job.

    Args:
        arguments: Those of an estimator, by name.
        versions: What `training_versions` says.
        instance_types: What `training_instance_types` says.
    """
    if arguments.get("image_uri") is not None:
        return []
    return [
        *_version_problems(arguments, versions),
        *_wrong_image_problems(arguments.get("instance_type"), instance_types),
    ]


def image_warnings(arguments: Mapping[str, object], instance_types: Collection[str]) -> list[str]:
    """Name an instance type that is not known here, where that alone does no harm."""
    kind = arguments.get("instance_type")
    if not isinstance(kind, str) or _is_known(kind, instance_types):
        return []
    if arguments.get("image_uri") is None and not _limits.GPU_INSTANCE.fullmatch(kind):
        return []
    warning = (
        f"instance_type={kind!r} is none that the installed botocore knows; "
        f"{_nearest(kind, instance_types)}"
    )
    return [warning]


def _version_problems(arguments: Mapping[str, object], versions: Versions) -> list[str]:
    version, python = arguments.get("framework_version"), arguments.get("py_version")
    newest = max(versions, key=_numbers)
    newest_pythons = " or ".join(map(repr, versions[newest]))
    if version is None or python is None:
        problem = (
            "a job needs framework_version and py_version, or image_uri: the newest this SDK has "
            f"an image for is {newest!r} with {newest_pythons}"
        )
        return [problem]
    if is_deferred(version) or is_deferred(python) or _has_other_images(arguments):
        return []
    if version not in versions:
        problem = (
            f"framework_version {version!r} has no image in this SDK, the newest it knows is "
            f"{newest!r} with {newest_pythons}: give that, or image_uri with an image of your own"
        )
        return [problem]
    if python not in versions[str(version)]:
        allowed = " or ".join(map(repr, versions[str(version)]))
        return [f"framework_version {version!r} comes with py_version {allowed}, got {python!r}"]
    return []


def _has_other_images(arguments: Mapping[str, object]) -> bool:
    """Whether the SDK takes the image from another list than PyTorch's own."""
    kind, distribution = arguments.get("instance_type"), arguments.get("distribution")
    neuron = isinstance(kind, str) and _limits.NEURON_INSTANCE.fullmatch(kind) is not None
    return neuron or (isinstance(distribution, Mapping) and "smdistributed" in distribution)


def _wrong_image_problems(kind: object, instance_types: Collection[str]) -> list[str]:
    if not isinstance(kind, str) or _is_known(kind, instance_types):
        return []
    if _limits.GPU_INSTANCE.fullmatch(kind) or _limits.NEURON_INSTANCE.fullmatch(kind):
        return []
    problem = (
        f"instance_type={kind!r} is none that this SDK knows, and for those it takes the image for "
        f"CPUs: {_nearest(kind, instance_types)}; for one that is newer than the SDK give "
        "image_uri too"
    )
    return [problem]


def _is_known(kind: str, instance_types: Collection[str]) -> bool:
    return kind in instance_types or kind in {"local", "local_gpu"}


def _nearest(kind: str, instance_types: Collection[str]) -> str:
    near = difflib.get_close_matches(kind, sorted(instance_types), n=1)
    return f"did you mean {near[0]!r}" if near else "one reads like 'ml.g5.xlarge'"


def _numbers(version: str) -> tuple[int, ...]:
    """Sort key of a version; of '2.8' and '2.8.0' the exact one is the greater."""
    return tuple(map(int, _NUMBER.findall(version)))
