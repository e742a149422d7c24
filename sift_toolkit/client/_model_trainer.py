"""`sift_model_trainer`: a SageMaker ModelTrainer whose job sifts its training data."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sift_toolkit.client._checks import argument_problems, job_problems, job_warnings
from sift_toolkit.client._hyperparameters import reserved_key_problems
from sift_toolkit.client._job_arguments import (
    paths_as_text,
    require_config,
    source_code_of,
    with_sifting,
)
from sift_toolkit.client._model_trainer_arguments import KNOWN
from sift_toolkit.client._model_trainer_checks import untranslated_problems, v3_problems
from sift_toolkit.client._sdks import module_of_sdk
from sift_toolkit.client._source import Launcher
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftRequestError

if TYPE_CHECKING:
    from sift_toolkit.client._sift_model_trainer import SiftModelTrainer

_CONFIGS = "sift_toolkit.client._model_trainer_configs"
_PAPER = "sift_toolkit.client._model_trainer_paper"
_TRAINER = "sift_toolkit.client._sift_model_trainer"


def sift_model_trainer(
    sift_config: SiftConfig,
    *,
    entry_point: str | os.PathLike[str],
    launcher: Launcher = "script",
    ship_toolkit: bool = True,
    hyperparameters: Mapping[str, object] | None = None,
    metric_definitions: Sequence[Mapping[str, str]] | None = None,
    **arguments: Any,
) -> SiftModelTrainer:
    """Return a `sagemaker.train.ModelTrainer` (SDK v3) whose job sifts its training data.

    It takes the arguments of `sift_estimator`, by the same names, and its job gets the same
    hyperparameters, metrics and code: scripts and notebooks need no change from one SDK to the
    other. The script's command line and SM_HPS are those of SDK v2's jobs too.

    Examples:
        >>> trainer = sift_model_trainer(
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
        >>> trainer.train({"training": "s3://bucket/data"})

    Args:
        sift_config: How to sift. `trainer.sift_config` reads it back.
        entry_point: Your Python file, relative to `source_dir` where there is one.
        launcher: What the file is. "script" or "run": a training script, with or without a call of
            `sift` in it; started without the keys of sifting on its command line. "train": a module
            of hooks (model, data, loss) for the toolkit's own trainer.
        ship_toolkit: Send this toolkit along. False: the image, or your `source_dir`, has it.
        hyperparameters: Those of your script: JSON values. Default: none.
        metric_definitions: Your own, beside those of sifting. Default: none.
        **arguments: All others that `sagemaker.pytorch.PyTorch` of SDK v2 takes, by its names, as
            far as SDK v3 can do the same. `sagemaker_session` is one of SDK v3.

    Raises:
        SiftConfigError: `sift_config` is not a SiftConfig.
        SiftRequestError: SageMaker would refuse the job, or SDK v3 could not do what an argument
            asks for. All problems at once, before any call to AWS; `train()` looks again before it
            uploads.
        SiftJobError: the SageMaker SDK v3 is not installed.

    Warns:
        UserWarning: SageMaker accepts it, but hardly anyone wants it, such as spot instances
            without checkpoints.
    """
    require_config(sift_config)
    sdk = module_of_sdk(_CONFIGS, 3, "sift_model_trainer")
    paper, trainers = (module_of_sdk(name, 3, "sift_model_trainer") for name in (_PAPER, _TRAINER))
    place = sdk.place_of(arguments.get("instance_type"))
    merged = {
        **paths_as_text({"entry_point": entry_point, **arguments}),
        "hyperparameters": hyperparameters,
        "metric_definitions": metric_definitions,
    }
    code, problems = source_code_of(merged, launcher, ship_toolkit=ship_toolkit, direct=False)
    problems += argument_problems(arguments, KNOWN)
    problems += untranslated_problems(merged)
    problems += paper.session_problems(arguments.get("sagemaker_session"))
    problems += reserved_key_problems(hyperparameters, merged.get("distribution"))
    merged |= with_sifting(merged, sift_config, code)
    problems += job_problems(merged, place, code, sdk.known_versions())
    problems += v3_problems(merged, place)
    if problems or code is None:
        raise SiftRequestError(problems)
    for warning in job_warnings(merged, place, code):
        warnings.warn(warning, stacklevel=2)
    if merged.get("image_uri") is None:
        region = paper.region_of(merged.get("sagemaker_session"))
        merged["image_uri"] = sdk.image_of(merged, region)
    trainer: SiftModelTrainer = sdk.trainer_from(trainers.SiftModelTrainer, merged, code)
    return trainer
