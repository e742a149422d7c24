"""An estimator's arguments as SDK v3 has them: which config takes each, and by what name.

SDK v2's names are the common ones, so that a job has the same arguments under both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sift_toolkit.client import _limits
from sift_toolkit.client._deferred import is_deferred
from sift_toolkit.contract import without_apostrophes

TRAINER: Final = ""
"""The section of arguments that ModelTrainer itself takes."""

SECTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    TRAINER: {
        "base_job_name": "base_job_name",
        "environment": "environment",
        "hyperparameters": "hyperparameters",
        "image_uri": "training_image",
        "input_mode": "training_input_mode",
        "role": "role",
        "sagemaker_session": "sagemaker_session",
    },
    "compute": {
        "instance_count": "instance_count",
        "instance_groups": "instance_groups",
        "instance_type": "instance_type",
        "keep_alive_period_in_seconds": "keep_alive_period_in_seconds",
        "training_plan": "training_plan_arn",
        "use_spot_instances": "enable_managed_spot_training",
        "volume_kms_key": "volume_kms_key_id",
        "volume_size": "volume_size_in_gb",
    },
    "stopping_condition": {
        "max_run": "max_runtime_in_seconds",
        "max_wait": "max_wait_time_in_seconds",
    },
    "networking": {
        "enable_network_isolation": "enable_network_isolation",
        "encrypt_inter_container_traffic": "enable_inter_container_traffic_encryption",
        "security_group_ids": "security_group_ids",
        "subnets": "subnets",
    },
    "output_data_config": {"output_kms_key": "kms_key_id", "output_path": "s3_output_path"},
    "checkpoint_config": {"checkpoint_local_path": "local_path", "checkpoint_s3_uri": "s3_uri"},
    "retry_strategy": {"max_retry_attempts": "maximum_retry_attempts"},
    "infra_check_config": {"enable_infra_check": "enable_infra_check"},
    "remote_debug_config": {"enable_remote_debug": "enable_remote_debug"},
    "session_chaining_config": {"enable_session_tag_chaining": "enable_session_tag_chaining"},
}
"""SDK v2's name and SDK v3's of each argument that is handed on, by the config that takes it."""

TRANSLATED: Final = frozenset(
    {
        "dependencies",
        "disable_profiler",
        "disable_output_compression",
        "distribution",
        "entry_point",
        "framework_version",
        "metric_definitions",
        "py_version",
        "source_dir",
        "tags",
        "tensorboard_output_config",
    }
)
"""Arguments of SDK v2 that more is done with than to hand them on."""

_OF_THE_PROFILER: Final = "leave it out; SDK v3 has neither Debugger nor Profiler"
UNTRANSLATED: Final[Mapping[str, str]] = {
    "code_location": "give sagemaker_session a default_bucket and default_bucket_prefix",
    "compiler_config": "leave it out; SDK v3 has no Training Compiler",
    "container_arguments": "SDK v3 starts the container itself; give them as hyperparameters",
    "container_entry_point": "SDK v3 starts the container itself; give entry_point",
    "container_log_level": "set environment={'SM_LOG_LEVEL': '10'} for more, '30' for less",
    "debugger_hook_config": _OF_THE_PROFILER,
    "enable_sagemaker_metrics": "leave it out; metrics are always in CloudWatch",
    "git_config": "clone the repository, and give its folder as source_dir",
    "instance_placement_config": "set it on trainer.compute afterwards",
    "model_channel_name": "give the model as one of the channels of train()",
    "model_uri": "give the model as one of the channels of train()",
    "profiler_config": _OF_THE_PROFILER,
    "rules": _OF_THE_PROFILER,
    "training_repository_access_mode": "set trainer.training_image_config afterwards",
    "training_repository_credentials_provider_arn": "set trainer.training_image_config afterwards",
}
"""Arguments of SDK v2 that SDK v3 has no place for, with what to do instead."""

KNOWN: Final = frozenset().union(TRANSLATED, UNTRANSLATED, *SECTIONS.values())
"""Every argument of SDK v2's PyTorch estimator, save those of recipes."""


def sections(arguments: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    """Sort the arguments that were given by the config that takes them, under SDK v3's names.

    A job may run for a day, as with SDK v2, not for SDK v3's hour, unless `max_run` says so.
    """
    given = {"max_run": _limits.SDK_DEFAULT_MAX_RUN, **_that_say_something(arguments)}
    sorted_ones = {
        section: {new: given[old] for old, new in names.items() if old in given}
        for section, names in SECTIONS.items()
    }
    if given.get("disable_output_compression"):
        sorted_ones["output_data_config"]["compression_type"] = "NONE"
    return {section: fields for section, fields in sorted_ones.items() if fields}


def wire_hyperparameters(hyperparameters: Mapping[str, object]) -> dict[str, Any]:
    """Return hyperparameters as SDK v2 sends them, JSON text each, fit for SDK v3's launcher.

    SDK v3 itself sends strings as they are, so that "1.10" would reach the job as a number.
    """
    texts = {
        key: json.dumps(value) for key, value in hyperparameters.items() if not is_deferred(value)
    }
    return {**hyperparameters, **without_apostrophes(texts)}


def tag_pairs(tags: object) -> list[tuple[str, Any]]:
    """Return tags, given as a dict or as a list of Key and Value, as pairs."""
    if isinstance(tags, Mapping):
        return [(str(key), value) for key, value in tags.items()]
    assert isinstance(tags, list | tuple)
    return [(tag["Key"], tag["Value"]) for tag in tags]


def wants_torchrun(distribution: object) -> bool:
    """Whether a `distribution` asks for torchrun."""
    options = distribution.get("torch_distributed") if isinstance(distribution, Mapping) else None
    return isinstance(options, Mapping) and bool(options.get("enabled"))


def _that_say_something(arguments: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in arguments.items() if value is not None}
