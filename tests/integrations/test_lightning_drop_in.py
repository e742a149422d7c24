"""A script of the shape of AWS's Lightning sample runs unchanged, on two processes."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from tests.integrations.torchrun import printed_by

ROOT = Path(__file__).parents[2]
RUN = ROOT / "entry_points" / "run.py"
SCRIPT = ROOT / "tests" / "smart_sifting" / "scripts" / "lightning_text.py"


@pytest.mark.parametrize("framework", ["lightning.pytorch", "pytorch_lightning"])
def test_it_trains_with_a_schedule_that_ends(framework: str, tmp_path: Path) -> None:
    """Under either of Lightning's names: its own part of the data for each, metrics, rate 0."""
    script = tmp_path / "script.py"
    text = SCRIPT.read_text(encoding="utf-8")
    script.write_text(text.replace("import lightning.pytorch", f"import {framework}"))
    environment = {
        **{name: value for name, value in os.environ.items() if "RANK" not in name},
        "SAGEMAKER_BASE_DIR": str(tmp_path / "no-job"),
    }
    printed = printed_by(str(RUN), str(script), str(tmp_path), environment=environment)
    # 120 rows each in batches of 12: 4 whole ones, a half of the other 72; then a half of 120.
    assert "steps: 12 of 12, rate: 0.0\n" in printed
    assert printed.count("own sift config is followed") == 1
    with next(tmp_path.rglob("metrics.csv")).open(encoding="utf-8") as file:
        logged = [line["sift/kept_share"] for line in csv.DictReader(file)]
    # Of both parts: 48 rows whole, 36 of 72, 60 of 120.
    assert float([each for each in logged if each][-1]) == pytest.approx(0.6)
