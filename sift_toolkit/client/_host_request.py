"""From a CreateTrainingJob request to a job on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sift_toolkit.client import _limits
from sift_toolkit.client._host_uploads import HOST_BUCKET, HostUploads
from sift_toolkit.contract import JobDescription, local_path
from sift_toolkit.errors import SiftRequestError

_SOURCE_KEY: Final = "sagemaker_submit_directory"
_FILE: Final = "file://"
_S3: Final = "s3://"


def job_description(
    request: Mapping[str, Any], uploads: HostUploads, checkpoints: Path | None
) -> JobDescription:
    """Describe the job that *request* asks for.

    What only an instance can do (VPC, KMS, tags, time limits, retries) is left aside, as local mode
    does. What would change the training if it were left aside is refused.

    Raises:
        SiftRequestError: the job cannot run on this machine; it holds every reason.
    """
    problems = [
        *_resource_problems(request["ResourceConfig"]),
        *_algorithm_problems(request["AlgorithmSpecification"]),
        *_output_problems(request["OutputDataConfig"]),
        *_channel_problems(request, uploads),
        *_source_problems(request, uploads),
    ]
    if problems:
        raise SiftRequestError(problems)
    return JobDescription(
        name=request["TrainingJobName"],
        hyperparameters=_hyperparameters(request, uploads),
        channels={
            name: uploads.find(address) or local_path(address)
            for name, address in _channels(request)
        },
        environment=request.get("Environment") or {},
        checkpoints=checkpoints,
        instance_type=request["ResourceConfig"]["InstanceType"],
    )


def artifact_folder(request: Mapping[str, Any]) -> Path | None:
    """Return the folder that *request* wants the archives in, None if it names none."""
    address = request["OutputDataConfig"]["S3OutputPath"]
    return local_path(address) if address.startswith(_FILE) else None


def _hyperparameters(request: Mapping[str, Any], uploads: HostUploads) -> dict[str, str]:
    hyperparameters = dict(request.get("HyperParameters") or {})
    source = _source(request)
    if source == _limits.CODE_CHANNEL_ARCHIVE:
        # Under network isolation the code comes as a channel.
        source = dict(_channels(request)).get(_limits.CODE_CHANNEL, source)
    if source and (uploaded := uploads.find(source)):
        hyperparameters[_SOURCE_KEY] = json.dumps(str(uploaded))
    return hyperparameters


def _source(request: Mapping[str, Any]) -> str:
    source = json.loads((request.get("HyperParameters") or {}).get(_SOURCE_KEY, '""'))
    return source if isinstance(source, str) else ""


def _channels(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name and address of each channel; an address may be empty."""
    for channel in request.get("InputDataConfig") or []:
        source = channel["DataSource"]
        file, bucket = source.get("FileDataSource", {}), source.get("S3DataSource", {})
        yield channel["ChannelName"], file.get("FileUri") or bucket.get("S3Uri") or ""


def _resource_problems(resources: Mapping[str, Any]) -> list[str]:
    count = resources.get("InstanceCount")
    if count == 1:
        return []
    given = f"instance_count={count!r}" if count is not None else "instance_groups"
    problem = (
        f"a HostSession runs a job on one host, this machine, got {given}: give instance_count=1, "
        "or use a LocalSession, which starts one container a host"
    )
    return [problem]


def _algorithm_problems(algorithm: Mapping[str, Any]) -> list[str]:
    problems = []
    if "AlgorithmName" in algorithm:
        problems.append(
            f"a HostSession cannot run the algorithm {algorithm['AlgorithmName']!r}, which is an "
            "image: give an entry_point"
        )
    if algorithm.get("ContainerEntrypoint") or algorithm.get("ContainerArguments"):
        problems.append(
            "a HostSession starts sagemaker-training's `train` and no container: leave "
            "container_entry_point and container_arguments out"
        )
    if (mode := algorithm.get("TrainingInputMode")) == "Pipe":
        problems.append(_pipe_problem("input_mode", mode))
    definitions = algorithm.get("MetricDefinitions") or []
    return [*problems, *filter(None, map(_metric_problem, definitions))]


def _metric_problem(definition: Mapping[str, str]) -> str | None:
    name, regex = definition["Name"], definition["Regex"]
    try:
        if re.compile(regex).groups:
            return None
    except re.error as error:
        return f"the metric {name!r} has a Regex that is none: {error}, got {regex!r}"
    return f"the metric {name!r} needs a group around the number in its Regex, got {regex!r}"


def _output_problems(output: Mapping[str, Any]) -> list[str]:
    problems = []
    address = output["S3OutputPath"]
    if address and not address.startswith((_FILE, f"{_S3}{HOST_BUCKET}/")):
        problems.append(
            f"a HostSession writes to this machine, got output_path={address!r}: give file://..., "
            "or leave it out"
        )
    if output.get("CompressionType") == "NONE":
        problems.append(
            "a HostSession writes model.tar.gz, as local mode does: leave "
            "disable_output_compression out"
        )
    return problems


def _channel_problems(request: Mapping[str, Any], uploads: HostUploads) -> list[str]:
    problems = [
        f"a HostSession reads channels from this machine, got {name!r} at "
        f"{repr(address) if address else 'a file system'}: give file://..., or what its own "
        "upload_data() returned"
        for name, address in _channels(request)
        if not address.startswith(_FILE) and uploads.find(address) is None
    ]
    problems += [
        _pipe_problem(f"channel {channel['ChannelName']!r} in input_mode", "Pipe")
        for channel in request.get("InputDataConfig") or []
        if channel.get("InputMode") == "Pipe"
    ]
    return problems


def _pipe_problem(what: str, mode: str) -> str:
    return f"a HostSession shows channels as folders, got {what}={mode!r}: give 'File'"


def _source_problems(request: Mapping[str, Any], uploads: HostUploads) -> list[str]:
    source = _source(request)
    if source.startswith(_S3) and uploads.find(source) is None:
        return [f"a HostSession takes code from this machine, got source_dir={source!r}"]
    return []
