"""Copies of an estimator or a trainer that differ in their config, and share nothing they write.

SDK v2's estimators and SDK v3's trainers are told by what they have, so that no SDK is imported.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from sift_toolkit.client._deferred import is_deferred
from sift_toolkit.config import SiftConfig, key_of

_FIELDS: Final = frozenset(map(key_of, SiftConfig.__dataclass_fields__))
_FILE: Final = "file://"

_UNSTARTED_V2: Final[dict[str, Any]] = {
    "_current_job_name": None,
    "latest_training_job": None,
    "uploaded_code": None,
}
_UNSTARTED_V3: Final[dict[str, Any]] = {
    "_code_address": None,
    "_discard": None,
    "_job_name": None,
    "_latest_training_job": None,
    "_temp_code_dir": None,
}
"""What a job leaves behind in the object that it was launched from."""


def copy_for_job(
    job: Any, config: SiftConfig, name: str, hyperparameters: Mapping[str, object] | None = None
) -> Any:
    """Return a copy of *job* that launches a job of another config, and has launched none yet.

    Args:
        job: A SiftPyTorch or a SiftModelTrainer; it stays as it is.
        config: How the copy's job sifts.
        name: What the copy's job will be called: where jobs would write to the same place, each
            gets a folder of this name there.
        hyperparameters: Those of the script that differ from *job*'s. Default: none do.
    """
    others = hyperparameters or {}
    if hasattr(job, "model_copy"):
        return _trainer_copy(job, config, name, others)
    return _estimator_copy(job, config, name, others)


def _estimator_copy(job: Any, config: SiftConfig, name: str, others: Mapping[str, object]) -> Any:
    copied = copy.copy(job)
    # As they were given; hyperparameters() encodes.
    hyperparameters = {**job._hyperparameters, **others}  # noqa: SLF001
    changes = {
        **_UNSTARTED_V2,
        "jobs": [],
        "_hyperparameters": _with_config(hyperparameters, config),
        "checkpoint_s3_uri": _own_folder(job.checkpoint_s3_uri, name),
    }
    if isinstance(job.output_path, str) and job.output_path.startswith(_FILE):
        # A local job leaves its archive right there, not under its own name as on SageMaker.
        changes["output_path"] = _own_folder(job.output_path, name)
    for attribute, value in changes.items():
        setattr(copied, attribute, value)
    return copied


def _trainer_copy(job: Any, config: SiftConfig, name: str, others: Mapping[str, object]) -> Any:
    hyperparameters = {**(job.hyperparameters or {}), **others}
    update = {"hyperparameters": _with_config(hyperparameters, config)}
    if job.checkpoint_config is not None:
        address = _own_folder(job.checkpoint_config.s3_uri, name)
        update["checkpoint_config"] = job.checkpoint_config.model_copy(update={"s3_uri": address})
    copied = job.model_copy(update=update)
    for attribute, value in _UNSTARTED_V3.items():
        setattr(copied, attribute, value)
    return copied


def _with_config(hyperparameters: dict[str, Any], config: SiftConfig) -> dict[str, Any]:
    others = {key: value for key, value in hyperparameters.items() if key not in _FIELDS}
    return {**others, **config.to_hyperparameters()}


def _own_folder(address: Any, name: str) -> Any:
    if not isinstance(address, str) or is_deferred(address):
        return address
    # Without the last slash SageMaker would also fetch what begins with the name of this one.
    return f"{address.rstrip('/')}/{name}/"
