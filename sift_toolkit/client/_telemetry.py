"""The SageMaker SDKs report each job to AWS; this is the switch that turns it off.

What they send by themselves: the account, the SDK and Python in use, how long a call took, and
where it failed the text of the exception.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

from sift_toolkit.client._aws_errors import aws_errors_in_words
from sift_toolkit.errors import SiftJobError

_WAY: Final = ("SageMaker", "PythonSDK", "Modules")
_SWITCH: Final = "TelemetryOptOut"
_SESSIONS: Final = ("sagemaker.session", "sagemaker.core.helper.session_helper")
"""Where SDK v2 and SDK v3 have their `Session`."""


def without_telemetry(sagemaker_session: Any = None) -> Any:
    """Return a session whose jobs the SageMaker SDK does not report to AWS; v2 and v3 alike.

    For all sessions of a machine, write the same into the SDK's own file of defaults:
    ``SageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}``.

    Examples:
        >>> estimator = sift_estimator(..., sagemaker_session=without_telemetry())

    Args:
        sagemaker_session: Changed in place, and returned. Default: a new one of the SDK that is
            installed. A HostSession never reports anything.

    Raises:
        SiftJobError: no session was given, and none could be made: no SDK is installed, or no
            region set.
    """
    session = _new_session() if sagemaker_session is None else sagemaker_session
    session.sagemaker_config = opted_out(session.sagemaker_config)
    return session


def opted_out(defaults: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the SDK's *defaults* with telemetry off, all others as they were."""
    changed: dict[str, Any] = {"SchemaVersion": "1.0", **(defaults or {})}
    level = changed
    for name in _WAY:
        level[name] = dict(level.get(name) or {})
        level = level[name]
    level[_SWITCH] = True
    return changed


def _new_session() -> Any:
    for home in _SESSIONS:
        if (module := _import(home)) is not None:
            with aws_errors_in_words("a session of the SageMaker SDK could not be made"):
                return module.Session()
    msg = "without_telemetry() makes a session of the SageMaker SDK, and none is installed"
    raise SiftJobError(msg)


def _import(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "sagemaker":
            raise
        return None
