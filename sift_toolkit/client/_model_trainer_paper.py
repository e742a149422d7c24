"""What a trainer describes its request with: an SDK v3 session that asks and sends nothing.

The SDK v3 is imported right here, which takes seconds: import this module on use only.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.train.defaults import TrainDefaults
from sagemaker.train.model_trainer import Mode

from sift_toolkit.client._offline import NO_ACCOUNT, boto_session_without_aws, made_up_arn
from sift_toolkit.errors import SiftRequestError

_SECONDS: Final = re.compile(r"-\d{14}(?=/)")
"""The time that ends the name SDK v3 makes for a job, in the addresses of what it uploads."""

_NO_SECONDS: Final = "-YYYYMMDDHHMMSS"


_FILLED_IN: Final = ("compute", "stopping_condition", "output_data_config", "checkpoint_config")
"""Configs in which the SDK fills in its defaults."""


def region_of(session: Any) -> str:
    """Return a session's region, or the one that a new session would have.

    Raises:
        SiftRequestError: there is none.
    """
    region = boto3.Session().region_name if session is None else session.boto_region_name
    if region is None:
        problem = (
            "no region is set: set the environment variable AWS_DEFAULT_REGION, or give "
            "sagemaker_session"
        )
        raise SiftRequestError([problem])
    return str(region)


def session_problems(session: object) -> list[str]:
    """Name a session that is none of SDK v3's."""
    if session is None or isinstance(session, Session):
        return []
    problem = (
        f"sagemaker_session must be a sagemaker.core.helper.session_helper.Session, got a "
        f"{type(session).__module__}.{type(session).__name__}; one of boto3 goes into "
        "Session(boto_session=...)"
    )
    return [problem]


def on_paper(trainer: Any) -> Any:
    """Return a copy of a trainer that asks and sends nothing, and changes nothing of its own.

    A role without an account is in account 000000000000, and so is the caller's own.
    """
    configs = {name: getattr(trainer, name) for name in _FILLED_IN}
    copy = trainer.model_copy(
        update={
            **{name: one.model_copy() for name, one in configs.items() if one is not None},
            "sagemaker_session": PaperSession(trainer.sagemaker_session),
            "role": made_up_arn(trainer.role or "the-callers-own"),
            "training_mode": Mode.SAGEMAKER_TRAINING_JOB,
        }
    )
    copy._temp_code_dir = None  # noqa: SLF001 - the original's, which it removes itself
    return copy


def fill_in_on_paper(trainer: Any) -> None:
    """Let the SDK fill in what it can without a question to AWS; the trainer has a PaperSession."""
    trainer.base_job_name = TrainDefaults.get_base_job_name(
        trainer.base_job_name, training_image=trainer.training_image
    )
    trainer.compute = TrainDefaults.get_compute(trainer.compute)
    trainer.stopping_condition = TrainDefaults.get_stopping_condition(trainer.stopping_condition)
    trainer.output_data_config = TrainDefaults.get_output_data_config(
        trainer.base_job_name, trainer.output_data_config, trainer.sagemaker_session
    )


class PaperSession(Session):  # type: ignore[misc] # the SDK ships no types
    """Knows what another session was given, and nothing that one would have to ask for.

    A default bucket without a name is in account 000000000000.

    Args:
        real: The other session; None: the one that the SDK would make by itself.
    """

    def __init__(self, real: Any) -> None:
        self._real = real
        region = region_of(real)
        super().__init__(
            boto_session=boto_session_without_aws(region, "describe_request"),
            default_bucket=_bucket(real, region),
            default_bucket_prefix=getattr(real, "default_bucket_prefix", None),
        )

    def _initialize(self, *, boto_session: Any, **_: Any) -> None:
        """Take over what is known, where the SDK makes its clients and looks for its defaults."""
        self.boto_session = boto_session
        self._region_name = boto_session.region_name
        self.sagemaker_config = getattr(self._real, "sagemaker_config", None)
        self.local_mode = False

    def default_bucket(self) -> str:
        """Return the bucket's name without looking whether there is one."""
        return str(self._default_bucket_name_override)

    def upload_data(
        self, path: str, bucket: str | None = None, key_prefix: str = "data", **_: Any
    ) -> str:
        """Return where something would be uploaded to."""
        folder = _SECONDS.sub(_NO_SECONDS, key_prefix)
        address = f"s3://{bucket or self.default_bucket()}/{folder}"
        return address if Path(path).is_dir() else f"{address}/{Path(path).name}"


def _bucket(real: Any, region: str) -> str:
    given = (
        getattr(real, name, None) for name in ("_default_bucket", "_default_bucket_name_override")
    )
    return next(filter(None, given), f"sagemaker-{region}-{NO_ACCOUNT}")
