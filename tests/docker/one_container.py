"""One training container started by hand: with a folder for its checkpoints, and a way to kill it.

The SDKs' local modes mount no checkpoint folder. Here a job's tree is laid out as SageMaker lays it
out, out of the very request that the estimator would send.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from sift_toolkit import describe_request
from sift_toolkit.client._staging import stage
from sift_toolkit.contract import JobTree

HOST = "algo-1"


def lay_out(estimator: Any, base: Path, channels: Sequence[str] = ()) -> JobTree:
    """Write the tree of the job that *estimator* would launch, its code included.

    Args:
        estimator: Of `sift_estimator`, for an instance type such as "ml.m5.xlarge".
        base: A new folder; the container sees it as /opt/ml.
        channels: Their names; `Container.start` mounts their data.
    """
    request = describe_request(estimator, {name: f"s3://bucket/{name}" for name in channels})
    tree = JobTree(base)
    for folder in (tree.config_dir, tree.data_dir, tree.model_dir, tree.output_data_dir):
        folder.mkdir(parents=True)
    stage(estimator._source_code(), tree.code_dir)
    hyperparameters = {
        **request["HyperParameters"],
        # `train` leaves code alone that is where it belongs already.
        "sagemaker_submit_directory": json.dumps("/opt/ml/code"),
    }
    resources = {
        "current_host": HOST,
        "hosts": [HOST],
        "current_instance_type": request["ResourceConfig"]["InstanceType"],
        "current_group_name": "homogeneousCluster",
        "network_interface_name": "lo",
    }
    tree.hyperparameters_file.write_text(json.dumps(hyperparameters))
    tree.resources_file.write_text(json.dumps(resources))
    tree.channels_file.write_text(
        json.dumps({name: {"TrainingInputMode": "File"} for name in channels})
    )
    return tree


@dataclass(frozen=True)
class Container(contextlib.AbstractContextManager["Container"]):
    """A training container that was started; leaving its `with` block removes it."""

    name: str
    descriptor: int | None = None
    """Of its first process, where that is one of this machine's."""

    @classmethod
    def start(
        cls,
        image: str,
        tree: JobTree | Path,
        *,
        channels: Mapping[str, Path] | None = None,
        checkpoints: Path | None = None,
        environment: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        command: Sequence[str] = (),
    ) -> Container:
        """Start one, cut off from every network, and return at once.

        Args:
            image: Its tag.
            tree: What it sees as /opt/ml.
            channels: What it sees as /opt/ml/input/data/NAME, read-only. Default: none.
            checkpoints: What it sees as /opt/ml/checkpoints. Default: a folder of the tree.
            environment: Variables of the job. Default: none.
            options: More options of `docker run`.
            command: Instead of `train`.
        """
        base = tree.base if isinstance(tree, JobTree) else tree
        mounts = {
            "/opt/ml": str(base.absolute()),
            **{
                f"/opt/ml/input/data/{name}": f"{path.absolute()},readonly"
                for name, path in (channels or {}).items()
            },
        }
        if checkpoints is not None:
            checkpoints.mkdir(parents=True, exist_ok=True)
            mounts["/opt/ml/checkpoints"] = str(checkpoints.absolute())
        started = _docker(
            *("run", "--detach", "--network=none", "--shm-size=256m"),
            # The job looks its hosts up before it trains.
            *("--hostname", HOST, "--add-host", f"{HOST}:127.0.0.1"),
            *(f"--mount=type=bind,target={inside},source={at}" for inside, at in mounts.items()),
            *(f"--env={name}={value}" for name, value in (environment or {}).items()),
            *options,
            *(image, *command),
        )
        return cls(started.strip(), _first_process(started.strip()))

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to its first process; nothing happens to one that has ended."""
        if self.descriptor is not None:
            # Docker takes up to half a second for it, and a checkpoint is written in less.
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.descriptor, number)
            return
        subprocess.run(
            ["docker", "kill", f"--signal={number.name}", self.name],
            capture_output=True,
            check=False,
        )

    def wait(self, seconds: float = 300) -> int:
        """Wait for its end; return its exit status, 137 for one that was killed.

        Raises:
            subprocess.TimeoutExpired: It runs for longer than that.
        """
        return int(_docker("wait", self.name, seconds=seconds))

    def logs(self) -> list[str]:
        """Return the lines it has printed so far, errors among them."""
        printed = subprocess.run(
            ["docker", "logs", self.name],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        return printed.stdout.splitlines()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return _docker("inspect", "--format={{.State.Running}}", self.name).strip() == "true"

    def run(self, *command: str) -> str:
        """Run another command in it; return what that prints."""
        return _docker("exec", self.name, *command)

    def remove(self) -> None:
        """Kill it if it runs, and remove it with its log."""
        _docker("rm", "--force", "--volumes", self.name)
        if self.descriptor is not None:
            os.close(self.descriptor)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()


def _first_process(name: str) -> int | None:
    """Return a descriptor of a container's first process; None where Docker runs elsewhere."""
    number = int(_docker("inspect", "--format={{.State.Pid}}", name))
    if sys.platform != "linux" or not number:
        return None
    try:
        descriptor = os.pidfd_open(number)
    except OSError:
        return None
    try:
        # Opened first: a number that was given anew in between is another container's or nobody's.
        if name in Path(f"/proc/{number}/mountinfo").read_text(encoding="utf-8"):
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _docker(*words: str, seconds: float = 60) -> str:
    finished = subprocess.run(
        ["docker", *words], capture_output=True, text=True, timeout=seconds, check=False
    )
    assert finished.returncode == 0, f"docker {' '.join(words)}: {finished.stderr}"
    return finished.stdout


def as_user(number: int) -> tuple[str, ...]:
    """Return the options that run a container as a user without rights, who has no name in it."""
    return ("--user", f"{number}:{number}", "--cap-drop=ALL", f"--env=HOME=/tmp/{os.getpid()}")
