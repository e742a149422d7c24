"""`sift_estimator`: a SageMaker PyTorch estimator whose job sifts its training data."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from sift_toolkit.client._checks import accepted_arguments, argument_problems, request_problems
from sift_toolkit.client._definitions import with_sift_metrics
from sift_toolkit.client._hyperparameters import reserved_key_problems
from sift_toolkit.client._source import (
    LAUNCHERS,
    Launcher,
    SourceCode,
    relative_entry_point,
    source_problems,
)
from sift_toolkit.config import SCRIPT_KEY, SiftConfig
from sift_toolkit.errors import SiftConfigError, SiftJobError, SiftRequestError

if TYPE_CHECKING:
    from sagemaker.pytorch import PyTorch

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
) -> PyTorch:
    """Return a `sagemaker.pytorch.PyTorch` estimator whose job sifts its training data.

    The job gets the config among its hyperparameters, a chart in CloudWatch for each metric of
    sifting, and the toolkit itself beside your code, so that it installs nothing.

    Example:
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
    """
    _require_config(sift_config)
    sdk = _sdk()
    place = sdk.place_of(
        pytorch_arguments.get("sagemaker_session"), pytorch_arguments.get("instance_type")
    )
    arguments = {
        **(_host_defaults(pytorch_arguments) if place == "host" else {}),
        **_paths_as_text({"entry_point": entry_point, **pytorch_arguments}),
        "hyperparameters": hyperparameters,
        "metric_definitions": metric_definitions,
    }
    code, problems = _source_code(arguments, launcher, ship_toolkit=ship_toolkit)
    problems += argument_problems(pytorch_arguments, accepted_arguments(sdk.PyTorch))
    problems += reserved_key_problems(hyperparameters, arguments.get("distribution"))
    arguments |= _merged(arguments, sift_config, code)
    problems += request_problems(arguments, place)
    if problems:
        raise SiftRequestError(problems)
    return sdk.SiftPyTorch(launcher=launcher, ship_toolkit=ship_toolkit, **arguments)


def _require_config(sift_config: object) -> None:
    if not isinstance(sift_config, SiftConfig):
        problem = f"sift_config must be a SiftConfig, as SiftConfig(keep=0.5), got {sift_config!r}"
        raise SiftConfigError([problem])


def _sdk() -> ModuleType:
    """Import what needs the SDK, which takes seconds and prints a warning of its own."""
    try:
        return importlib.import_module("sift_toolkit.client._sift_pytorch")
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "sagemaker":
            raise
        msg = (
            f"sift_estimator needs the SageMaker Python SDK v2 ({error}): "
            "pip install 'sift_toolkit[client]'"
        )
        raise SiftJobError(msg) from error


def _host_defaults(given: Mapping[str, object]) -> dict[str, object]:
    """What a host job does without, but the SDK insists on."""
    defaults: dict[str, object] = {"instance_type": "local", "instance_count": 1}
    if given.get("image_uri") is None and given.get("framework_version") is None:
        defaults["image_uri"] = _HOST_IMAGE
    return defaults


def _paths_as_text(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Write paths as the SDK wants them: strings, the entry point relative to the source."""
    texts = {"source_dir": None, **arguments}
    if isinstance(source_dir := texts.get("source_dir"), os.PathLike):
        texts["source_dir"] = os.fspath(source_dir)
    if isinstance(entry_point := texts["entry_point"], str | os.PathLike):
        texts["entry_point"] = relative_entry_point(entry_point, texts["source_dir"])
    if isinstance(dependencies := texts.get("dependencies"), list | tuple):
        texts["dependencies"] = [
            os.fspath(path) if isinstance(path, os.PathLike) else path for path in dependencies
        ]
    return texts


def _source_code(
    arguments: Mapping[str, Any], launcher: Launcher, *, ship_toolkit: bool
) -> tuple[SourceCode | None, list[str]]:
    """The code the arguments speak of, and what is wrong with it."""
    entry_point, source_dir = arguments["entry_point"], arguments.get("source_dir")
    dependencies = arguments.get("dependencies") or []
    problems = []
    if launcher not in LAUNCHERS:
        names = ", ".join(map(repr, LAUNCHERS))
        problems.append(f"launcher must be one of {names}, got {launcher!r}")
    if not isinstance(entry_point, str):
        problems.append(f"entry_point must be a path, got {entry_point!r}")
    if source_dir is not None and not isinstance(source_dir, str):
        problems.append(f"source_dir must be a path, got {source_dir!r}")
    if not isinstance(dependencies, list) or not all(
        isinstance(path, str) for path in dependencies
    ):
        problems.append(f"dependencies must be a list of paths, got {dependencies!r}")
    if problems:
        return None, problems
    code = SourceCode(
        entry_point=entry_point,
        source_dir=source_dir,
        dependencies=tuple(dependencies),
        launcher=launcher,
        ship_toolkit=ship_toolkit,
        from_git=bool(arguments.get("git_config")),
    )
    return code, source_problems(code)


def _merged(
    arguments: Mapping[str, Any], sift_config: SiftConfig, code: SourceCode | None
) -> dict[str, object]:
    """Hyperparameters and metric definitions: the user's and those of sifting together."""
    merged: dict[str, object] = {}
    hyperparameters = arguments["hyperparameters"] or {}
    if isinstance(hyperparameters, Mapping):
        script = {SCRIPT_KEY: code.script} if code and code.launcher != "script" else {}
        merged["hyperparameters"] = {
            **hyperparameters,
            **sift_config.to_hyperparameters(),
            **script,
        }
    definitions = arguments["metric_definitions"] or []
    if isinstance(definitions, list | tuple):
        merged["metric_definitions"] = with_sift_metrics(definitions)
    return merged
