"""The tuner that `sift_tuner` returns.

The SDK is imported right here, which takes seconds: import this module on use only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from sagemaker import parameter
from sagemaker.tuner import HyperparameterTuner

from sift_toolkit.client._aws_errors import explained_launch
from sift_toolkit.client._checks import accepted_arguments
from sift_toolkit.client._estimator_inputs import given_inputs, input_problems
from sift_toolkit.client._estimator_session import place_of
from sift_toolkit.client._job_names import tuning_job_name
from sift_toolkit.client._tuner_checks import KEPT_BY_WARM_START, tuning_name_problems
from sift_toolkit.client._tuning_objective import Objective
from sift_toolkit.client._tuning_ranges import sdk_ranges, without_twins
from sift_toolkit.errors import SiftRequestError

ACCEPTED = accepted_arguments(HyperparameterTuner)
"""The arguments that the SDK's tuner takes."""


def runs_on_sagemaker(estimator: Any) -> bool:
    """Whether the jobs of an estimator run there, and not on this machine."""
    return place_of(estimator.sagemaker_session, estimator.instance_type) == "sagemaker"


def arguments_of(estimator: Any) -> dict[str, Any]:
    """Return what an estimator was given, as far as a tuning job must know it."""
    return {
        "environment": estimator.environment,
        "hyperparameters": estimator.hyperparameters(),
        "instance_groups": estimator.instance_groups,
        "keep_alive_period_in_seconds": estimator.keep_alive_period_in_seconds,
        "metric_definitions": estimator.metric_definitions,
    }


def make_tuner(
    estimator: Any,
    objective: Objective,
    ranges: Mapping[str, Any],
    arguments: Mapping[str, Any],
) -> SiftTuner:
    """Return the tuner; ranges are by hyperparameter, the SDK's own or those of the toolkit."""
    return SiftTuner(
        estimator=estimator,
        objective_metric_name=objective.name,
        objective_type=objective.type,
        metric_definitions=objective.definitions,
        hyperparameter_ranges=sdk_ranges(ranges, parameter),
        **arguments,
    )


class SiftTuner(HyperparameterTuner):  # type: ignore[misc] # the SDK ships no types
    """A tuner whose jobs never meet a tuned dial and its fixed twin at once."""

    _current_job_name: str

    @classmethod
    def _prepare_static_hyperparameters(
        cls, estimator: Any, hyperparameter_ranges: Mapping[str, Any], include_cls_metadata: Any
    ) -> dict[str, str]:
        static = super()._prepare_static_hyperparameters(
            estimator, hyperparameter_ranges, include_cls_metadata
        )
        return without_twins(static, hyperparameter_ranges)

    def fit(
        self,
        inputs: Any = None,
        job_name: str | None = None,
        include_cls_metadata: Any = False,  # noqa: FBT002 - the SDK's own signature
        estimator_kwargs: Any = None,
        wait: bool = True,  # noqa: FBT001, FBT002 - as the SDK has it
        **kwargs: Any,
    ) -> Any:
        """Start the tuning job, as `sagemaker.tuner.HyperparameterTuner.fit` does.

        Raises:
            SiftRequestError: the request would be refused or misread; nothing was sent.
            SiftJobError: AWS refused a call, or the job waited for failed; it says what to do about
                it, and what is left behind.
        """
        problems = [*tuning_name_problems(job_name), *input_problems(inputs, "sagemaker")]
        if problems:
            raise SiftRequestError(problems)
        with explained_launch(
            "tuning job",
            lambda: getattr(self.estimator, "uploaded_code", None),
            lambda: self.latest_tuning_job,
        ):
            return super().fit(
                inputs=given_inputs(inputs),
                job_name=job_name,
                include_cls_metadata=include_cls_metadata,
                estimator_kwargs=estimator_kwargs,
                wait=wait,
                **kwargs,
            )

    def _prepare_job_name_for_tuning(self, job_name: str | None = None) -> None:
        super()._prepare_job_name_for_tuning(job_name)
        if job_name is None:
            # The SDK's own names have the minute in them, so that a second one clashes with it.
            base = self._current_job_name.rsplit("-", 2)[0]
            self._current_job_name = tuning_job_name(base, datetime.now(timezone.utc))

    def _create_warm_start_tuner(
        self, additional_parents: Any, warm_start_type: Any, estimator: Any = None
    ) -> SiftTuner:
        # The SDK makes one of its own class, and leaves the metric definitions behind.
        plain = super()._create_warm_start_tuner(additional_parents, warm_start_type, estimator)
        return SiftTuner(
            estimator=plain.estimator,
            objective_metric_name=self.objective_metric_name,
            hyperparameter_ranges=self._hyperparameter_ranges,
            metric_definitions=self.metric_definitions,
            **{name: getattr(plain, name) for name in KEPT_BY_WARM_START},
        )
