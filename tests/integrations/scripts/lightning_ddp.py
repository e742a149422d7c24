"""Trains on two processes that Lightning starts itself, and writes down what each of them saw."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from sift_toolkit import SiftConfig, SiftingDataloader  # noqa: E402 - found by the line above
from sift_toolkit.integrations.lightning import SiftingCallback  # noqa: E402 - as above
from tests.integrations.lightning_task import (  # noqa: E402 - as above
    Task,
    fit,
    loader,
    losses_of,
    pl,
    sifting,
    trainer,
)

CONFIGS = {
    "memory": SiftConfig(keep=0.5),
    "fresh": SiftConfig(keep=0.5, scores="fresh", sift_delay=5),
}
ROWS = 200
SAVED_AT = 9


class OwnLoader(Task):
    """Returns a loader that is sifted already."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def train_dataloader(self) -> Any:
        """Return it, over a loader that knows of one process."""
        return SiftingDataloader(
            sift_config=CONFIGS[self.name],
            orig_dataloader=loader(ROWS),
            loss_impl=losses_of,
            model=self,
        )


def told(made: Any, module: Task) -> dict[str, Any]:
    """Return what a process saw."""
    return {
        "ids": module.ids,
        "lengths": module.epoch_lengths,
        "asked": module.asked,
        "steps": made.global_step,
        "rate": made.lr_scheduler_configs[0].scheduler.get_last_lr()[0],
        "weights": [float(each.sum()) for each in module.parameters()],
    }


def main() -> None:
    """Train with a loader of our own making and with the user's; then go on from a checkpoint."""
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    several = {"strategy": "ddp", "devices": 2, "enable_checkpointing": True}
    seen: dict[str, Any] = {}
    for name, config in CONFIGS.items():
        pl.seed_everything(3)
        made = trainer(
            folder,
            sifting(config),
            pl.callbacks.ModelCheckpoint(
                folder / name, filename="{step}", save_top_k=-1, every_n_train_steps=1
            ),
            **several,
        )
        seen[f"{name} whole"] = told(made, fit(made, Task(), loader(ROWS)))
        torch.manual_seed(4)
        made = trainer(folder, sifting(config), **several)
        path = folder / name / f"step={SAVED_AT}.ckpt"
        seen[f"{name} resumed"] = told(made, fit(made, Task(), loader(ROWS), ckpt_path=path))
        pl.seed_everything(3)
        made = trainer(folder, SiftingCallback(), **several)
        made.fit(module := OwnLoader(name))
        seen[f"{name} own"] = told(made, module)
    (folder / f"{made.global_rank}.json").write_text(json.dumps(seen), encoding="utf-8")


main()
