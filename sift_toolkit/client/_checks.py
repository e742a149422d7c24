"""What SageMaker would refuse, or its SDK silently misread, told from a job's arguments alone.

Every function needs no SDK and returns a list of problems, each saying what came, what is allowed
and the mend. Arguments carry the names the SDK's estimators give them.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal

from sift_toolkit.client import _limits
from sift_toolkit.client._deferred import is_deferred
from sift_toolkit.client._definitions import metric_definition_problems
from sift_toolkit.client._distribution import distribution_problems
from sift_toolkit.client._hyperparameters import hyperparameter_problems
from sift_toolkit.client._images import (
    Versions,
    image_problems,
    image_warnings,
    training_instance_types,
)
from sift_toolkit.client._labels import (
    environment_problems,
    environment_warnings,
    tag_problems,
)
from sift_toolkit.client._launching import launching_problems, launching_warnings
from sift_toolkit.client._resources import resource_problems
from sift_toolkit.client._source import SourceCode
from sift_toolkit.client._spot import local_problems, spot_problems, spot_warnings

Place = Literal["sagemaker", "local", "host"]
"""Where a job runs: on SageMaker, in the SDK's local mode, or on this machine without Docker."""

CHECKED_ARGUMENTS: Final = (
    "base_job_name",
    "checkpoint_local_path",
    "checkpoint_s3_uri",
    "code_location",
    "distribution",
    "enable_network_isolation",
    "environment",
    "framework_version",
    "hyperparameters",
    "image_uri",
    "input_mode",
    "instance_groups",
    "instance_type",
    "metric_definitions",
    "output_kms_key",
    "output_path",
    "py_version",
    "security_group_ids",
    "subnets",
    "tags",
    "use_spot_instances",
    "volume_kms_key",
    *_limits.WHOLE_NUMBERS,
)
"""The arguments that the checks look at."""

_REPLACED_BY_RECIPE: Final = frozenset({"training_recipe", "recipe_overrides"})


def request_problems(arguments: Mapping[str, object], place: Place) -> list[str]:
    """Name everything wrong with a training job's arguments, whatever SDK will send them."""
    distribution = arguments.get("distribution")
    return [
        *hyperparameter_problems(arguments.get("hyperparameters"), distribution),
        *metric_definition_problems(arguments.get("metric_definitions")),
        *distribution_problems(distribution),
        *environment_problems(arguments.get("environment")),
        *tag_problems(arguments.get("tags")),
        *number_problems(arguments),
        *_input_mode_problems(arguments.get("input_mode")),
        *resource_problems(arguments, local=place != "sagemaker"),
        *(spot_problems(arguments) if place == "sagemaker" else local_problems(arguments, place)),
        *(_base_name_problems(arguments) if place == "sagemaker" else []),
    ]


def request_warnings(arguments: Mapping[str, object], place: Place) -> list[str]:
    """Name what SageMaker accepts in a training job's arguments, but hardly anyone wants."""
    return [
        *spot_warnings(arguments, place),
        *environment_warnings(arguments.get("environment")),
    ]


def job_problems(
    arguments: Mapping[str, object], place: Place, code: SourceCode | None, versions: Versions
) -> list[str]:
    """Name everything wrong with a job: its arguments, its image, and what its code makes of them.

    Args:
        arguments: Those of the request, the toolkit's own among them.
        place: Where the job runs.
        code: None where the arguments describe none.
        versions: What `training_versions` reads from the SDK.
    """
    return [
        *request_problems(arguments, place),
        *image_problems(arguments, versions, training_instance_types()),
        *(launching_problems(code, arguments) if code else []),
    ]


def job_warnings(
    arguments: Mapping[str, object], place: Place, code: SourceCode | None
) -> list[str]:
    """Name what SageMaker accepts of a job, but hardly anyone wants; arguments as above."""
    return [
        *request_warnings(arguments, place),
        *image_warnings(arguments, training_instance_types()),
        *(launching_warnings(code, arguments) if code else []),
    ]


def accepted_arguments(estimator_class: type) -> frozenset[str]:
    """The keyword arguments that the constructors of a class and of its bases really name."""
    names = {
        parameter.name
        for base in estimator_class.__mro__
        if "__init__" in vars(base) and base is not object
        for parameter in inspect.signature(vars(base)["__init__"]).parameters.values()
        if parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}
    }
    return frozenset(names - {"self"})


def argument_problems(given: Iterable[str], known: Collection[str]) -> list[str]:
    """Name the keyword arguments that the SDK would swallow, or that would undo the config."""
    problems = []
    for name in given:
        if name in _REPLACED_BY_RECIPE:
            problems.append(
                f"{name} is not possible here: a recipe replaces entry_point and hyperparameters, "
                "and with them the sift config"
            )
        elif name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "leave it out"
            problems.append(f"no estimator takes an argument {name!r}, the SDK drops it; {hint}")
    return problems


def number_problems(arguments: Mapping[str, object]) -> list[str]:
    """Name the whole numbers that are none, or that are out of bounds."""
    problems = []
    for name, (least, most) in _limits.WHOLE_NUMBERS.items():
        value = arguments.get(name)
        if value is None or is_deferred(value):
            continue
        if (
            not isinstance(value, int)
            or isinstance(value, bool)
            or not least <= value <= (value if most is None else most)
        ):
            bounds = f"from {least}" + ("" if most is None else f" to {most}")
            problems.append(f"{name} must be a whole number {bounds}, got {value!r}")
    return problems


def _input_mode_problems(mode: object) -> list[str]:
    if mode is None or is_deferred(mode) or mode in _limits.INPUT_MODES:
        return []
    names = ", ".join(map(repr, _limits.INPUT_MODES))
    return [f"input_mode must be one of {names}, got {mode!r}"]


def job_name_problems(job_name: object) -> list[str]:
    """Name what is wrong with a job name given to fit()."""
    if job_name is None or is_deferred(job_name):
        return []
    if isinstance(job_name, str) and _limits.JOB_NAME.fullmatch(job_name):
        return []
    problem = (
        f"job_name must be 1 to {_limits.JOB_NAME_MAX} letters, digits and hyphens, with no hyphen "
        f"at either end, got {job_name!r}"
    )
    return [problem]


def _base_name_problems(arguments: Mapping[str, object]) -> list[str]:
    name, image = arguments.get("base_job_name"), arguments.get("image_uri")
    origin = "base_job_name"
    if name is None and isinstance(image, str) and not is_deferred(image):
        name = image.rsplit("/", 1)[-1].split(":", 1)[0]
        origin = "base_job_name is not given, and the name of image_uri"
    if name is None or is_deferred(name):
        return []
    if isinstance(name, str) and _limits.JOB_NAME_PREFIX.fullmatch(name):
        return []
    problem = (
        f"{origin} cannot begin a job's name: {name!r}; give a base_job_name of letters, digits "
        "and hyphens that begins with a letter or digit"
    )
    return [problem]
