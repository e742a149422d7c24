"""The session an SDK v2 job is launched through: whether it is one, and where its jobs run.

The SDK is imported right here, which takes seconds: import this module on use only.
"""

from __future__ import annotations

from typing import Any

from sagemaker import Session
from sagemaker.estimator import _TrainingJob

from sift_toolkit.client._checks import Place
from sift_toolkit.client._host_session import HostSession


def session_problems(session: object) -> list[str]:
    """Name a session that is none of SDK v2's."""
    if session is None or isinstance(session, Session):
        return []
    problem = (
        f"sagemaker_session must be a sagemaker.Session, got a {type(session).__module__}."
        f"{type(session).__name__}; one of boto3 goes into sagemaker.Session(boto_session=...)"
    )
    return [problem]


def place_of(session: object, instance_type: object) -> Place:
    """Where a job of this session runs."""
    if isinstance(session, HostSession):
        return "host"
    local = getattr(session, "local_mode", False) or instance_type in {"local", "local_gpu"}
    return "local" if local else "sagemaker"


def failed_host_job(session: object, name: str | None) -> Any:
    """Return the SDK's view of a job that a HostSession ran, None where it ran none of that name.

    The SDK notes a job once it is started, and there it has failed by then.
    """
    if name is None or not isinstance(session, HostSession) or not session.has_job(name):
        return None
    return _TrainingJob(session, name)
