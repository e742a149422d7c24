"""The estimator that `sift_estimator` returns.

The SDK is imported right here, which takes seconds: import this module on use only.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sagemaker.pytorch import PyTorch
from sagemaker.utils import get_config_value

from sift_toolkit.client._checks import (
    CHECKED_ARGUMENTS,
    Place,
    channel_problems,
    job_name_problems,
    request_problems,
)
from sift_toolkit.client._host_session import HostSession
from sift_toolkit.client._hyperparameters import hyperparameter_problems, reserved_key_problems
from sift_toolkit.client._source import Launcher, SourceCode, source_problems
from sift_toolkit.client._staging import STAGED_PREFIX, stage
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftRequestError


def place_of(session: object, instance_type: object) -> Place:
    """Where a job of this session runs."""
    if isinstance(session, HostSession):
        return "host"
    local = getattr(session, "local_mode", False) or instance_type in {"local", "local_gpu"}
    return "local" if local else "sagemaker"


class SiftPyTorch(PyTorch):  # type: ignore[misc] # the SDK ships no types
    """A PyTorch estimator that checks its request and ships the toolkit beside the user's code.

    One attached to an existing job is a plain PyTorch estimator: its code is in S3 already.
    """

    source_dir: str | None
    entry_point: str
    dependencies: list[str]
    uploaded_code: Any

    def __init__(
        self,
        *args: Any,
        launcher: Launcher = "script",
        ship_toolkit: bool = False,
        **kwargs: Any,
    ) -> None:
        self._launcher: Launcher = launcher
        self._ship_toolkit = ship_toolkit
        self._program: str | None = None
        super().__init__(*args, **kwargs)

    @property
    def sift_config(self) -> SiftConfig | None:
        """The config the job will read; None where the job knows nothing of sifting."""
        return SiftConfig.from_hyperparameters(self._hyperparameters)

    def set_hyperparameters(self, **kwargs: object) -> None:
        """Set hyperparameters of the user's script, encoded as the SDK does it.

        Raises:
            SiftRequestError: one is reserved, not JSON or too long.
        """
        problems = [
            *reserved_key_problems(kwargs, self.distribution),
            *hyperparameter_problems(kwargs, self.distribution),
        ]
        if problems:
            raise SiftRequestError(problems)
        super().set_hyperparameters(**kwargs)

    def fit(
        self,
        inputs: Any = None,
        wait: bool = True,  # noqa: FBT001, FBT002 - the SDK's own signature
        logs: str = "All",
        job_name: str | None = None,
        experiment_config: dict[str, str] | None = None,
    ) -> Any:
        """Start the job, as `sagemaker.pytorch.PyTorch.fit` does.

        Raises:
            SiftRequestError: the request would be refused or misread; nothing was sent.
        """
        self._refuse_problems(
            job_name, channel_problems(inputs, place_of(self.sagemaker_session, self.instance_type))
        )
        return super().fit(
            inputs=inputs,
            wait=wait,
            logs=logs,
            job_name=job_name,
            experiment_config=experiment_config,
        )

    def _prepare_for_training(self, job_name: str | None = None) -> None:
        """Stage the code and let the SDK upload it; fit() and the tuner both come through here."""
        self._refuse_problems(job_name)
        code = self._source_code()
        if not code.needs_staging:
            super()._prepare_for_training(job_name)
            return
        with self._staged(code):
            super()._prepare_for_training(job_name)
        if self.uploaded_code is not None:
            # What deploy() would serve: the user's file, never an entry point that trains.
            self.uploaded_code = self.uploaded_code._replace(script_name=code.script)

    def _script_mode_hyperparam_update(self, code_dir: str, script: str) -> None:
        # With local code the SDK cuts the program down to its base name.
        super()._script_mode_hyperparam_update(code_dir, self._program or script)

    @contextmanager
    def _staged(self, code: SourceCode) -> Iterator[None]:
        """Point the estimator at a staged copy of its code, and back again.

        With local code the job runs in that very copy, which therefore lives as long as the
        estimator; otherwise it goes once it is uploaded.
        """
        folder = Path(tempfile.mkdtemp(prefix=STAGED_PREFIX))
        discard = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        used_in_place = False
        given = self.source_dir, self.entry_point, self.dependencies
        try:
            stage(code, folder / "code")
            self.source_dir, self.entry_point = str(folder / "code"), code.program
            self.dependencies, self._program = [], code.program
            yield
            used_in_place = self.sagemaker_session.local_mode and bool(
                get_config_value("local.local_code", self.sagemaker_session.config)
            )
        finally:
            self.source_dir, self.entry_point, self.dependencies = given
            self._program = None
            if not used_in_place:
                discard()

    def _source_code(self) -> SourceCode:
        return SourceCode(
            entry_point=self.entry_point,
            source_dir=self.source_dir,
            dependencies=tuple(self.dependencies),
            launcher=self._launcher,
            ship_toolkit=self._ship_toolkit,
            from_git=bool(self.git_config),
        )

    def _refuse_problems(self, job_name: str | None, found: list[str] | None = None) -> None:
        arguments = {name: getattr(self, name) for name in CHECKED_ARGUMENTS}
        arguments["hyperparameters"] = self._hyperparameters
        place = place_of(self.sagemaker_session, self.instance_type)
        problems = [
            *request_problems(arguments, place),
            *source_problems(self._source_code()),
            *job_name_problems(job_name),
            *(found or []),
        ]
        if problems:
            raise SiftRequestError(problems)
