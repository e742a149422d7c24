"""The tuner that `sift_tuner` returns for a trainer of SDK v3.

The SDK v3 is imported right here, which takes seconds: import this module on use only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from sagemaker.core import parameter
from sagemaker.core.shapes import (
    HyperParameterTuningJobWarmStartConfig,
    ParentHyperParameterTuningJob,
)
from sagemaker.train.tuner import HyperparameterTuner

from sift_toolkit.client._aws_errors import explained_launch
from sift_toolkit.client._checks import accepted_arguments
from sift_toolkit.client._job_names import tuning_job_name
from sift_toolkit.client._model_trainer_configs import arguments_in, place_of
from sift_toolkit.client._model_trainer_inputs import channels_of
from sift_toolkit.client._tuner_checks import (
    KEPT_BY_WARM_START,
    tuning_channel_problems,
    tuning_name_problems,
)
from sift_toolkit.client._tuning_objective import Objective
from sift_toolkit.client._tuning_ranges import sdk_ranges, without_twins
from sift_toolkit.errors import SiftRequestError

ACCEPTED = accepted_arguments(HyperparameterTuner)
"""The arguments that the SDK's tuner takes."""

_SUBMIT_DIRECTORY = "sagemaker_submit_directory"
_DRIVERS = "_tuner_temp_dir"


def runs_on_sagemaker(trainer: Any) -> bool:
    """Whether the jobs of a trainer run there, and not on this machine."""
    return place_of(arguments_in(trainer)["instance_type"]) == "sagemaker"


def arguments_of(trainer: Any) -> dict[str, Any]:
    """Return what a trainer was given, by SDK v2's names."""
    return {**arguments_in(trainer), "hyperparameters": trainer.hyperparameters or {}}


def make_tuner(
    trainer: Any,
    objective: Objective,
    ranges: Mapping[str, Any],
    arguments: Mapping[str, Any],
) -> SiftModelTuner:
    """Return the tuner; ranges are by hyperparameter, the SDK's own or those of the toolkit."""
    return SiftModelTuner(
        model_trainer=trainer,
        objective_metric_name=objective.name,
        objective_type=objective.type,
        metric_definitions=objective.definitions,
        hyperparameter_ranges=sdk_ranges(ranges, parameter),
        **arguments,
    )


class SiftModelTuner(HyperparameterTuner):  # type: ignore[misc] # the SDK ships no types
    """A tuner whose jobs never meet a tuned dial and its fixed twin at once.

    A tuning job cannot say how its jobs' container is started, so the image starts them itself, as
    it starts those of SDK v2.
    """

    _current_job_name: str
    _code_address: str | None = None

    def fit(
        self,
        inputs: Any = None,
        job_name: str | None = None,
        wait: bool = True,  # noqa: FBT001, FBT002 - the signature of SDK v2
    ) -> None:
        """Start the tuning job, as `tune` does."""
        self.tune(inputs, job_name=job_name, wait=wait)

    def tune(
        self,
        inputs: Any = None,
        job_name: str | None = None,
        model_trainer_kwargs: Any = None,
        wait: bool = True,  # noqa: FBT001, FBT002 - the SDK's own signature
        **kwargs: Any,
    ) -> Any:
        """Start the tuning job, as `sagemaker.train.tuner.HyperparameterTuner.tune` does.

        Args:
            inputs: An address, a dict of them by channel, or a list of InputData and Channel, all
                of them in S3.
            job_name: Default: the base name and the time.
            model_trainer_kwargs: As the SDK takes it.
            wait: Return when the tuning job has ended.
            **kwargs: As the SDK takes them.

        Raises:
            SiftRequestError: the request would be refused or misread; nothing was sent.
            SiftJobError: AWS refused a call, or the job waited for failed; it says what to do about
                it, and what is left behind.
        """
        channels = channels_of(inputs, "sagemaker")
        problems = [*tuning_name_problems(job_name), *tuning_channel_problems(channels)]
        if problems:
            raise SiftRequestError(problems)
        try:
            with (
                explained_launch(
                    "tuning job", lambda: self._code_address, lambda: self.latest_tuning_job
                ),
                self.model_trainer.prepared(),
            ):
                return super().tune(
                    channels,
                    job_name,
                    model_trainer_kwargs=model_trainer_kwargs,
                    wait=wait,
                    **kwargs,
                )
        finally:
            # The SDK would leave it to the garbage collector, which complains.
            if (folder := getattr(self.model_trainer, _DRIVERS, None)) is not None:
                folder.cleanup()

    @classmethod
    def _prepare_static_hyperparameters(
        cls, model_trainer: Any, hyperparameter_ranges: Mapping[str, Any]
    ) -> dict[str, str]:
        static = super()._prepare_static_hyperparameters(model_trainer, hyperparameter_ranges)
        return without_twins({**static, **_for_the_image(model_trainer)}, hyperparameter_ranges)

    def _prepare_for_tuning(self, job_name: str | None = None) -> None:
        self._code_address = self.model_trainer.hyperparameters.get(_SUBMIT_DIRECTORY)
        super()._prepare_for_tuning(job_name)

    def _prepare_job_name_for_tuning(self, job_name: str | None = None) -> None:
        super()._prepare_job_name_for_tuning(job_name)
        if job_name is None:
            # The SDK's own names have the minute in them, so that a second one clashes with it.
            base = self._current_job_name.rsplit("-", 2)[0]
            self._current_job_name = tuning_job_name(base, datetime.now(timezone.utc))

    def _build_training_job_definition(self, inputs: Any) -> Any:
        definition = super()._build_training_job_definition(inputs)
        # What the SDK leaves out, and a job that was to be closed off must not go without.
        networking, compute = self.model_trainer.networking, self.model_trainer.compute
        if networking is not None:
            definition.enable_network_isolation = networking.enable_network_isolation
            definition.enable_inter_container_traffic_encryption = (
                networking.enable_inter_container_traffic_encryption
            )
        if compute.volume_kms_key_id is not None:
            definition.resource_config.volume_kms_key_id = compute.volume_kms_key_id
        return definition

    def _create_warm_start_tuner(
        self, additional_parents: Any, warm_start_type: Any, model_trainer: Any = None
    ) -> SiftModelTuner:
        # The SDK's own ends with an error of pydantic's, and would leave the metrics behind.
        self._ensure_last_tuning_job()
        own = self.latest_tuning_job.hyper_parameter_tuning_job_name
        parents = [
            ParentHyperParameterTuningJob(hyper_parameter_tuning_job_name=name)
            for name in sorted({own, *(additional_parents or ())})
        ]
        kept = {name: getattr(self, name) for name in KEPT_BY_WARM_START}
        kept["warm_start_config"] = HyperParameterTuningJobWarmStartConfig(
            parent_hyper_parameter_tuning_jobs=parents, warm_start_type=warm_start_type.value
        )
        return SiftModelTuner(
            model_trainer=model_trainer or self.model_trainer,
            objective_metric_name=self.objective_metric_name,
            hyperparameter_ranges=self._hyperparameter_ranges,
            metric_definitions=self.metric_definitions,
            **kept,
        )


def _for_the_image(trainer: Any) -> dict[str, str]:
    """Return what the image must be told where SDK v3's own launcher does not start the job."""
    region = {"sagemaker_region": f'"{trainer.sagemaker_session.boto_region_name}"'}
    if trainer.distributed is None:
        return region
    return {
        **region,
        "sagemaker_torch_distributed_enabled": "true",
        "sagemaker_instance_type": f'"{trainer.compute.instance_type}"',
    }
