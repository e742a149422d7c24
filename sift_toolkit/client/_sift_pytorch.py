"""The estimator that `sift_estimator` returns.

The SDK is imported right here, which takes seconds: import this module on use only.
"""

from __future__ import annotations

import copy
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

from sagemaker import image_uris
from sagemaker.estimator import _TrainingJob
from sagemaker.pytorch import PyTorch
from sagemaker.utils import check_and_get_run_experiment_config, get_config_value

from sift_toolkit.client._aws_errors import explained_launch
from sift_toolkit.client._checks import (
    CHECKED_ARGUMENTS,
    Place,
    job_name_problems,
    job_problems,
)
from sift_toolkit.client._estimator_inputs import given_inputs, input_problems
from sift_toolkit.client._estimator_session import failed_host_job, place_of
from sift_toolkit.client._hyperparameters import hyperparameter_problems, reserved_key_problems
from sift_toolkit.client._images import Versions, training_versions
from sift_toolkit.client._job_names import described_name
from sift_toolkit.client._local_failure import local_job
from sift_toolkit.client._paper import PaperSession, described_code, stand_in
from sift_toolkit.client._shown_handle import ShownHandle
from sift_toolkit.client._source import Launcher, SourceCode, source_problems
from sift_toolkit.client._staging import STAGED_PREFIX, stage
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftJobError, SiftRequestError

_SUBMIT_DIRECTORY: Final = "sagemaker_submit_directory"


def known_versions() -> Versions:
    """The PyTorch versions that this SDK has training images for."""
    return training_versions(image_uris.config_for_framework("pytorch"))


class SiftPyTorch(ShownHandle, PyTorch):  # type: ignore[misc] # the SDK ships no types
    """A PyTorch estimator that checks its request and ships the toolkit beside the user's code.

    One attached to an existing job is a plain PyTorch estimator: its code is in S3 already.
    """

    source_dir: str | None
    entry_point: str
    dependencies: list[str]
    latest_training_job: Any
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
            SiftJobError: AWS refused a call, or the job waited for failed; it says what to do about
                it, and what is left behind.
        """
        self._refuse_problems(job_name, self._channel_problems(inputs))
        leaving_nothing = (
            local_job(self.sagemaker_session, self.output_path, lambda: self._current_job_name)
            if self._place == "local"
            else nullcontext()
        )
        with (
            explained_launch(
                "training job", lambda: self.uploaded_code, lambda: self.latest_training_job
            ),
            leaving_nothing,
        ):
            try:
                return super().fit(
                    inputs=given_inputs(inputs),
                    wait=wait,
                    logs=logs,
                    job_name=job_name,
                    experiment_config=experiment_config,
                )
            except SiftJobError:
                failed = failed_host_job(self.sagemaker_session, self._current_job_name)
                self.latest_training_job = failed or self.latest_training_job
                raise

    def describe_request(
        self,
        inputs: Any = None,
        job_name: str | None = None,
        experiment_config: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return what `fit` would send to AWS; see `sift_toolkit.client.describe_request`.

        Raises:
            SiftRequestError: the request would be refused or misread.
        """
        self._refuse_problems(job_name, self._channel_problems(inputs))
        paper = PaperSession(self.sagemaker_session)
        # The latter has a client of its own, which cannot be copied and is of no use here.
        shared = {id(self.sagemaker_session): paper, id(self.tensorboard_app): None}
        described = copy.deepcopy(self, shared)
        arguments = described._train_arguments(  # noqa: SLF001 - a copy of its own
            given_inputs(inputs), job_name, experiment_config
        )
        return copy.deepcopy(paper.get_train_request(**arguments))

    def _train_arguments(
        self, inputs: Any, job_name: str | None, experiment_config: dict[str, str] | None
    ) -> dict[str, Any]:
        """Prepare this copy as `fit` does, on a stand-in for its code; return the SDK's words."""
        code = self._source_code()
        if job_name is None:
            self._ensure_base_job_name()
            job_name = described_name(self.base_job_name)
        with tempfile.TemporaryDirectory(prefix=STAGED_PREFIX) as folder:
            if code.from_git or not code.remote:
                self.source_dir, self.entry_point = stand_in(code, Path(folder))
                self.dependencies, self.git_config = [], None
                self._program = code.program if code.needs_staging else None
            super()._prepare_for_training(job_name)
        if _SUBMIT_DIRECTORY in self._hyperparameters:
            address = self._hyperparameters[_SUBMIT_DIRECTORY]
            self._hyperparameters[_SUBMIT_DIRECTORY] = described_code(address, code)
        arguments: dict[str, Any] = _TrainingJob.get_train_args(
            self, inputs, check_and_get_run_experiment_config(experiment_config)
        )
        return arguments

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

    @property
    def _place(self) -> Place:
        return place_of(self.sagemaker_session, self.instance_type)

    def _channel_problems(self, inputs: Any) -> list[str]:
        return input_problems(inputs, self._place, isolated=bool(self.enable_network_isolation()))

    def _refuse_problems(self, job_name: str | None, found: list[str] | None = None) -> None:
        arguments = {name: getattr(self, name) for name in CHECKED_ARGUMENTS}
        arguments["hyperparameters"] = self._hyperparameters
        # Of this one the SDK makes a method.
        arguments["enable_network_isolation"] = self.enable_network_isolation()
        code = self._source_code()
        problems = [
            *job_problems(arguments, self._place, code, known_versions()),
            *source_problems(code),
            *job_name_problems(job_name),
            *(found or []),
        ]
        if problems:
            raise SiftRequestError(problems)
