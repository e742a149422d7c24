"""Scripts written for AWS's smart sifting run unchanged, outside of a job and in one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sift_toolkit import SiftConfig
from sift_toolkit.contract import JobTree
from sift_toolkit.report import REPORT_FILE, SiftReport

RUN = Path(__file__).parents[2] / "entry_points" / "run.py"
SCRIPTS = Path(__file__).parent / "scripts"

# 256 rows in batches of 8: 10 whole ones, then a quarter of the rows of 22; an epoch later of 32.
# 240 rows in batches of 12: 5 whole ones, then half of the rows of 15.
STEPS = {"vision_loop.py": 10 + 6 + 8, "text_lists.py": 5 + 8}


def run(script: str, base: Path) -> str:
    """Run a script through our entry point and return what it printed."""
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(base)}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(RUN), str(SCRIPTS / script)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("script", STEPS)
def test_it_trains_on_the_share_it_asked_for(script: str, tmp_path: Path) -> None:
    """Outside of a job: the script's own config, a length that is right, and metric lines."""
    said = run(script, tmp_path / "no-job")
    assert f"steps: {STEPS[script]}\n" in said
    assert "[sift] kept_share=" in said
    assert "the script's own sift config is followed" in said


def test_a_jobs_own_config_comes_first(tmp_path: Path) -> None:
    """The twin of an unchanged script trains on all data, and writes its report."""
    tree = JobTree(tmp_path / "job")
    tree.config_dir.mkdir(parents=True)
    twin = SiftConfig(keep=0.25).plain_twin().to_hyperparameters()
    sent = {key: json.dumps(value) for key, value in twin.items()}
    tree.hyperparameters_file.write_text(json.dumps(sent), encoding="utf-8")
    said = run("vision_loop.py", tree.base)
    assert "steps: 64\n" in said
    assert "came with the job is followed, not the script's own" in said
    report = SiftReport.read(tree.output_data_dir / REPORT_FILE)
    assert report.observations[-1].values["samples_kept"] == 512
