"""A Trainer goes on from a checkpoint with the batches, weights and steps that would follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import set_seed

from sift_toolkit import SiftConfig
from sift_toolkit.errors import SiftStateError
from sift_toolkit.integrations._trainer_checkpoint import state_file
from sift_toolkit.integrations.huggingface import enable_sifting
from tests.integrations.huggingface_tasks import (
    LearningRates,
    Rows,
    letters,
    trainer_of,
    weights_of,
)

MEMORY = SiftConfig(keep=0.5)
FRESH = SiftConfig(keep=0.5, scores="fresh", loss_history_length=64)


def run(folder: Path, rows: Rows, config: SiftConfig, resume: Any = None, **given: Any) -> Any:
    """Train, and return the trainer and its learning rates."""
    rates = LearningRates()
    trainer = trainer_of(folder, rows, callbacks=[rates], **given)
    enable_sifting(trainer, config)
    set_seed(1)
    trainer.train(resume_from_checkpoint=resume)
    return trainer, rates.after


@pytest.mark.parametrize("group", [1, 5])
@pytest.mark.parametrize("config", [MEMORY, FRESH], ids=["memory", "fresh"])
def test_it_goes_on_as_if_it_had_not_stopped(
    config: SiftConfig, group: int, tmp_path: Path
) -> None:
    """From within an epoch and from its end: the same weights, to the bit, and the same rates."""
    given = {"gradient_accumulation_steps": group, "save_strategy": "steps", "save_steps": 1}
    whole, rates = run(tmp_path, letters(96), config, **given)
    steps = whole.state.global_step
    for step in {1, steps // 2, steps - 1}:
        checkpoint = tmp_path / f"checkpoint-{step}"
        resumed, rest = run(tmp_path / "resumed", letters(96), config, str(checkpoint), **given)
        assert resumed.state.global_step == steps
        assert rest == rates[step:]
        assert resumed.state.epoch == whole.state.epoch
        assert all(map(torch.equal, weights_of(resumed.model), weights_of(whole.model)))


def test_the_last_checkpoint_is_found(tmp_path: Path) -> None:
    """resume_from_checkpoint=True goes on from the end of an epoch."""
    rows = letters(96)
    run(tmp_path, rows, MEMORY, save_strategy="epoch")
    for step in (24, 18):
        assert state_file(tmp_path / f"checkpoint-{step}", 0).exists()
    for file in sorted((tmp_path / "checkpoint-24").iterdir()):
        file.unlink()
    (tmp_path / "checkpoint-24").rmdir()
    rows.loaded.clear()
    resumed, rest = run(tmp_path, rows, MEMORY, True, save_strategy="epoch")
    assert resumed.state.global_step == 24
    assert len(rest) == 6
    assert len(rows.loaded) == 6 * 8


def test_a_checkpoint_of_an_unsifted_training(tmp_path: Path, capsys: Any) -> None:
    """It says that sifting begins anew, and trains to the end."""
    plain = trainer_of(tmp_path, letters(96), save_strategy="steps", save_steps=10)
    plain.train()
    resumed, rest = run(tmp_path, letters(96), MEMORY, str(tmp_path / "checkpoint-10"))
    assert "sifting begins anew" in capsys.readouterr().out
    assert resumed.state.global_step == 24
    assert rest[-1] == 0.0


def test_a_state_of_another_config_is_refused(tmp_path: Path) -> None:
    """In words, by the core."""
    run(tmp_path, letters(96), MEMORY, save_strategy="steps", save_steps=10)
    with pytest.raises(SiftStateError, match="another sift config"):
        run(tmp_path, letters(96), SiftConfig(keep=0.25), str(tmp_path / "checkpoint-10"))
