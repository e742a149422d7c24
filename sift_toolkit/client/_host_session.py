"""`HostSession`: a SageMaker session whose training jobs run on this machine, without Docker."""

from __future__ import annotations

import functools
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import boto3
from sagemaker.local.local_session import LocalSagemakerClient, LocalSession

from sift_toolkit.client._ending_signals import EndedBySignal, ended_by_signals
from sift_toolkit.client._host_job import HostJob
from sift_toolkit.client._host_request import artifact_folder, job_description
from sift_toolkit.client._host_uploads import HOST_BUCKET, HostUploads
from sift_toolkit.client._offline import NO_ACCOUNT, boto_session_without_aws, made_up_arn
from sift_toolkit.client._telemetry import opted_out
from sift_toolkit.contract import JobDescription, JobTree, launch, pack_artifacts
from sift_toolkit.errors import SiftJobError, SiftRequestError

_ANY_REGION: Final = "us-west-2"


class HostSession(LocalSession):  # type: ignore[misc] # the SDK ships no types
    """Runs training jobs on this machine with the real `train` of sagemaker-training.

    Usable wherever a LocalSession is; needs no Docker, region, credentials or network, and makes
    no AWS call. The role may be any name. `fit` returns when the job has ended, `wait=False` or
    not, as in local mode.

    A job has its own folder, environment variables and process group, and the Python packages of
    *python*: a requirements.txt or setup.py in the source is left out, and said to be. Ctrl-C, and
    SIGTERM or SIGHUP where they would end this process at once, end the job first. Channels
    are linked, not copied: `file://` addresses, or what `upload_data` of this session returned.
    model.tar.gz and output.tar.gz go to the estimator's `file://` output path, where the next job
    replaces them, or to `artifacts` in the job's folder if it has none. The SDK's own files of
    defaults are not read.

    An estimator of the SDK looks for credentials when it is made; on a machine without any, at the
    metadata address too. The environment variable AWS_EC2_METADATA_DISABLED=true spares that wait.

    Examples:
        >>> session = HostSession("jobs")
        >>> estimator = PyTorch(
        ...     entry_point="train.py",
        ...     role="SageMakerRole",
        ...     instance_type="local",
        ...     instance_count=1,
        ...     image_uri="none",
        ...     sagemaker_session=session,
        ... )
        >>> estimator.fit({"training": "file://data"})
        >>> session.job(estimator.latest_training_job.name).seconds

    Args:
        root: Folder of the jobs' folders, made if absent; best outside your source. Default: a new
            one under the system's folder for temporary files, made with the first job. Nothing
            here deletes either.
        checkpoints: Folder that is each job's `checkpoints`, made if absent, so that a job finds
            what the one before saved. Default: each job has an empty one of its own.
        on_line: Called with each line a job prints, as it prints it; what it raises ends the job.
            Default: prints it.
        python: Interpreter of the jobs. Default: this one.
    """

    def __init__(
        self,
        root: str | Path | None = None,
        *,
        checkpoints: str | Path | None = None,
        on_line: Callable[[str], None] | None = None,
        python: str | Path | None = None,
    ) -> None:
        self._given_root = None if root is None else Path(root).absolute()
        self.checkpoints = None if checkpoints is None else Path(checkpoints).absolute()
        self._on_line = on_line or _print_line
        self._python = python or sys.executable
        self._jobs: dict[str, HostJob] = {}
        super().__init__(
            boto_session=boto_session_without_aws(_region(), "a HostSession"),
            # Settings of its own, so that no file of defaults is looked for, in S3 perhaps.
            sagemaker_config=opted_out(None),
        )
        # Code travels as it does to SageMaker: one archive of the source and its dependencies.
        # With local code the SDK would drop the dependencies without a word.
        self.config = {"local": {"local_code": False}}
        self.sagemaker_client = _HostClient(self)
        folder = Path(tempfile.mkdtemp(prefix="sift-host-uploads-"))
        self._discard_uploads = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.s3_resource = self._uploads = HostUploads(folder)

    @functools.cached_property
    def root(self) -> Path:
        """Folder of the jobs' folders; a temporary one is made when it is first asked for."""
        if self._given_root is None:
            return Path(tempfile.mkdtemp(prefix="sift-host-"))
        return self._given_root

    def job(self, name: str) -> HostJob:
        """Return the job called *name* that this session ran.

        Raises:
            SiftJobError: it ran none of that name; the message lists those it ran.
        """
        if name not in self._jobs:
            known = ", ".join(map(repr, self._jobs)) or "none yet"
            msg = f"this session ran no job called {name!r}; it ran {known}"
            raise SiftJobError(msg)
        return self._jobs[name]

    def has_job(self, name: str) -> bool:
        """Whether this session ran a job called *name*."""
        return name in self._jobs

    def run(self, request: Mapping[str, Any]) -> HostJob:
        """Run the job of a CreateTrainingJob request to its end; `fit` comes through here.

        Raises:
            SiftRequestError: the job cannot run on this machine, or its name is taken in `root`.
            SiftJobError: it failed, with the reason from its failure file, or was interrupted.
        """
        name = request["TrainingJobName"]
        description = job_description(request, self._uploads, self.checkpoints)
        folder = self.root / name
        if folder.exists():
            problem = f"a job called {name!r} ran in {str(self.root)!r} before: give another name"
            raise SiftRequestError([problem])
        job = self._jobs[name] = HostJob(request, JobTree(folder), self._arn(name))
        self._launch(job, description)
        job.model_archive = pack_artifacts(
            job.tree, artifact_folder(request) or folder / "artifacts"
        )
        if job.failure is not None:
            raise SiftJobError(job.failure_message())
        return job

    def _launch(self, job: HostJob, description: JobDescription) -> None:
        try:
            with ended_by_signals():
                job.result = launch(
                    description, job.tree.base, python=self._python, on_line=self._on_line
                )
        except BaseException as error:
            job.interrupted = datetime.now(timezone.utc)
            if isinstance(error, Exception):
                raise
            if isinstance(error, EndedBySignal):
                # As it would have ended without a job; whoever caught an error would go on.
                self._discard_uploads()
                os.kill(os.getpid(), error.number)
            # The SDK's telemetry wrapper around `fit` swallows whatever is no Exception: Ctrl-C
            # would end the job, and the caller would go on as if it had been trained.
            msg = f"training job {job.name!r} was interrupted ({type(error).__name__}) and stopped"
            raise SiftJobError(msg) from error

    def _arn(self, name: str) -> str:
        return f"arn:aws:sagemaker:{self.boto_region_name}:{NO_ACCOUNT}:training-job/{name}"

    def expand_role(self, role: str) -> str:
        """Return *role* as an ARN, made up from a bare name without asking IAM."""
        return made_up_arn(role)

    def default_bucket(self) -> str:
        """Return the name of a bucket that stands for a folder of this session's own."""
        return HOST_BUCKET

    def wait_for_job(self, job: str, poll: float = 0) -> Any:
        """Return the description of a job, which has ended, without the SDK's pause."""
        return super().wait_for_job(job, poll)


class _HostClient(LocalSagemakerClient):  # type: ignore[misc] # the SDK ships no types
    """Answers the SDK's calls about training jobs; parameters carry boto3's names."""

    sagemaker_session: HostSession

    def create_training_job(self, **request: Any) -> dict[str, str]:
        """Run the job, to its end."""
        return {"TrainingJobArn": self.sagemaker_session.run(request).arn}

    def describe_training_job(self, TrainingJobName: str) -> Any:  # noqa: N803 - boto3's name
        """Describe a job; one this session did not run is refused as local mode refuses it."""
        if not self.sagemaker_session.has_job(TrainingJobName):
            return super().describe_training_job(TrainingJobName)
        return self.sagemaker_session.job(TrainingJobName).describe()

    def list_tags(self, ResourceArn: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's name
        """Return the tags a job was created with."""
        job = self.sagemaker_session.job(ResourceArn.rpartition("/")[2])
        return {"Tags": job.request.get("Tags") or []}


def _print_line(line: str) -> None:
    print(line, flush=True)


def _region() -> str:
    configured = boto3.Session().region_name or os.environ.get("AWS_REGION")
    return configured or _ANY_REGION
