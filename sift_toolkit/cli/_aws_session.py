"""The session that jobs are looked up with, by the options that say which."""

from __future__ import annotations

from typing import Any

from sift_toolkit.errors import SiftJobError


def session_of(region: str | None, profile: str | None) -> Any:
    """Return a boto3 session, None where nothing was said about it: boto3's own then.

    Raises:
        SiftJobError: boto3 knows no such profile.
    """
    if region is None and profile is None:
        return None
    import boto3
    from botocore.exceptions import ProfileNotFound

    try:
        return boto3.Session(region_name=region, profile_name=profile)
    except ProfileNotFound as error:
        raise SiftJobError(str(error)) from error
