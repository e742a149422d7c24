"""AWS's one line for a Trainer: its configs, semantics and errors; scripts run unchanged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sift_toolkit import SiftConfig
from sift_toolkit.contract import JobTree
from sift_toolkit.integrations.huggingface import enable_sifting as own_enable_sifting
from sift_toolkit.report import REPORT_FILE, SiftReport
from sift_toolkit.smart_sifting import (
    LossImplementationNotProvidedException,
    SiftConfigValidationException,
)
from sift_toolkit.smart_sifting.integrations.trainer import enable_sifting
from sift_toolkit.smart_sifting.sift_config.sift_configs import RelativeProbabilisticSiftConfig
from tests.integrations.huggingface_tasks import LearningRates, letters, trainer_of

RUN = Path(__file__).parents[2] / "entry_points" / "run.py"
SCRIPT = Path(__file__).parent / "scripts" / "smart_sifting_trainer.py"
NESTED: dict[str, Any] = {
    "beta_value": 1,
    "loss_history_length": 100,
    "loss_based_sift_config": {"sift_config": {"sift_delay": 5}},
}
# 12 batches of 8: 5 whole ones, then half of the rows of 7; an epoch later of 12.
STEPS = (5 + 4) + 6 + 6


class PlainLoss:
    """No subclass of AWS's, as one of its samples has it."""

    def loss(self, model: Any, transformed_batch: Any, original_batch: Any = None) -> Tensor:
        """Return one loss a sample."""
        logits = model(input_ids=transformed_batch["input_ids"]).logits
        return torch.nn.functional.cross_entropy(logits, original_batch["labels"], reduction="none")


@pytest.mark.parametrize("config", [NESTED, RelativeProbabilisticSiftConfig(**NESTED)])
def test_it_trains_with_fresh_scores_after_the_delay(
    config: Any, tmp_path: Path, capsys: Any
) -> None:
    """Nested dicts too; num_train_epochs are epochs, and the schedule ends with them."""
    rates = LearningRates()
    trainer = trainer_of(tmp_path, letters(96), callbacks=[rates])
    enable_sifting(trainer, sift_config=config, loss=PlainLoss(), set_epochs=True)
    trainer.train()
    assert trainer.state.global_step == STEPS
    assert rates.after[-1] == 0.0
    assert "scores: fresh" in capsys.readouterr().out


def test_the_default_delay_is_aws_own(tmp_path: Path) -> None:
    """A thousand steps on all data."""
    config = {**NESTED, "loss_based_sift_config": {"sift_config": {}}}
    trainer = trainer_of(tmp_path, letters(96))
    enable_sifting(trainer, config, loss=PlainLoss())
    trainer.train()
    assert trainer.state.global_step == 36


def test_its_config_is_taken_by_our_own_function_too(tmp_path: Path) -> None:
    """It says the same there."""
    trainer = trainer_of(tmp_path, letters(96))
    own_enable_sifting(trainer, sift_config=RelativeProbabilisticSiftConfig(**NESTED))  # type: ignore[arg-type] # says what it means
    trainer.train()
    assert trainer.state.global_step == STEPS


def test_its_errors(tmp_path: Path) -> None:
    """No loss, and a config that lacks a key."""
    trainer = trainer_of(tmp_path, letters(96))
    with pytest.raises(LossImplementationNotProvidedException):
        enable_sifting(trainer, NESTED)
    with pytest.raises(SiftConfigValidationException, match="beta_value is missing"):
        enable_sifting(trainer, {}, loss=PlainLoss())


def run(way: str, base: Path, folder: Path) -> str:
    """Run the script through our entry point and return what it printed."""
    done = subprocess.run(
        [sys.executable, str(RUN), str(SCRIPT), way, str(folder)],
        env={**os.environ, "SAGEMAKER_BASE_DIR": str(base)},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("way", "steps"), [("enable", STEPS), ("subclass", 15)])
def test_a_script_runs_unchanged(way: str, steps: int, tmp_path: Path) -> None:
    """By its one call, and as a subclass that wraps the trainer's own prepared loader."""
    said = run(way, tmp_path / "no-job", tmp_path)
    assert f"steps: {steps} rate: 0.0\n" in said
    assert "the script's own sift config is followed" in said


def test_a_jobs_own_config_comes_first(tmp_path: Path) -> None:
    """The twin of an unchanged script trains on all data, and writes its report."""
    tree = JobTree(tmp_path / "job")
    tree.config_dir.mkdir(parents=True)
    twin = SiftConfig(keep=0.25).plain_twin().to_hyperparameters()
    sent = {key: json.dumps(value) for key, value in twin.items()}
    tree.hyperparameters_file.write_text(json.dumps(sent), encoding="utf-8")
    said = run("enable", tree.base, tmp_path)
    assert "steps: 36 rate: 0.0\n" in said
    report = SiftReport.read(tree.output_data_dir / REPORT_FILE)
    assert report.observations[-1].values["samples_kept"] == 288
