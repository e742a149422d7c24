"""docs/iam.md allows the calls that SDK v3 makes, and nothing else."""

from __future__ import annotations

from typing import Any

from sift_toolkit import SiftConfig, sift_model_trainer
from sift_toolkit.testing import mocked_aws
from tests.client.aws_calls import Policy, denied, needs_of, recorded, spare


def test_trainer(job_arguments: dict[str, Any]) -> None:
    """A job is started and waited for with the caller's policy and that of the trainer."""
    with mocked_aws() as aws, recorded(aws.boto_session) as calls:
        trainer = sift_model_trainer(
            SiftConfig(keep=0.5),
            **{**job_arguments, "sagemaker_session": aws.silent_session},
            tags={"team": "a"},
        )
        trainer.train({"training": "s3://data/rows"})
        needs = needs_of(calls)
    placeholders = {"BUCKET": aws.bucket, "ROLE": aws.role.rpartition("/")[2]}
    extra = denied(Policy.of("caller", **placeholders), needs)
    policy = Policy.of("trainer", **placeholders)
    assert denied(policy, extra) == []
    assert spare(policy, extra) == []
