"""SDK v2's local mode with real containers: what users of LocalSession get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest

from sift_toolkit import sift_estimator
from sift_toolkit.errors import SiftJobError
from sift_toolkit.metrics import KEPT_SHARE, read_series
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

SMART_SIFTING_SCRIPTS = Path(__file__).parents[1] / "smart_sifting" / "scripts"


@pytest.fixture
def arguments(image: str, tmp_path: Path) -> dict[str, Any]:
    """What a job needs beside its code; its session makes no call to AWS."""
    from sagemaker.local import LocalSession

    session = LocalSession(boto3.Session(region_name="us-west-2"))
    containers = tmp_path / "containers"
    containers.mkdir()
    session.config = {"local": {"local_code": True, "container_root": str(containers)}}
    output = {"output_path": f"file://{tmp_path / 'output'}", "sagemaker_session": session}
    return {**job_arguments(image), **output}


def check_nothing_is_left(tmp_path: Path) -> None:
    """Nothing of the containers' folders stays, the file with the session's keys least of all."""
    assert [path for path in (tmp_path / "containers").rglob("*") if path.is_file()] == []


@pytest.mark.point("2")
@pytest.mark.point("3a")
def test_hooks(
    arguments: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SDK v2, Estimator with LocalSession: metrics by their definitions, model, report are back."""
    estimator = sift_estimator(
        CONFIG, entry_point="letters.py", launcher="train", source_dir=LETTERS, **arguments
    )
    estimator.fit({"letters": DATA.as_uri()})
    lines = log_lines(capsys.readouterr().out)
    check_metrics(lines, estimator.metric_definitions)
    assert estimator.model_data == f"file://{tmp_path / 'output' / 'model.tar.gz'}"
    assert set(members(tmp_path / "output" / "model.tar.gz")) == {"model.pt"}
    left = members(tmp_path / "output" / "output.tar.gz")
    assert "success" in left
    check_report(left[f"data/{REPORT_FILE}"].decode(), lines)
    check_nothing_is_left(tmp_path)


@pytest.mark.point("3e")
def test_own_script(
    arguments: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SDK v2, a user's own script that calls sift(), by launcher "run": no key on its argv."""
    estimator = sift_estimator(
        CONFIG,
        entry_point="train.py",
        launcher="run",
        source_dir=own_source(tmp_path / "source"),
        **arguments,
    )
    estimator.fit({"letters": DATA.as_uri()})
    lines = log_lines(capsys.readouterr().out)
    check_metrics(lines, estimator.metric_definitions)
    assert set(members(tmp_path / "output" / "model.tar.gz")) == {"model.pt"}


@pytest.mark.point("3e")
def test_script_for_smart_sifting(
    arguments: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """SDK v2, a script written for AWS's smart_sifting: unchanged, by the config of the job."""
    estimator = sift_estimator(
        CONFIG,
        entry_point="vision_loop.py",
        launcher="run",
        source_dir=SMART_SIFTING_SCRIPTS,
        **arguments,
    )
    estimator.fit()
    lines = log_lines(capsys.readouterr().out)
    series = read_series(lines)
    assert series[KEPT_SHARE][-1] == 0.5
    # 256 rows in batches of 8, two epochs, half of them.
    assert "steps: 32" in lines


@pytest.mark.point("3d")
def test_script_that_fails(
    arguments: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SDK v2, a script that fails: fit() raises with the script's own reason."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text("raise ValueError('there is no column age')\n")
    estimator = sift_estimator(
        CONFIG, entry_point="train.py", launcher="run", source_dir=source, **arguments
    )
    with pytest.raises(SiftJobError, match="there is no column age") as caught:
        estimator.fit({"letters": DATA.as_uri()})
    assert "ValueError" in str(caught.value)
    failure = members(tmp_path / "output" / "output.tar.gz")["failure"].decode()
    assert failure == "ValueError: there is no column age"
    check_nothing_is_left(tmp_path)
