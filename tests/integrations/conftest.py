"""Outside of a job, with real trainers; an environment of its own: `make test-integrations`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FRAMEWORKS = ("transformers", "accelerate", "lightning")
# What they import beside is none of this package's concern: their warnings stay warnings.
THEIRS = (*FRAMEWORKS, "pytorch_lightning", "lightning_utilities", "torch", "torchmetrics")

_MISSING = [name for name in FRAMEWORKS if importlib.util.find_spec(name) is None]
collect_ignore_glob = ["test_*.py"] if _MISSING else []


def pytest_configure(config: pytest.Config) -> None:
    """Let the frameworks have their warnings, of old ones under a new Python and torch too."""
    for name in THEIRS:
        config.addinivalue_line("filterwarnings", f"default:::{name}")


@pytest.fixture(autouse=True)
def _no_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever machine the tests run on, and no report to anybody."""
    import torch

    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "no-job"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "1")
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "OMPI_COMM_WORLD_RANK"):
        monkeypatch.delenv(name, raising=False)
    torch.set_num_threads(1)
