"""Real jobs that go wrong, and what they leave behind: a code, a reason, and nobody running."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sift_toolkit.config import SCRIPT_KEY
from sift_toolkit.contract import JobTree

ROOT = Path(__file__).parents[2]
HOOKS = ROOT / "tests" / "faults" / "faulty_hooks.py"
TRAIN = ROOT / "entry_points" / "train.py"

TIMEOUT = 90.0
"""Seconds after which a job counts as hanging."""

_WORKERS_END = 8.0
"""Seconds for workers of a loader to notice that their process was killed: they look every 5."""

_LAUNCHER = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "PYTHONPATH")


@dataclass(frozen=True)
class Ended:
    """What is left of a job."""

    code: int
    failure: str
    """Its failure file; empty if there is none."""
    output: str


def lay_out(base: Path, **hyperparameters: object) -> JobTree:
    """Lay out a job that trains the faulty hooks, or those that its hyperparameters name."""
    tree = JobTree(base)
    for folder in (tree.config_dir, tree.data_dir, tree.model_dir):
        folder.mkdir(parents=True, exist_ok=True)
    given = {SCRIPT_KEY: str(HOOKS), **hyperparameters}
    encoded = {key: json.dumps(value) for key, value in given.items()}
    tree.hyperparameters_file.write_text(json.dumps(encoded), encoding="utf-8")
    return tree


def torchrun(processes: int) -> list[str]:
    """Return the command that starts the trainer in several processes of this host."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return [*launcher, f"--nproc_per_node={processes}", str(TRAIN)]


def run(tree: JobTree, command: list[str] | None = None, **variables: str) -> Ended:
    """Run a job to its end: the trainer in one process, unless another command is given.

    Raises:
        AssertionError: it hangs, or leaves processes behind; they are killed.
    """
    process = start(tree, command, **variables)
    try:
        output, _ = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        left = sorted(processes_of(tree))
        end(tree)
        output, _ = process.communicate()
        msg = f"the job hangs, in processes {left}; it said\n{output}"
        raise AssertionError(msg) from None
    assert_all_gone(tree)
    return Ended(process.returncode, tree.read_failure() or "", output)


def start(
    tree: JobTree, command: list[str] | None = None, **variables: str
) -> subprocess.Popen[str]:
    """Start a job."""
    environment = {name: value for name, value in os.environ.items() if name not in _LAUNCHER}
    return subprocess.Popen(
        command or [sys.executable, str(TRAIN)],
        env={**environment, **environment_of(tree), **variables},
        cwd=tree.base,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def environment_of(tree: JobTree) -> Mapping[str, str]:
    """Return what a job's processes are told, and by which they are found again."""
    return {
        "SAGEMAKER_BASE_DIR": str(tree.base),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
    }


def assert_all_gone(tree: JobTree) -> None:
    """Fail if a job left processes behind, and kill them."""
    deadline = time.monotonic() + _WORKERS_END
    while (left := list(processes_of(tree))) and time.monotonic() < deadline:
        time.sleep(0.1)
    end(tree)
    assert left == [], "the job left processes behind"


def end(tree: JobTree) -> None:
    """Kill what runs of a job, and wait until it is gone: a busy machine takes its time."""
    deadline = time.monotonic() + TIMEOUT
    while (left := list(processes_of(tree))) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.05)


def processes_of(tree: JobTree) -> Iterator[int]:
    """Yield the processes that were told of this tree, their children with them."""
    mark = f"SAGEMAKER_BASE_DIR={tree.base}\0".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                # A process that ended and was not buried yet has no environment any more.
                if mark in (folder / "environ").read_bytes():
                    yield int(folder.name)
