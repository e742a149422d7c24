"""What holds the other tests of this folder together can fail."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.faults.jobs import lay_out, processes_of, run

LEAVES_A_PROCESS = """
import subprocess, sys
child = "import time; time.sleep(600)"
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
subprocess.Popen([sys.executable, "-c", child], start_new_session=True, **quiet)
"""


def test_a_process_that_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found, whatever session it is in, and ended."""
    monkeypatch.setattr("tests.faults.jobs._WORKERS_END", 0.5)
    tree = lay_out(tmp_path)
    with pytest.raises(AssertionError, match="left processes behind"):
        run(tree, [sys.executable, "-c", LEAVES_A_PROCESS])

    assert list(processes_of(tree)) == []


def test_a_job_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended, and what it said is shown."""
    monkeypatch.setattr("tests.faults.jobs.TIMEOUT", 2.0)
    tree = lay_out(tmp_path)
    with pytest.raises(AssertionError, match=r"(?s)the job hangs.*so far so good"):
        run(tree, [sys.executable, "-c", "import time; print('so far so good'); time.sleep(600)"])

    assert list(processes_of(tree)) == []
