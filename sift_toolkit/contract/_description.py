"""What a launcher must know to run a training job, checked before anything is laid out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sift_toolkit.contract._locations import is_remote, local_path
from sift_toolkit.errors import SiftRequestError
from sift_toolkit.outside import read_json

PROGRAM_KEY: Final = "sagemaker_program"
"""Hyperparameter that names the script to run, relative to the code folder."""

SOURCE_KEY: Final = "sagemaker_submit_directory"
"""Hyperparameter that says where the job's code comes from."""

FRAMEWORK_VARIABLE: Final = "SAGEMAKER_TRAINING_MODULE"
"""Environment variable that hands `train` over to a framework's own launcher."""

_TORCHRUN_KEY: Final = "sagemaker_torch_distributed_enabled"

# CreateTrainingJob's TrainingJobName and ChannelName.
_JOB_NAME: Final = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_CHANNEL_NAME: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9.\-_]{1,64}")


@dataclass(frozen=True, kw_only=True)
class JobDescription:
    """One training job on one host.

    Raises:
        SiftRequestError: the job cannot run as described; it holds every problem found.
    """

    name: str
    """Up to 63 letters, digits and single dashes between them."""
    hyperparameters: Mapping[str, str]
    """As in a CreateTrainingJob request: each value JSON text, `sagemaker_program` among them.

    `sagemaker_submit_directory` may be a folder or a .tar.gz, as a path or `file://` address, or an
    `s3://` address, which the job fetches itself."""
    channels: Mapping[str, Path] = field(default_factory=dict)
    """The folder, or single file, that each channel shows to the job."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the job's own; they win over those it inherits."""
    checkpoints: Path | None = None
    """Folder that is the job's `checkpoints`, made if absent; None: an empty one of its own."""
    instance_type: str = "local"
    """What the job is told it runs on."""

    def __post_init__(self) -> None:
        problems = [
            *_name_problems(self.name),
            *_hyperparameter_problems(self.hyperparameters),
            *_channel_problems(self.channels),
            *_environment_problems(self.environment),
            *_checkpoint_problems(self.checkpoints),
        ]
        if not problems:
            problems = [*_code_problems(self), *_distribution_problems(self)]
        if problems:
            raise SiftRequestError(problems)

    @property
    def source(self) -> Path | str:
        """Where the code comes from: a path on this machine, or an address only the job knows."""
        address = _text(self.hyperparameters[SOURCE_KEY])
        return address if is_remote(address) else local_path(address)


def _name_problems(name: str) -> list[str]:
    if _JOB_NAME.fullmatch(name):
        return []
    return [f"a job name is 1 to 63 letters, digits and dashes between them, got {name!r}"]


def _hyperparameter_problems(hyperparameters: Mapping[str, object]) -> list[str]:
    problems = [
        f"hyperparameter {key!r} must be JSON text in a str, got a {type(value).__name__}: "
        "give json.dumps(...)"
        for key, value in hyperparameters.items()
        if not isinstance(value, str)
    ]
    problems += [
        f"the job needs the hyperparameter {key!r}, {meaning}"
        for key, meaning in ((PROGRAM_KEY, "the script to run"), (SOURCE_KEY, "its folder"))
        if key not in hyperparameters
    ]
    return problems


def _channel_problems(channels: Mapping[str, Path]) -> list[str]:
    problems = [
        f"a channel name is 1 to 64 letters, digits, dots, dashes and underscores, got {name!r}"
        for name in channels
        if not _CHANNEL_NAME.fullmatch(name)
    ]
    problems += [
        f"channel {name!r} points to {str(path)!r}, where there is nothing"
        for name, path in channels.items()
        if not path.exists()
    ]
    return problems


def _environment_problems(environment: Mapping[str, object]) -> list[str]:
    return [
        f"environment[{key!r}] must be a str, got a {type(value).__name__}: give str(...)"
        for key, value in environment.items()
        if not isinstance(value, str)
    ]


def _checkpoint_problems(checkpoints: Path | None) -> list[str]:
    if checkpoints is not None and checkpoints.exists() and not checkpoints.is_dir():
        return [f"checkpoints must be a folder, {str(checkpoints)!r} is a file"]
    return []


def _code_problems(job: JobDescription) -> list[str]:
    source = job.source
    if isinstance(source, str):
        if source.startswith("s3://"):
            return []
        return [f"{SOURCE_KEY} must be a path, file:// or s3:// address, got {source!r}"]
    if not source.exists():
        return [f"the job's code should be at {str(source)!r}, where there is nothing"]
    program = _text(job.hyperparameters[PROGRAM_KEY])
    if source.is_dir() and not (source / program).exists():
        return [f"the script {program!r} is not in the job's code folder {str(source)!r}"]
    return []


def _distribution_problems(job: JobDescription) -> list[str]:
    asked = _text(job.hyperparameters.get(_TORCHRUN_KEY, "false")).lower() == "true"
    if asked and FRAMEWORK_VARIABLE not in job.environment:
        problem = (
            f"{_TORCHRUN_KEY} asks for torchrun, which plain sagemaker-training ignores: leave "
            "`distribution` out, or install sagemaker-pytorch-training and set environment="
            f"{{{FRAMEWORK_VARIABLE!r}: 'sagemaker_pytorch_container.training:main'}}"
        )
        return [problem]
    return []


def _text(value: str) -> str:
    """The string a hyperparameter stands for, whether it came as JSON or as it is."""
    try:
        decoded = read_json(value)
    except ValueError:
        return value
    return decoded if isinstance(decoded, str) else value
