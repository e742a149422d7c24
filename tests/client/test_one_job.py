"""The job that SDK v3's tests launch too, under SDK v2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sift_toolkit import HostSession, sift_estimator
from sift_toolkit.client._limits import SDK_HYPERPARAMETERS
from tests.one_job import (
    CONFIG,
    ENVIRONMENT,
    HYPERPARAMETERS,
    PLAIN,
    PLAIN_WIRE,
    SCRIPT,
    check_seen,
)


def test_wire(job_arguments: dict[str, Any]) -> None:
    """Its hyperparameters are those that SDK v3 sends, with the SDK's own beside them."""
    estimator = sift_estimator(CONFIG, **job_arguments, launcher="run", hyperparameters=PLAIN)
    wire = estimator.describe_request()["HyperParameters"]
    assert {key: wire[key] for key in wire.keys() - SDK_HYPERPARAMETERS} == PLAIN_WIRE


@pytest.mark.parametrize("launcher", ["script", "run"])
def test_a_strict_script(launcher: Any, tmp_path: Path, capsys: Any) -> None:
    """A script that knows nothing of the toolkit sees its own hyperparameters, sign by sign."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(SCRIPT)
    session = HostSession(tmp_path / "jobs")
    estimator = sift_estimator(
        CONFIG,
        entry_point="train.py",
        source_dir=source,
        launcher=launcher,
        role="any",
        sagemaker_session=session,
        hyperparameters=HYPERPARAMETERS,
        environment=ENVIRONMENT,
    )
    estimator.fit()
    check_seen(session.job(estimator.latest_training_job.name).lines())
