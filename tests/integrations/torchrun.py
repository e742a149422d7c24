"""Runs a script on two real processes, as torchrun does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SCRIPTS = Path(__file__).parent / "scripts"
PATIENCE = 180
"""Seconds; a machine may be busy."""


def torchrun(script: str, *arguments: str) -> str:
    """Run a script of `scripts` on two processes; return what they printed.

    Raises:
        AssertionError: they failed, or did not end.
    """
    return printed_by(
        *("-m", "torch.distributed.run", "--standalone"),
        *("--nproc-per-node", "2", str(SCRIPTS / script), *arguments),
        environment={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"},
    )


def printed_by(*arguments: str, environment: Mapping[str, str]) -> str:
    """Run Python with *arguments* to its end, and whatever it starts; return what is printed.

    Raises:
        AssertionError: it failed.
        subprocess.TimeoutExpired: it did not end; nothing of it is left.
    """
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        printed, _ = process.communicate(timeout=PATIENCE)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.returncode == 0, printed[-4000:]
    return printed
