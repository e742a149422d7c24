"""SDK v3's local mode with real containers: what users of ModelTrainer get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sift_toolkit import sift_model_trainer
from sift_toolkit.errors import SiftJobError
from sift_toolkit.report import REPORT_FILE
from tests.docker.demo_job import (
    CONFIG,
    DATA,
    LETTERS,
    check_metrics,
    check_report,
    job_arguments,
    log_lines,
    members,
    own_source,
)


@pytest.fixture
def arguments(image: str, tmp_path: Path) -> dict[str, Any]:
    """What a job needs beside its code."""
    return {**job_arguments(image), "output_path": f"file://{tmp_path / 'output'}"}


@pytest.mark.point("2")
@pytest.mark.point("3a")
def test_hooks(
    arguments: dict[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """SDK v3, ModelTrainer in LOCAL_CONTAINER: metrics by their definitions, model, report back."""
    trainer = sift_model_trainer(
        CONFIG, entry_point="letters.py", launcher="train", source_dir=LETTERS, **arguments
    )
    trainer.train({"letters": DATA.as_uri()})
    lines = log_lines(capfd.readouterr().out)
    definitions = [
        {"Name": definition.name, "Regex": definition.regex}
        for definition in trainer._metric_definitions
    ]
    check_metrics(lines, definitions)
    archives = tmp_path / "output" / "compressed_artifacts"
    assert set(members(archives / "model.tar.gz")) == {"model.pt"}
    left = members(archives / "output.tar.gz")
    check_report(left[f"data/{REPORT_FILE}"].decode(), lines)
    assert list((tmp_path / "output").rglob("docker-compose.yaml")) == []


@pytest.mark.point("3e")
def test_own_script(
    arguments: dict[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """SDK v3, a user's own script that calls sift(), unchanged: no key on its argv."""
    source = own_source(tmp_path / "source")
    trainer = sift_model_trainer(
        CONFIG, entry_point="train.py", launcher="run", source_dir=source, **arguments
    )
    trainer.train({"letters": DATA.as_uri()})
    definitions = [
        {"Name": definition.name, "Regex": definition.regex}
        for definition in trainer._metric_definitions
    ]
    check_metrics(log_lines(capfd.readouterr().out), definitions)


@pytest.mark.point("3d")
def test_script_that_fails(arguments: dict[str, Any], tmp_path: Path) -> None:
    """SDK v3, a script that fails: train() raises with the script's own reason."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text("raise ValueError('there is no column age')\n")
    trainer = sift_model_trainer(
        CONFIG, entry_point="train.py", launcher="run", source_dir=source, **arguments
    )
    with pytest.raises(SiftJobError, match="there is no column age"):
        trainer.train({"letters": DATA.as_uri()})
