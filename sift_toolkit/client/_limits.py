"""What SageMaker, its SDK and its containers accept: every number once, its source beside it.

docs/limits.md is written from this file: what stands before a docstring's colon is the source.
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
"""AWS General Reference, Tagging your AWS resources: keys of AWS's own tags."""

JOB_NAME_MAX: Final = 63
"""API: TrainingJobName, characters."""

JOB_NAME: Final = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
"""API: TrainingJobName."""

JOB_NAME_PREFIX: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]*")
"""SDK v2: what may begin a TrainingJobName; it is cut to fit, and the time is added."""

CHANNELS_MAX: Final = 20
"""API: InputDataConfig."""

CHANNEL_NAME_MAX: Final = 64
"""API: ChannelName, characters."""

CHANNEL_NAME: Final = re.compile(r"[A-Za-z0-9\.\-_]+")
"""API: ChannelName."""

CODE_CHANNEL: Final = "code"
"""SDK v2: EstimatorBase.code_channel_name, the channel that code takes under network isolation."""

CODE_CHANNEL_ARCHIVE: Final = "/opt/ml/input/data/code/sourcedir.tar.gz"
"""SDK v2: EstimatorBase.CONTAINER_CODE_CHANNEL_SOURCEDIR_PATH, where a job finds it there."""

INPUT_MODES: Final = ("File", "FastFile", "Pipe")
"""API: TrainingInputMode."""

S3_ADDRESS_MAX: Final = 1024
"""API: S3Uri, characters."""

S3_ADDRESS: Final = re.compile(r"s3://([^/]+)/?(.*)")
"""API: S3Uri, of which the SDK makes s3:// addresses only."""

CHECKPOINT_FOLDER: Final = "/opt/ml/checkpoints"
"""API: CheckpointConfig, where checkpoints are kept unless its LocalPath says otherwise."""

CHECKPOINT_FOLDER_MAX: Final = 4096
"""API: DirectoryPath, characters."""

SUBNETS_MAX: Final = 16
"""API: Subnets, at least one."""

SECURITY_GROUPS_MAX: Final = 5
"""API: VpcSecurityGroupIds, at least one."""

NETWORK_ID_MAX: Final = 32
"""API: SubnetId, SecurityGroupId, characters."""

NETWORK_ID: Final = re.compile(r"[-0-9a-zA-Z]+")
"""API: SubnetId, SecurityGroupId."""

KMS_KEY_MAX: Final = 2048
"""API: KmsKeyId, characters."""

KMS_KEY: Final = re.compile(r"[a-zA-Z0-9:/_-]*")
"""API: KmsKeyId."""

LOCAL_STORAGE: Final = re.compile(r"ml\.([^.]*d[^.]*|(g5|g6|p5|trn1)[^.]*)\..*")
"""SDK v2: utils.volume_size_supported; instances with disks of their own take no volume key."""

GPU_INSTANCE: Final = re.compile(r"ml\.[gp][^.]*\..*")
"""SDK v2: image_uris._processor; every instance type it does not know gets the CPU image."""

NEURON_INSTANCE: Final = re.compile(r"ml\.(trn|inf)[^.]*\..*")
"""SDK v2: image_uris._processor; AWS's own accelerators, which have images of their own."""

WHOLE_NUMBERS: Final[dict[str, tuple[int, int | None]]] = {
    "max_run": (1, None),  # API: MaxRuntimeInSeconds
    "max_wait": (1, None),  # API: MaxWaitTimeInSeconds
    "max_retry_attempts": (1, 30),  # API: MaximumRetryAttempts
    "keep_alive_period_in_seconds": (0, 21_600),  # API: KeepAlivePeriodInSeconds
    "instance_count": (1, None),  # docs of ResourceConfig; the API model itself says 0
    "volume_size": (1, None),  # docs of ResourceConfig; the API model itself says 0
}
"""API: arguments that are whole numbers, the least and the greatest, None for no bound."""

SDK_DEFAULT_MAX_RUN: Final = 24 * 60 * 60
"""SDK v2: default of EstimatorBase's `max_run`, seconds."""

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
"""SDK v2: HyperparameterTuner, and the tuning service, add these to each job."""

TUNING_JOB_NAME: Final = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}")
"""API: HyperParameterTuningJobName, up to 32 characters."""

TUNING_RANGES_MAX: Final = 30
"""API: ParameterRanges; Developer Guide, Resource Limits for Automatic Model Tuning."""

TUNING_CATEGORIES_MAX: Final = 30
"""API: ParameterValues, of one categorical range."""

TUNING_METRICS_MAX: Final = 20
"""Developer Guide, Resource Limits for Automatic Model Tuning: the API model
itself says 40."""

TUNING_JOBS_MAX: Final = 750
"""Developer Guide, Resource Limits for Automatic Model Tuning: random search
more, on request."""

TUNING_PARALLEL_MAX: Final = 100
"""Developer Guide, Resource Limits for Automatic Model Tuning: 10, and so many on request."""

TUNING_ENVIRONMENT_MAX: Final = 48
"""API: HyperParameterTrainingJobEnvironmentMap, entries."""

TUNING_STRATEGIES: Final = ("Bayesian", "Random", "Hyperband", "Grid")
"""API: HyperParameterTuningJobStrategyType."""

ACCESS_KEY: Final = re.compile(r"(?<![A-Z0-9])(AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])")
"""IAM User Guide, IAM identifiers: the ids of access keys; SageMaker refuses hyperparameters with
one in them."""

CREDENTIAL_VARIABLES: Final = frozenset(
    {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
)
"""boto3, Credentials: environment variables that take the place of the job's role."""

V3_HYPERPARAMETER_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
"""SDK v3: container_drivers/scripts/environment.py makes each name a shell variable's; its hyphens
become underscores, any other sign would end the job at its start."""

V3_CHANNEL_NAME: Final = re.compile(r"[A-Za-z0-9_]+")
"""SDK v3: environment.py makes a channel's name a shell variable's too, and changes no hyphens."""

V3_CHANNELS: Final = frozenset({CODE_CHANNEL, "sm_drivers"})
"""SDK v3: ModelTrainer._create_training_job_args adds these to every job's channels."""

SAFE_ENTRY_POINT: Final = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+-]*(/[A-Za-z0-9._+-]+)*")
"""sagemaker-training 5.1.4, process.py: names of scripts it agrees to start."""
