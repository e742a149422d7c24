"""The folders and files of a training job, as the job and its launcher both see them.

Laid out as SageMaker does it:
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sift_toolkit.contract._apostrophes import with_apostrophes
from sift_toolkit.contract._log import read_log
from sift_toolkit.errors import SiftJobError
from sift_toolkit.outside import read_json

BASE_VARIABLE: Final = "SAGEMAKER_BASE_DIR"
"""Environment variable that moves a job's tree away from `DEFAULT_BASE`."""

DEFAULT_BASE: Final = "/opt/ml"
"""Where SageMaker puts a job's tree."""

FAILURE_REASON_LIMIT: Final = 1024
"""Characters of the failure file that DescribeTrainingJob returns as its FailureReason."""

OUTCOME_NAME: Final = "sift_outcome.json"

LOG_NAME: Final = "sift_job.log"
"""The file that marks a tree as one that this package laid out."""

_FRAMEWORK_PREFIX: Final = "sagemaker_"
_FRAMEWORK_KEYS: Final = frozenset({"default_user_module_name", "_tuning_objective_metric"})


@dataclass(frozen=True)
class JobTree:
    """One training job's folders and files under *base*; naming them creates nothing."""

    base: Path

    @classmethod
    def current(cls) -> JobTree:
        """Return the tree of the job this process belongs to.

        The environment variable SAGEMAKER_BASE_DIR names it, else it is /opt/ml. Outside a job
        the tree does not exist: ask `exists`.
        """
        return cls(Path(os.environ.get(BASE_VARIABLE, DEFAULT_BASE)))

    @property
    def exists(self) -> bool:
        """Whether a job was laid out here: it has a hyperparameters file, be it an empty one."""
        return self.hyperparameters_file.is_file()

    @property
    def config_dir(self) -> Path:
        """Folder of the three files that describe the job."""
        return self.base / "input" / "config"

    @property
    def hyperparameters_file(self) -> Path:
        """The job's hyperparameters, a JSON object."""
        return self.config_dir / "hyperparameters.json"

    @property
    def resources_file(self) -> Path:
        """The job's hosts, and which of them this is, a JSON object."""
        return self.config_dir / "resourceconfig.json"

    @property
    def channels_file(self) -> Path:
        """How each channel is delivered, a JSON object."""
        return self.config_dir / "inputdataconfig.json"

    @property
    def data_dir(self) -> Path:
        """Folder of the channels, one folder each."""
        return self.base / "input" / "data"

    @property
    def code_dir(self) -> Path:
        """Folder the user's script runs in."""
        return self.base / "code"

    @property
    def model_dir(self) -> Path:
        """What is left here becomes model.tar.gz."""
        return self.base / "model"

    @property
    def output_dir(self) -> Path:
        """What is left here becomes output.tar.gz; other files of a job belong in `data` in it."""
        return self.base / "output"

    @property
    def output_data_dir(self) -> Path:
        """Where a job leaves files that are not the model: reports, plots."""
        return self.output_dir / "data"

    @property
    def failure_file(self) -> Path:
        """Why the job failed, in words."""
        return self.output_dir / "failure"

    @property
    def checkpoints_dir(self) -> Path:
        """Folder that outlives the job, where the launcher was asked for that."""
        return self.base / "checkpoints"

    @property
    def log_file(self) -> Path:
        """All a job printed; only where this package launched it."""
        return self.base / LOG_NAME

    @property
    def outcome_file(self) -> Path:
        """How the job ended, a JSON object; only where this package launched it."""
        return self.base / OUTCOME_NAME

    def log_lines(self) -> Iterator[str]:
        """Yield each line of the log so far, without its end."""
        return read_log(self.log_file)

    def last_lines(self, count: int = 20) -> str:
        """Return the last lines of the log so far, as one text."""
        return "\n".join(deque(self.log_lines(), maxlen=count))

    def channels(self) -> dict[str, Path]:
        """Return the folder of each channel the job was given, by name, sorted."""
        if not self.data_dir.is_dir():
            return {}
        return {path.name: path for path in sorted(self.data_dir.iterdir()) if path.is_dir()}

    def channel(self, name: str) -> Path:
        """Return the folder of the channel *name*.

        Raises:
            SiftJobError: the job has no such channel; the message names those it has.
        """
        channels = self.channels()
        if name not in channels:
            there = ", ".join(map(repr, channels)) or "none at all"
            msg = (
                f"the job has no channel {name!r}; it has {there}: pass "
                f"fit({{{name!r}: ...}}) when launching it"
            )
            raise SiftJobError(msg)
        return channels[name]

    def read_hyperparameters(self) -> dict[str, object]:
        """Return the hyperparameters file as it stands: mostly JSON text in strings.

        Outside a job there is no such file, and no hyperparameters: an empty dict.

        Raises:
            SiftJobError: the file holds no JSON object.
        """
        if not self.exists:
            return {}
        try:
            content = read_json(self.hyperparameters_file.read_text(encoding="utf-8"))
        except ValueError as error:
            msg = f"{self.hyperparameters_file} must hold a JSON object, but it is no JSON: {error}"
            raise SiftJobError(msg) from error
        if not isinstance(content, dict):
            # Not what it holds: hyperparameters may be secret.
            kind = type(content).__name__
            msg = f"{self.hyperparameters_file} must hold a JSON object, got a {kind}"
            raise SiftJobError(msg)
        return content

    def user_hyperparameters(self) -> dict[str, object]:
        """Return what sagemaker-training hands the user's script, decoded as it decodes it.

        That is every hyperparameter but the `sagemaker_*` ones, parsed as JSON where it can be.

        Raises:
            SiftJobError: the hyperparameters file holds no JSON object.
        """
        return {
            key: value
            for key, value in decode_hyperparameters(self.read_hyperparameters()).items()
            if not key.startswith(_FRAMEWORK_PREFIX) and key not in _FRAMEWORK_KEYS
        }

    def write_failure(self, reason: str) -> None:
        """Record why the job failed, at most 1024 characters of it.

        A reason that is already there stays: the first failure is the cause, those that follow
        (of other ranks, of the launcher) are mostly its consequences.
        """
        self.output_dir.mkdir(parents=True, exist_ok=True)
        with (
            contextlib.suppress(FileExistsError),
            self.failure_file.open("x", encoding="utf-8", errors="replace") as file,
        ):
            file.write(reason[:FAILURE_REASON_LIMIT])

    def read_failure(self) -> str | None:
        """Return the reason in the failure file, at most 1024 characters, None if there is none."""
        if not self.failure_file.is_file():
            return None
        with self.failure_file.open(encoding="utf-8", errors="replace") as file:
            return file.read(FAILURE_REASON_LIMIT).strip() or None


def decode_hyperparameters(raw: Mapping[str, object]) -> dict[str, object]:
    """Decode hyperparameters as sagemaker-training does: JSON where it parses, else left as is.

    Those whose apostrophes were spelled out for SDK v3 are as the user gave them.
    """
    return with_apostrophes({key: _decode(value) for key, value in raw.items()})


def _decode(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        decoded = read_json(value)
    except ValueError:
        return value
    return decoded
