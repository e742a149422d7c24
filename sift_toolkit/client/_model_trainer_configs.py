"""A SiftModelTrainer from an estimator's arguments, and the arguments back from a trainer.

The SDK v3 is imported right here, which takes seconds: import this module on use only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sagemaker.core import image_uris
from sagemaker.core.training import configs
from sagemaker.core.utils.utils import Unassigned
from sagemaker.train.distributed import Torchrun
from sagemaker.train.model_trainer import Mode

from sift_toolkit.client._checks import Place
from sift_toolkit.client._images import Versions, training_versions
from sift_toolkit.client._model_trainer_arguments import (
    SECTIONS,
    TRAINER,
    sections,
    tag_pairs,
    wants_torchrun,
)
from sift_toolkit.client._source import SourceCode
from sift_toolkit.contract import local_path
from sift_toolkit.errors import SiftRequestError

_CONFIGS: Final = {
    "compute": configs.Compute,
    "stopping_condition": configs.StoppingCondition,
    "networking": configs.Networking,
    "output_data_config": configs.OutputDataConfig,
    "checkpoint_config": configs.CheckpointConfig,
}
"""Configs that are fields of a ModelTrainer."""

_WITH: Final = {
    "retry_strategy": configs.RetryStrategy,
    "infra_check_config": configs.InfraCheckConfig,
    "remote_debug_config": configs.RemoteDebugConfig,
    "session_chaining_config": configs.SessionChainingConfig,
}
"""Configs that a ModelTrainer takes by a method, `with_...`."""


def known_versions() -> Versions:
    """The PyTorch versions that this SDK has training images for."""
    return training_versions(image_uris.config_for_framework("pytorch"))


def place_of(instance_type: object) -> Place:
    """Where a job on this type of instance runs."""
    return "local" if instance_type in {"local", "local_gpu"} else "sagemaker"


def image_of(arguments: Mapping[str, Any], region: str) -> str:
    """Return the image that the SDK has for a job's versions and instance type."""
    image: str = image_uris.retrieve(
        framework="pytorch",
        region=region,
        version=arguments["framework_version"],
        py_version=arguments["py_version"],
        instance_type=arguments["instance_type"],
        image_scope="training",
    )
    return image


def trainer_from(trainer_class: Any, arguments: Mapping[str, Any], code: SourceCode) -> Any:
    """Return a trainer of a class; its image is among the arguments.

    Raises:
        SiftRequestError: the SDK refuses a value.
    """
    by_section = sections(arguments)
    try:
        trainer = trainer_class(
            code=code,
            **by_section.pop(TRAINER, {}),
            **{
                name: made(**by_section[name])
                for name, made in _CONFIGS.items()
                if name in by_section
            },
            source_code=configs.SourceCode(
                source_dir=code.source_dir or str(Path(code.entry_point).parent),
                entry_script=code.script,
            ),
            distributed=Torchrun() if wants_torchrun(arguments.get("distribution")) else None,
            tags=[configs.Tag(key=key, value=value) for key, value in _tags(arguments)] or None,
            **_local_fields(arguments),
        )
        for name, made in _WITH.items():
            # Of a switch that is off the SDK would send an empty config.
            if any(by_section.get(name, {}).values()):
                getattr(trainer, f"with_{name}")(made(**by_section[name]))
        if (tensorboard := arguments.get("tensorboard_output_config")) is not None:
            trainer.with_tensorboard_output_config(tensorboard)
        trainer.with_metric_definitions(
            [
                configs.MetricDefinition(name=definition["Name"], regex=definition["Regex"])
                for definition in arguments["metric_definitions"]
            ]
        )
    except ValueError as error:
        # What pydantic raises is one too.
        raise SiftRequestError([f"SDK v3 refuses a value: {error}"]) from error
    return trainer


def arguments_in(trainer: Any) -> dict[str, object]:
    """Return the arguments that a trainer stands for, under SDK v2's names, as they are now."""
    arguments: dict[str, object] = {}
    for section, names in SECTIONS.items():
        holder = trainer if section == TRAINER else getattr(trainer, section, None)
        holder = getattr(trainer, f"_{section}") if section in _WITH else holder
        arguments |= {old: _assigned(getattr(holder, new, None)) for old, new in names.items()}
    arguments["tags"] = [{"Key": tag.key, "Value": tag.value} for tag in trainer.tags or []] or None
    arguments["metric_definitions"] = [
        {"Name": metric.name, "Regex": metric.regex}
        for metric in trainer._metric_definitions or []  # noqa: SLF001 - no other way to read them
    ]
    if trainer.distributed is not None:
        arguments["distribution"] = {"torch_distributed": {"enabled": True}}
    return arguments


def _tags(arguments: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return tag_pairs(arguments.get("tags") or [])


def _local_fields(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where a local job's files go: a job of its own gets a folder of its own when it starts."""
    if place_of(arguments.get("instance_type")) == "sagemaker":
        return {}
    output_path = arguments.get("output_path")
    root = None if output_path is None else str(local_path(output_path))
    return {"training_mode": Mode.LOCAL_CONTAINER, "local_container_root": root}


def _assigned(value: object) -> object:
    return None if isinstance(value, Unassigned) else value
