"""The AWS clients that jobs are asked about with, from whatever session there is."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any, Final

from sift_toolkit.errors import SiftJobError, SiftUsageError

__all__ = ["AwsAccess"]

_ATTEMPTS: Final = 8
_FIXED: Final = frozenset({"explicit", "env"})
"""Credentials that a new session would find again as they were."""


class AwsAccess:
    """Clients of one session, made when they are first asked for.

    Args:
        session: A session of the SDK (v2 or v3) or of boto3, a function that returns one and is
            asked again when credentials expire, or None for boto3's defaults.

    Raises:
        SiftUsageError: *session* is none of these.
        SiftJobError: boto3 is not installed.
    """

    def __init__(self, session: Any = None) -> None:
        self._make: Callable[[], Any] | None = session if callable(session) else None
        self._clients: dict[str, Any] = {}
        self._use(self._make() if self._make is not None else session)

    @property
    def sagemaker(self) -> Any:
        """The client that describes jobs: the SDK session's own, where there is one."""
        own = getattr(self._session, "sagemaker_client", None)
        return self._client("sagemaker") if own is None else own

    @property
    def logs(self) -> Any:
        """The client of CloudWatch Logs."""
        return self._client("logs")

    @property
    def cloudwatch(self) -> Any:
        """The client of CloudWatch's metrics."""
        return self._client("cloudwatch")

    @property
    def s3(self) -> Any:
        """The client of S3."""
        return self._client("s3")

    @property
    def is_local(self) -> bool:
        """Whether jobs of this session run on this machine, where AWS knows nothing of them."""
        return bool(getattr(self._session, "local_mode", False))

    @property
    def place(self) -> str:
        """The region, in words."""
        return f"region {self._boto_session.region_name or 'unknown'}"

    def renew(self) -> bool:
        """Make the session anew, to find fresh credentials; False: there can be no others.

        A session made from keys, given or in the environment, would get the very same again, or
        those of somebody else.
        """
        if self._make is not None:
            self._use(self._make())
            return True
        if self._credentials_method() in _FIXED:
            return False
        old = self._boto_session
        profile = old.profile_name
        named = profile != "default" and profile != os.environ.get("AWS_PROFILE")
        self._use(
            _boto3().Session(profile_name=profile if named else None, region_name=old.region_name)
        )
        return True

    def _use(self, session: Any) -> None:
        self._session = session
        self._boto_session = _boto_session(session)
        self._clients.clear()

    def _credentials_method(self) -> str | None:
        try:
            return getattr(self._boto_session.get_credentials(), "method", None)
        except Exception:  # noqa: BLE001 - whatever keeps them from being read may have been mended
            return None

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            from botocore.config import Config

            retries = Config(retries={"mode": "standard", "max_attempts": _ATTEMPTS})
            self._clients[service] = self._boto_session.client(service, config=retries)
        return self._clients[service]


def _boto3() -> Any:
    try:
        return importlib.import_module("boto3")
    except ModuleNotFoundError as error:
        msg = "jobs on AWS are read with boto3: pip install 'sift_toolkit[client]'"
        raise SiftJobError(msg) from error


def _boto_session(session: Any) -> Any:
    if session is None:
        return _boto3().Session()
    below = getattr(session, "boto_session", session)
    if not hasattr(below, "client") or not hasattr(below, "region_name"):
        msg = (
            "session must be a session of the SageMaker SDK or of boto3, a function that returns "
            f"one, or None, got {session!r}"
        )
        raise SiftUsageError(msg)
    return below
