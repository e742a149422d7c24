"""`sift_estimator`: a SageMaker PyTorch estimator whose job sifts its training data."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sift_toolkit.client._aws_errors import aws_errors_in_words
from sift_toolkit.client._checks import (
    accepted_arguments,
    argument_problems,
    job_problems,
    job_warnings,
)
from sift_toolkit.client._hyperparameters import reserved_key_problems
from sift_toolkit.client._job_arguments import (
    paths_as_text,
    require_config,
    source_code_of,
    with_sifting,
)
from sift_toolkit.client._sdks import module_of_sdk
from sift_toolkit.client._source import Launcher
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftRequestError

if TYPE_CHECKING:
    from sift_toolkit.client._sift_pytorch import SiftPyTorch

_PYTORCH: Final = "sift_toolkit.client._sift_pytorch"
_SESSIONS: Final = "sift_toolkit.client._estimator_session"

_HOST_IMAGE: Final = "sift-toolkit-host"
"""Stands where the SDK insists on an image; a host job has none."""


def sift_estimator(
    sift_config: SiftConfig,
    *,
    entry_point: str | os.PathLike[str],
    launcher: Launcher = "script",
    ship_toolkit: bool = True,
    hyperparameters: Mapping[str, object] | None = None,
    metric_definitions: Sequence[Mapping[str, str]] | None = None,
    **pytorch_arguments: Any,
) -> SiftPyTorch:
    """Return a `sagemaker.pytorch.PyTorch` estimator whose job sifts its training data.

    The job gets the config among its hyperparameters, a chart in CloudWatch for each metric of
    sifting, and the toolkit itself beside your code, so that it installs nothing.

    Examples:
        >>> estimator = sift_estimator(
        ...     SiftConfig(keep=0.5),
        ...     entry_point="train.py",
        ...     source_dir="src",
        ...     role=role,
        ...     instance_type="ml.g5.xlarge",
        ...     instance_count=1,
        ...     framework_version="2.8.0",
        ...     py_version="py312",
        ...     hyperparameters={"epochs": 10},
        ... )
        >>> estimator.fit({"training": "s3://bucket/data"})

    Args:
        sift_config: How to sift. `estimator.sift_config` reads it back.
        entry_point: Your file, relative to `source_dir` where there is one.
        launcher: What the file is. "script": a training script that calls `sift` itself, started
            directly. "train": a module of hooks (model, data, loss) for the toolkit's own trainer.
            "run": any script, started without the keys of sifting on its command line.
        ship_toolkit: Send this toolkit along. False: the image, or your `source_dir`, has it.
        hyperparameters: Those of your script: JSON values. Default: none.
        metric_definitions: Your own, beside those of sifting. Default: none.
        **pytorch_arguments: All others that `sagemaker.pytorch.PyTorch` takes. With a HostSession,
            `instance_type`, `instance_count` and an image may be left out.

    Raises:
        SiftConfigError: `sift_config` is not a SiftConfig.
        SiftRequestError: SageMaker would refuse the job, or its SDK misread an argument. All
            problems at once, before any call to AWS; `fit()` looks again before it uploads.
        SiftJobError: the SageMaker SDK v2 is not installed.

    Warns:
        UserWarning: SageMaker accepts it, but hardly anyone wants it, such as spot instances
            without checkpoints.
    """
    require_config(sift_config)
    sdk, sessions = (module_of_sdk(name, 2, "sift_estimator") for name in (_PYTORCH, _SESSIONS))
    session = pytorch_arguments.get("sagemaker_session")
    place = sessions.place_of(session, pytorch_arguments.get("instance_type"))
    arguments = {
        **(_host_defaults(pytorch_arguments) if place == "host" else {}),
        **paths_as_text({"entry_point": entry_point, **pytorch_arguments}),
        "hyperparameters": hyperparameters,
        "metric_definitions": metric_definitions,
    }
    code, problems = source_code_of(arguments, launcher, ship_toolkit=ship_toolkit)
    problems += argument_problems(pytorch_arguments, accepted_arguments(sdk.PyTorch))
    problems += sessions.session_problems(session)
    problems += reserved_key_problems(hyperparameters, arguments.get("distribution"))
    arguments |= with_sifting(arguments, sift_config, code)
    problems += job_problems(arguments, place, code, sdk.known_versions())
    if problems:
        raise SiftRequestError(problems)
    for warning in job_warnings(arguments, place, code):
        warnings.warn(warning, stacklevel=2)
    with aws_errors_in_words("the estimator could not be made"):
        estimator: SiftPyTorch = sdk.SiftPyTorch(
            launcher=launcher, ship_toolkit=ship_toolkit, **arguments
        )
    return estimator


def _host_defaults(given: Mapping[str, object]) -> dict[str, object]:
    """What a host job does without, but the SDK insists on."""
    defaults: dict[str, object] = {"instance_type": "local", "instance_count": 1}
    if given.get("image_uri") is None and given.get("framework_version") is None:
        defaults["image_uri"] = _HOST_IMAGE
    return defaults
