"""What there is of Docker: its engine, and Compose as each SDK knows it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any, Final

_ANSWER_SECONDS: Final = 15
_REMOTE: Final = ("tcp://", "ssh://", "http://", "https://")


def docker(*, online: bool) -> dict[str, Any]:
    """Return the engine's version and Compose's, and in words what is wrong.

    Args:
        online: Whether an engine on another machine may be asked.
    """
    return {**_engine(online=online), **_compose()}


def _engine(*, online: bool) -> dict[str, str | None]:
    host = os.environ.get("DOCKER_HOST", "")
    if shutil.which("docker") is None:
        return _state(problem="there is no docker on the path: install Docker")
    if host.startswith(_REMOTE) and not online:
        return _state(problem=f"DOCKER_HOST is {host}, not asked without --online")
    answer = _ask(["docker", "info", "--format", "{{.ServerVersion}}"])
    if answer is None:
        return _state(problem="the Docker engine does not answer: start it, or get leave to use it")
    return _state(version=answer)


def _state(version: str | None = None, problem: str | None = None) -> dict[str, str | None]:
    return {"engine": version, "engine_problem": problem}


def _compose() -> dict[str, Any]:
    plugin = _ask(["docker", "compose", "version"]) if shutil.which("docker") else None
    alone = _ask(["docker-compose", "version"]) if shutil.which("docker-compose") else None
    return {
        "compose": (plugin or alone or "").splitlines()[0] if plugin or alone else None,
        # SDK v2 looks for these two letters, and else for a program called docker-compose.
        "compose_for_sdk_v2": "v2" in (plugin or "") or shutil.which("docker-compose") is not None,
    }


def _ask(command: Sequence[str]) -> str | None:
    """Return what a command prints, None where it fails or does not answer."""
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = answer.stdout.strip()
    return text if answer.returncode == 0 and text else None
