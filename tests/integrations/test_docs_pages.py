"""Python in docs/integrations_huggingface.md and docs/integrations_lightning.md runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset
from transformers import Trainer, TrainingArguments

from tests.integrations.huggingface_tasks import bert, letters
from tests.pages.blocks import run_blocks


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frameworks write into the folder they are in."""
    monkeypatch.chdir(tmp_path)


def losses_of(model: nn.Module, batch: Any) -> Tensor:
    """The loss that the pages call theirs."""
    logits = model(input_ids=batch["input_ids"]).logits
    return functional.cross_entropy(logits, batch["labels"], reduction="none")


def test_huggingface(tmp_path: Path) -> None:
    """A Trainer, one with a loader of its own, and a loop with Accelerate, all of them sifted."""
    model = bert()
    arguments = TrainingArguments(
        str(tmp_path), num_train_epochs=2, report_to=[], use_cpu=True, save_strategy="no"
    )
    names: dict[str, Any] = {
        "Trainer": Trainer,
        "accelerator": Accelerator(cpu=True),
        "args": arguments,
        "held_out": letters(16, start=64),
        "loader": DataLoader(letters(64), batch_size=8, shuffle=True),
        "loss": losses_of,
        "losses_of": losses_of,
        "make_schedule": lambda optimizer, steps: torch.optim.lr_scheduler.LinearLR(
            optimizer, total_iters=steps
        ),
        "model": model,
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
        "rows": letters(64),
    }
    run_blocks("docs/integrations_huggingface.md", names)
    assert names["trainer"].state.global_step == names["trainer"].state.max_steps < 16
    arguments.max_steps = 3
    own = names["MyTrainer"](bert(), arguments, train_dataset=letters(64))
    own.train()
    assert own.state.global_step == 3


def test_lightning() -> None:
    """The page's module trains on what its callback chose, in all epochs but the first."""
    torch.manual_seed(0)
    rows = TensorDataset(torch.randn(64, 16), torch.randint(26, (64,)))
    names: dict[str, Any] = {
        "train_loader": DataLoader(rows, batch_size=8, shuffle=True),
        "val_loader": DataLoader(rows, batch_size=8),
    }
    run_blocks("docs/integrations_lightning.md", names)
    trainer = names["trainer"]
    assert trainer.current_epoch == 20
    # The first epoch whole, of the others half.
    assert trainer.global_step == 8 + 19 * 4
