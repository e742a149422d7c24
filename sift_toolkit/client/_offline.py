"""What stands in for AWS where nobody is to be asked: an account, a role, clients that refuse."""

from __future__ import annotations

import functools
from typing import Any, Final

import boto3

from sift_toolkit.errors import SiftJobError

NO_ACCOUNT: Final = "000000000000"
"""The account of names that nobody was asked for."""

# Any will do, or boto3 would look for real ones, over the network too.
_NO_KEY: Final = "none"


def made_up_arn(role: str) -> str:
    """Return *role* as an ARN; a bare name gets one in no account, without asking IAM."""
    return role if "/" in role else f"arn:aws:iam::{NO_ACCOUNT}:role/{role}"


@functools.cache
def boto_session_without_aws(region: str, speaker: str) -> Any:
    """Return a session that cannot call AWS: no real credentials, and each call is refused.

    One for all who share a region, for it takes boto3 a while to read its models again.

    Args:
        region: Its region.
        speaker: Who makes no call, as "a HostSession": begins the refusal.
    """
    session = boto3.Session(
        aws_access_key_id=_NO_KEY, aws_secret_access_key=_NO_KEY, region_name=region
    )

    def refuse(model: Any, **_: Any) -> None:
        msg = (
            f"{speaker} makes no AWS call, but {model.service_model.service_name} {model.name} was "
            "asked for: use a sagemaker.Session for that"
        )
        raise SiftJobError(msg)

    session.events.register("before-call", refuse)
    return session
