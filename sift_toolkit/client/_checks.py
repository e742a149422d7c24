"""What SageMaker would refuse, or its SDK silently misread, told from a job's arguments alone.

Every function is pure, needs no SDK and returns a list of problems, each saying what came, what is
allowed and the mend. Arguments carry the names the SDK's estimators give them.
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
from sift_toolkit.client._labels import environment_problems, tag_problems

Place = Literal["sagemaker", "local", "host"]
"""Where a job runs: on SageMaker, in the SDK's local mode, or on this machine without Docker."""

CHECKED_ARGUMENTS: Final = (
    "base_job_name",
    "checkpoint_local_path",
    "checkpoint_s3_uri",
    "distribution",
    "environment",
    "hyperparameters",
    "image_uri",
    "instance_groups",
    "instance_type",
    "metric_definitions",
    "tags",
    "use_spot_instances",
    *_limits.WHOLE_NUMBERS,
)
"""The arguments that `request_problems` looks at."""

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
        *_instance_problems(arguments),
        *(_spot_problems(arguments) if place == "sagemaker" else _local_problems(arguments, place)),
        *(_base_name_problems(arguments) if place == "sagemaker" else []),
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


def channel_problems(inputs: object, place: Place) -> list[str]:
    """Name what is wrong with the channels given to fit(), one or a dict of them."""
    channels = inputs if isinstance(inputs, Mapping) else {"training": inputs}
    problems = []
    if len(channels) > _limits.CHANNELS_MAX:
        problems.append(f"inputs has {len(channels)} channels, of {_limits.CHANNELS_MAX} allowed")
    for name, source in channels.items():
        if (
            not isinstance(name, str)
            or len(name) > _limits.CHANNEL_NAME_MAX
            or not _limits.CHANNEL_NAME.fullmatch(name)
        ):
            problems.append(
                f"inputs has a channel {name!r}; a name is 1 to {_limits.CHANNEL_NAME_MAX} "
                "letters, digits, dots, hyphens and underscores"
            )
        if place == "sagemaker" and isinstance(source, str) and source.startswith("file://"):
            problems.append(
                f"inputs[{name!r}] is {source!r}, which only a local session can read: upload it, "
                "for instance with sagemaker_session.upload_data(...)"
            )
    return problems


def _instance_problems(arguments: Mapping[str, object]) -> list[str]:
    if arguments.get("instance_groups") is not None:
        return []
    return [
        f"{name} is required: the SDK would miss it only after the upload"
        for name in ("instance_type", "instance_count")
        if arguments.get(name) is None
    ]


def _spot_problems(arguments: Mapping[str, object]) -> list[str]:
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
    both = isinstance(longest_wait, int) and isinstance(longest_run, int)
    if both and longest_wait < longest_run:  # type: ignore[operator] # both are int here
        problem = (
            f"max_wait={longest_wait!r} must be at least max_run={longest_run!r}, since it covers "
            "waiting and running together"
        )
        return [problem]
    return []


def _local_problems(arguments: Mapping[str, object], place: Place) -> list[str]:
    mend = (
        "to keep checkpoints between jobs, use HostSession(checkpoints=DIR)"
        if place == "host"
        else "leave it out, or run on a SageMaker instance type"
    )
    problems = [
        f"{name}={arguments[name]!r} is not possible with a local session: {mend}"
        for name in ("checkpoint_s3_uri", "checkpoint_local_path")
        if arguments.get(name)
    ]
    if arguments.get("use_spot_instances"):
        problems.append(
            "use_spot_instances=True is not possible with a local session: leave it out"
        )
    return problems


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
