"""Small real jobs for the contract's tests."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit.contract import JobDescription

Describe = Callable[..., JobDescription]
HasGone = Callable[[int], bool]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder for a job's code."""
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def describe(source: Path) -> Describe:
    """Describe a job whose script is the text given; keyword arguments change the description."""

    def description(script: str = "", **changes: Any) -> JobDescription:
        (source / "train.py").write_text(textwrap.dedent(script), encoding="utf-8")
        hyperparameters = {
            "sagemaker_program": json.dumps("train.py"),
            "sagemaker_submit_directory": json.dumps(f"file://{source}"),
            **changes.pop("hyperparameters", {}),
        }
        return JobDescription(
            **{"name": "a-job", "hyperparameters": hyperparameters, **changes},
        )

    return description


@pytest.fixture
def has_gone() -> HasGone:
    """Whether a process has ended, waiting a little for it; one nobody reaped has ended too."""

    def has_ended(process_id: int) -> bool:
        stat = Path(f"/proc/{process_id}/stat")
        deadline = time.monotonic() + 5.0
        while time.monotonic() < deadline:
            try:
                state = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            except (FileNotFoundError, ProcessLookupError):
                return True
            if state in "ZX":
                return True
            time.sleep(0.02)
        return False

    return has_ended
