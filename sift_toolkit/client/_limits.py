"""What SageMaker, its SDK and its containers accept: every number once, its source beside it.

"API" is the request of CreateTrainingJob as botocore's service model describes it; a test holds
each of these against that model. No SDK is imported here.
"""

from __future__ import annotations

import re
from typing import Final

HYPERPARAMETERS_MAX: Final = 100
"""API: HyperParameters, at most so many entries, those of the SDK among them."""

HYPERPARAMETER_KEY_MAX: Final = 256
"""API: HyperParameterKey, characters."""

HYPERPARAMETER_VALUE_MAX: Final = 2500
"""API: HyperParameterValue, characters, counted after the SDK has written the value as JSON."""

LINE_BREAKS: Final = "\n\r\x85\u2028\u2029"
"""API: keys and values match ``.*``, whose dot stands for none of these (java.util.regex)."""

METRIC_DEFINITIONS_MAX: Final = 40
"""API: MetricDefinitionList."""

METRIC_NAME_MAX: Final = 255
"""API: MetricName, characters."""

METRIC_REGEX_MAX: Final = 500
"""API: MetricRegex, characters."""

ENVIRONMENT_MAX: Final = 100
"""API: TrainingEnvironmentMap, entries."""

ENVIRONMENT_KEY_MAX: Final = 512
"""API: TrainingEnvironmentKey, characters."""

ENVIRONMENT_KEY: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
"""API: TrainingEnvironmentKey."""

ENVIRONMENT_VALUE_MAX: Final = 512
"""API: TrainingEnvironmentValue, characters."""

TAGS_MAX: Final = 50
"""API: TagList."""

TAG_KEY_MAX: Final = 128
"""API: TagKey, characters, at least one."""

TAG_VALUE_MAX: Final = 256
"""API: TagValue, characters."""

TAG_SIGNS: Final = "_.:/=+-@"
r"""API: TagKey, TagValue: ``[\p{L}\p{Z}\p{N}_.:/=+\-@]*``, letters, spaces, digits and these."""

TAG_RESERVED_PREFIX: Final = "aws:"
"""Keys of AWS's own tags (AWS General Reference, Tagging your AWS resources)."""

JOB_NAME_MAX: Final = 63
"""API: TrainingJobName, characters."""

JOB_NAME: Final = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
"""API: TrainingJobName."""

JOB_NAME_PREFIX: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]*")
"""What may begin a TrainingJobName: the SDK cuts it to fit and adds a time stamp."""

CHANNELS_MAX: Final = 20
"""API: InputDataConfig."""

CHANNEL_NAME_MAX: Final = 64
"""API: ChannelName, characters."""

CHANNEL_NAME: Final = re.compile(r"[A-Za-z0-9\.\-_]+")
"""API: ChannelName."""

WHOLE_NUMBERS: Final[dict[str, tuple[int, int | None]]] = {
    "max_run": (1, None),  # API: MaxRuntimeInSeconds
    "max_wait": (1, None),  # API: MaxWaitTimeInSeconds
    "max_retry_attempts": (1, 30),  # API: MaximumRetryAttempts
    "keep_alive_period_in_seconds": (0, 21_600),  # API: KeepAlivePeriodInSeconds
    "instance_count": (1, None),  # docs of ResourceConfig; the API model itself says 0
}
"""Estimator arguments that are whole numbers: the least and the greatest, None for no bound."""

SDK_DEFAULT_MAX_RUN: Final = 24 * 60 * 60
"""Seconds. SDK v2: default of EstimatorBase's `max_run`."""

SDK_HYPERPARAMETERS: Final = frozenset(
    {
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "sagemaker_program",
        "sagemaker_region",
        "sagemaker_submit_directory",
    }
)
"""SDK v2: Framework._script_mode_hyperparam_update adds these to every job."""

TUNER_HYPERPARAMETERS: Final = frozenset(
    {
        "_tuning_objective_metric",
        "sagemaker_estimator_class_name",
        "sagemaker_estimator_module",
    }
)
"""SDK v2 and the tuning service add these to the jobs of a HyperparameterTuner."""

SAFE_ENTRY_POINT: Final = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+-]*(/[A-Za-z0-9._+-]+)*")
"""sagemaker-training 5.1.4, process.py: names of scripts it agrees to start."""
