"""Outside of a job, in one process."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def _no_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever machine the tests run on."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "no-job"))
    for name in ("RANK", "WORLD_SIZE", "OMPI_COMM_WORLD_RANK"):
        monkeypatch.delenv(name, raising=False)
    torch.set_num_threads(1)
