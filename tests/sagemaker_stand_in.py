"""SageMaker's part of a training job, played on this machine: from its request to its end.

Channels and code come from S3, the container contract is the real one, model and output go back to
S3, what is printed goes to CloudWatch Logs, and DescribeTrainingJob tells how it went.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moto.backends import get_backend

from sift_toolkit.contract import JobDescription, JobResult, launch, pack_artifacts

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
AT_ONCE = 500
LOG_SECONDS = 0.5
"""A line is in the log about so long after it was printed."""


class SageMakerStandIn:
    """Runs the jobs that are created in an account on a moto server, each when it is created.

    Args:
        boto_session: Whose clients reach that server.
        python: Interpreter of the jobs.
        folder: Of the jobs' folders.
    """

    def __init__(self, boto_session: Any, python: Path, folder: Path) -> None:
        self._s3 = boto_session.client("s3")
        self._logs = boto_session.client("logs")
        account = boto_session.client("sts").get_caller_identity()["Account"]
        # One process: the server's own records are at hand.
        backend: Any = get_backend("sagemaker")
        self._records = backend[account][boto_session.region_name].training_jobs
        self._python = python
        self._folder = folder
        self.results: dict[str, JobResult] = {}
        """How the jobs ended, by name."""

    def run(self, request: Mapping[str, Any]) -> None:
        """Run the job of a CreateTrainingJob request to its end."""
        name = request["TrainingJobName"]
        description = JobDescription(
            name=name,
            # Its code it fetches itself, from where the client has put it.
            hyperparameters=request["HyperParameters"],
            channels={
                channel["ChannelName"]: self._fetch(name, channel)
                for channel in request["InputDataConfig"]
            },
            environment=request.get("Environment") or {},
            instance_type=request["ResourceConfig"]["InstanceType"],
        )
        assert description.source == json.loads(
            request["HyperParameters"]["sagemaker_submit_directory"]
        )
        log = _JobLog(self._logs, name)
        result = launch(
            description, self._folder / name / "ml", python=self._python, on_line=log.take
        )
        log.send()
        self._send_back(result, request["OutputDataConfig"]["S3OutputPath"])
        self._describe(result)
        self.results[name] = result

    def _fetch(self, name: str, channel: Mapping[str, Any]) -> Path:
        bucket, prefix = _parts(channel["DataSource"]["S3DataSource"]["S3Uri"])
        folder = self._folder / name / str(channel["ChannelName"])
        folder.mkdir(parents=True)
        for entry in self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
            target = folder / entry["Key"].removeprefix(prefix).lstrip("/")
            self._s3.download_file(bucket, entry["Key"], str(target))
        return folder

    def _send_back(self, result: JobResult, output_path: str) -> None:
        name = result.tree.base.parent.name
        bucket, prefix = _parts(f"{output_path.rstrip('/')}/{name}/output")
        archives = self._folder / name / "archives"
        pack_artifacts(result.tree, archives)
        for archive in archives.iterdir():
            self._s3.upload_file(str(archive), bucket, f"{prefix}/{archive.name}")

    def _describe(self, result: JobResult) -> None:
        status = "Completed" if result.failure is None else "Failed"
        seconds = math.ceil(result.seconds)
        # What moto's API has no way to say of a job.
        vars(self._records[result.tree.base.parent.name]).update(
            training_job_status=status,
            secondary_status=status,
            failure_reason=result.failure,
            training_start_time=result.started,
            training_end_time=result.ended,
            last_modified_time=result.ended,
            training_time_in_seconds=seconds,
            billable_time_in_seconds=seconds,
            final_metric_data_list=[],
        )


class _JobLog:
    """A job's log stream in CloudWatch, filled while the job runs.

    Args:
        logs: The boto3 client.
        name: The job's.
    """

    def __init__(self, logs: Any, name: str) -> None:
        self._logs = logs
        self._stream = {"logGroupName": LOG_GROUP, "logStreamName": f"{name}/algo-1-1"}
        self._events: list[dict[str, Any]] = []
        self._sent = time.monotonic()
        if not logs.describe_log_groups(logGroupNamePrefix=LOG_GROUP)["logGroups"]:
            logs.create_log_group(logGroupName=LOG_GROUP)
        logs.create_log_stream(**self._stream)

    def take(self, line: str) -> None:
        """Take what the job has printed; CloudWatch has no empty lines."""
        if line:
            self._events.append({"timestamp": int(time.time() * 1000), "message": line})
        if len(self._events) >= AT_ONCE or time.monotonic() - self._sent > LOG_SECONDS:
            self.send()

    def send(self) -> None:
        """Send what has gathered."""
        if self._events:
            self._logs.put_log_events(**self._stream, logEvents=self._events)
        self._events = []
        self._sent = time.monotonic()


def _parts(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key
