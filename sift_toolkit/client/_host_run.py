"""A job on this machine without any SDK: its code staged, run by the contract, ended by signals."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sift_toolkit.client._ending_signals import ended_by_signals
from sift_toolkit.client._hyperparameters import hyperparameter_problems, reserved_key_problems
from sift_toolkit.client._labels import environment_problems
from sift_toolkit.client._source import Launcher, SourceCode, source_problems
from sift_toolkit.client._staging import STAGED_PREFIX, stage
from sift_toolkit.config import SCRIPT_KEY, SiftConfig
from sift_toolkit.contract import JobDescription, JobResult, launch
from sift_toolkit.errors import SiftRequestError

__all__ = ["HostRun"]

_PACKAGE: Final = "sift_toolkit"


@dataclass(frozen=True, kw_only=True)
class HostRun:
    """What is to be run, as the command line says it."""

    script: Path
    hooks: bool = False
    """Whether the script is a module of hooks for the toolkit's trainer."""
    source_dir: Path | None = None
    """The folder that goes along; None: the script alone."""
    name: str
    config: SiftConfig | None = None
    """None: the job trains on all data."""
    hyperparameters: Mapping[str, object] = field(default_factory=dict)
    channels: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    checkpoints: Path | None = None

    def go(self, folder: Path, python: str | Path, on_line: Callable[[str], None]) -> JobResult:
        """Run it in *folder* to its end; Ctrl-C, SIGTERM and SIGHUP end it, with all it started.

        A signal that this process ignores or handles itself does what it always did.

        Raises:
            SiftRequestError: SageMaker would refuse it as well.
            SiftJobError: *folder* is not empty, or *python* cannot run jobs.
        """
        code = self._code()
        if problems := self._problems(code):
            raise SiftRequestError(problems)
        with tempfile.TemporaryDirectory(prefix=STAGED_PREFIX) as staged, ended_by_signals():
            stage(code, Path(staged) / "code")
            job = self._described(code, Path(staged) / "code")
            return launch(job, folder, python=python, on_line=on_line)

    def problems(self) -> list[str]:
        """Name what SageMaker would refuse as well, before anything is run."""
        try:
            return self._problems(self._code())
        except SiftRequestError as error:
            return list(error.problems)

    def _problems(self, code: SourceCode) -> list[str]:
        return [
            *source_problems(code),
            *reserved_key_problems(self.hyperparameters),
            *hyperparameter_problems(self.hyperparameters),
            *environment_problems(self.environment),
        ]

    def _code(self) -> SourceCode:
        folder = self.source_dir
        # A toolkit that the user brings along is the one that the job is to use.
        own = folder is not None and (folder / _PACKAGE).exists()
        if folder is not None and folder not in self.script.parents:
            problem = f"{str(self.script)!r} does not lie in the source_dir {str(folder)!r}"
            raise SiftRequestError([problem])
        script = self.script if folder is None else self.script.relative_to(folder)
        starter: Launcher = "run" if self.script.suffix == ".py" else "script"
        return SourceCode(
            entry_point=script.as_posix(),
            source_dir=None if folder is None else str(folder),
            launcher="train" if self.hooks else starter,
            ship_toolkit=not own,
        )

    def _described(self, code: SourceCode, folder: Path) -> JobDescription:
        sent: dict[str, object] = {
            **self.hyperparameters,
            **(self.config.to_hyperparameters() if self.config else {}),
            **({SCRIPT_KEY: code.script} if code.launcher != "script" else {}),
            "sagemaker_program": code.program,
            "sagemaker_submit_directory": str(folder),
        }
        return JobDescription(
            name=self.name,
            hyperparameters={key: json.dumps(value) for key, value in sent.items()},
            channels=self.channels,
            environment=self.environment,
            checkpoints=self.checkpoints,
        )
