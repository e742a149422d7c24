"""The trainer that `sift_model_trainer` returns.

The SDK v3 is imported right here, which takes seconds: import this module on use only.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sagemaker.train import ModelTrainer
from sagemaker.train.model_trainer import Mode

from sift_toolkit.client import _limits
from sift_toolkit.client._aws_errors import explained_launch
from sift_toolkit.client._checks import Place, job_name_problems, job_problems
from sift_toolkit.client._job_names import described_name, timed_name
from sift_toolkit.client._local_failure import local_trainer_job
from sift_toolkit.client._model_trainer_arguments import wire_hyperparameters
from sift_toolkit.client._model_trainer_checks import v3_problems
from sift_toolkit.client._model_trainer_code import staged_code
from sift_toolkit.client._model_trainer_configs import arguments_in, known_versions, place_of
from sift_toolkit.client._model_trainer_inputs import address_of, channels_of
from sift_toolkit.client._model_trainer_paper import fill_in_on_paper, on_paper
from sift_toolkit.client._model_trainer_role import role_refusals_in_words
from sift_toolkit.client._shown_handle import ShownHandle
from sift_toolkit.client._source import SourceCode, source_problems
from sift_toolkit.client._staging import STAGED_PREFIX
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftRequestError

_LOCAL_PREFIX: Final = "sift-local-"


class SiftModelTrainer(ShownHandle, ModelTrainer):  # type: ignore[misc] # the SDK ships no types
    """A ModelTrainer that checks its request and ships the toolkit beside the user's code.

    It is made without a call to AWS: what ModelTrainer asks for at once, the role and the bucket,
    this one asks for when a job is started.
    """

    if TYPE_CHECKING:
        # Fields of ModelTrainer, which ships no types.
        hyperparameters: Any
        input_s3_key_prefix: Any
        local_container_root: Any
        source_code: Any

    _code: Any = None
    _complete: bool = False
    _on_paper: bool = False
    _job_name: Any = None
    _code_address: Any = None
    _discard: Any = None

    def __init__(self, *, code: SourceCode, **fields: Any) -> None:
        super().__init__(**fields)
        self._code = code

    def model_post_init(self, context: Any) -> None:
        """Leave what ModelTrainer does here to the first job: it asks AWS."""

    @property
    def sift_config(self) -> SiftConfig | None:
        """The config the job will read; None where the job knows nothing of sifting."""
        return SiftConfig.from_hyperparameters(self.hyperparameters or {})

    @property
    def latest_training_job(self) -> Any:
        """The job that was started last, as the SDK has it; None: none was."""
        return self._latest_training_job

    def fit(
        self,
        inputs: Any = None,
        wait: bool = True,  # noqa: FBT001, FBT002 - the signature of SDK v2
        logs: str | bool | None = "All",  # noqa: FBT001 - as the SDK has it
        job_name: str | None = None,
        experiment_config: Any = None,
    ) -> None:
        """Do what `train` does, by the arguments that SDK v2's estimators take.

        *logs* of "None", None or False print no log; *experiment_config* is refused.
        """
        if experiment_config:
            problem = "experiment_config is not possible with SDK v3: log to MLflow instead"
            raise SiftRequestError([problem])
        with_logs = wait and logs not in {"None", None, False}
        self.train(inputs, wait=wait, logs=with_logs, job_name=job_name)

    def train(
        self,
        input_data_config: Any = None,
        wait: bool = True,  # noqa: FBT001, FBT002 - the SDK's own signature
        logs: bool = True,  # noqa: FBT001, FBT002 - as the SDK has it
        dry_run: bool = False,  # noqa: FBT001, FBT002 - as the SDK has it
        *,
        job_name: str | None = None,
    ) -> Any:
        """Start the job, as `sagemaker.train.ModelTrainer.train` does.

        Args:
            input_data_config: As ModelTrainer takes it, or an address, or a dict of addresses by
                channel. Default: no channels.
            wait: Return when the job has ended.
            logs: Print its log meanwhile.
            dry_run: Upload what the job needs, but start nothing.
            job_name: Default: the base name and the time.

        Raises:
            SiftRequestError: the request would be refused or misread; nothing was sent.
            SiftJobError: AWS refused a call, or the job waited for failed; it says what to do about
                it, and what is left behind.
        """
        channels = channels_of(input_data_config, self._place)
        self._refuse_problems(job_name)
        self._job_name = job_name
        try:
            with (
                explained_launch(
                    "training job", lambda: self._code_address, lambda: self._latest_training_job
                ),
                local_trainer_job(self, local=self._is_local),
            ):
                return super().train(channels, wait=wait, logs=logs, dry_run=dry_run)
        finally:
            self._job_name = None
            self._tidy_up()

    def describe_request(self, inputs: Any = None, job_name: str | None = None) -> dict[str, Any]:
        """Return what `train` would send to AWS; see `sift_toolkit.client.describe_request`.

        Raises:
            SiftRequestError: the request would be refused or misread.
        """
        channels = channels_of(inputs, self._place)
        self._refuse_problems(job_name)
        return on_paper(self)._written_down(channels, job_name)  # type: ignore[no-any-return] # noqa: SLF001 - of this layer

    @contextmanager
    def prepared(self, *, packed: bool = False) -> Iterator[None]:
        """Be as a job's request needs it: with staged code, and hyperparameters as they are sent.

        For what makes requests of its own from a trainer, such as the SDK's tuner. Asks AWS for the
        role and the bucket, if nobody has yet.

        Args:
            packed: Whether the code is one archive, which is quicker to upload, or a folder.

        Raises:
            SiftRequestError: the request would be refused or misread.
        """
        self._refuse_problems(None)
        self._fill_in()
        folder = Path(tempfile.mkdtemp(prefix=STAGED_PREFIX))
        discard = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        given = self.source_code, self.hyperparameters
        try:
            self.source_code = staged_code(self._code, folder, packed=packed, empty=self._on_paper)
            self.hyperparameters = wire_hyperparameters(self.hyperparameters or {})
            yield
        finally:
            self.source_code, self.hyperparameters = given
            # A local job runs in that very folder.
            self._discard = discard if self._is_local else discard()

    def _create_training_job_args(
        self,
        input_data_config: Any = None,
        boto3: bool = False,  # noqa: FBT001, FBT002 - the SDK's own signature
    ) -> dict[str, Any]:
        """Make a request; train(), pipelines and describe_request() all come through here."""
        # In local mode the code stays where it is.
        with self.prepared(packed=not self._is_local):
            name = self._job_name or self._new_name()
            given = self.input_s3_key_prefix
            self.input_s3_key_prefix = given or name
            try:
                request: dict[str, Any] = super()._create_training_job_args(
                    input_data_config, boto3=boto3
                )
            finally:
                self.input_s3_key_prefix = given
        # The SDK's own name is the same for all jobs of a second, or of one long base name.
        named = {key for key in ("training_job_name", "TrainingJobName") if key in request}
        return {**request, **dict.fromkeys(named, name)}

    def create_input_data_channel(self, channel_name: str, *args: Any, **kwargs: Any) -> Any:
        """Upload what a channel is made of, and note where the code went: more may follow it."""
        channel = super().create_input_data_channel(channel_name, *args, **kwargs)
        if channel_name == _limits.CODE_CHANNEL:
            self._code_address = address_of(channel)
        return channel

    def _written_down(self, channels: list[Any], job_name: str | None) -> dict[str, Any]:
        """Make the request of this copy, which is on paper."""
        self._on_paper, self._job_name = True, job_name
        try:
            return self._create_training_job_args(channels, boto3=True)
        finally:
            self._tidy_up()

    def _new_name(self) -> str:
        base = str(self.base_job_name).replace("_", "-")
        return (
            described_name(base) if self._on_paper else timed_name(base, datetime.now(timezone.utc))
        )

    def _fill_in(self) -> None:
        """Let the SDK fill in what was not given, once; off paper it asks AWS for some of it."""
        if self._complete:
            return
        if self._on_paper:
            fill_in_on_paper(self)
        else:
            with role_refusals_in_words():
                super().model_post_init(None)
        if self._is_local:
            self.local_container_root = self.local_container_root or tempfile.mkdtemp(
                prefix=_LOCAL_PREFIX
            )
            Path(self.local_container_root).mkdir(parents=True, exist_ok=True)
        self._complete = True

    def _tidy_up(self) -> None:
        """Remove what a job needed on this machine."""
        if self._discard is not None:
            self._discard()
        if self._temp_code_dir is not None:
            self._temp_code_dir.cleanup()

    @property
    def _is_local(self) -> bool:
        return bool(self.training_mode == Mode.LOCAL_CONTAINER)

    @property
    def _place(self) -> Place:
        return place_of(getattr(self.compute, "instance_type", None))

    def _refuse_problems(self, job_name: str | None) -> None:
        arguments = arguments_in(self)
        problems = [
            *job_problems(arguments, self._place, self._code, known_versions()),
            *v3_problems(arguments, self._place),
            *source_problems(self._code),
            *job_name_problems(job_name),
        ]
        if problems:
            raise SiftRequestError(problems)
