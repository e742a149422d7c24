"""What works here and what does not, and what to do about it: decided from facts alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

HOST: Final = "host"
LOCAL: Final = "local"
SAGEMAKER: Final = "sagemaker"
PLACES: Final = {
    HOST: "jobs on this machine (sift-toolkit run, HostSession)",
    LOCAL: "local mode (jobs in a container on this machine)",
    SAGEMAKER: "jobs on SageMaker",
}
"""Where jobs can run, and what that is called."""

_CLIENT: Final = "pip install 'sift_toolkit[client]'"
_CONTAINER: Final = "pip install 'sift_toolkit[container]'"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether jobs can run in one place."""

    place: str
    missing: tuple[str, ...]
    """What is in the way, each with its mend; empty: it works."""

    @property
    def works(self) -> bool:
        """Whether nothing is in the way."""
        return not self.missing


def verdicts(facts: Mapping[str, Any]) -> list[Verdict]:
    """Return whether jobs can run on this machine, in local mode and on SageMaker.

    Args:
        facts: `versions`, `machine`, `accelerators`, `docker` and `aws`.
    """
    return [
        Verdict(place=HOST, missing=tuple(_host(facts))),
        Verdict(place=LOCAL, missing=tuple(_local(facts))),
        Verdict(place=SAGEMAKER, missing=tuple(_sagemaker(facts))),
    ]


def sdk_of(versions: Mapping[str, str | None]) -> str | None:
    """Return which SageMaker SDK is installed: 'v2', 'v3' or None."""
    if (versions.get("sagemaker") or "").startswith("2."):
        return "v2"
    return "v3" if versions.get("sagemaker-train") or versions.get("sagemaker") else None


def _host(facts: Mapping[str, Any]) -> Iterator[str]:
    versions = facts["versions"]
    if versions["torch"] is None:
        yield f"torch is not installed: {_CONTAINER}"
    elif problem := facts["accelerators"]["problem"]:
        yield problem
    if versions["sagemaker-training"] is None:
        compiler = facts["machine"]["compiler"]
        first = (
            "" if compiler else " (it is built with a C compiler, and there is none: install gcc)"
        )
        yield f"sagemaker-training is not installed: {_CONTAINER}{first}"


def _local(facts: Mapping[str, Any]) -> Iterator[str]:
    docker, sdk = facts["docker"], sdk_of(facts["versions"])
    if sdk is None:
        yield f"there is no SageMaker SDK: {_CLIENT}"
    if problem := docker["engine_problem"]:
        yield problem
    if docker["compose"] is None:
        yield "there is no Docker Compose: install its plugin, or docker-compose"
    elif sdk == "v2" and not docker["compose_for_sdk_v2"]:
        yield (f"SDK v2 does not know {docker['compose']}: install Compose v2, or docker-compose")
    if facts["aws"]["region"] is None:
        yield "no region is set, which the SDK asks for even here: set AWS_DEFAULT_REGION"


def _sagemaker(facts: Mapping[str, Any]) -> Iterator[str]:
    aws = facts["aws"]
    if sdk_of(facts["versions"]) is None:
        yield f"there is no SageMaker SDK: {_CLIENT}"
    if aws["credentials"] is None:
        yield f"no AWS credentials: {aws['problem'] or 'run aws configure'}"
    elif aws["problem"]:
        yield f"AWS credentials do not work: {aws['problem']}"
    if aws["region"] is None:
        yield "no region is set: set AWS_DEFAULT_REGION, or run aws configure"
