"""Before and after in Lightning's own Trainer: letters, plain and with `SiftingCallback`.

Run by hand where Lightning is installed; writes a Markdown table to the screen. "Plain, as long"
is the baseline that counts: training on all data for the epochs that the sifted run's compute
pays for, its schedule decayed to that.
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit import SiftConfig, metrics
from sift_toolkit.integrations.lightning import SiftingCallback, reduce
from sift_toolkit.report import Observation

LETTERS = Path(__file__).parents[1] / "demo" / "letters" / "data" / "letters.npz"
WIDTH = 640
BATCH_SIZE = 128
RATE = 4e-3


class Reader(pl.LightningModule):
    """A perceptron with two hidden layers that says which letter 16 numbers describe."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            *(nn.Linear(16, WIDTH), nn.LayerNorm(WIDTH), nn.ReLU()),
            *(nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH), nn.ReLU()),
            nn.Linear(WIDTH, 26),
        )

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Return the mean loss; without sifting `reduce` is a plain mean."""
        return reduce(self, losses_of(self, batch))

    def configure_optimizers(self) -> Any:
        """Return AdamW on a rate that falls to 0 by the cosine of the whole run."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=RATE)
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def losses_of(module: nn.Module, batch: list[Tensor]) -> Tensor:
    """Return one loss a letter."""
    features, labels = batch
    logits = module.net(features)
    return nn.functional.cross_entropy(logits, labels, reduction="none")


class Outcome(NamedTuple):
    """What came of a training."""

    steps: int
    cost: float
    """Passes made, of plain training's at all epochs; a scored sample counts a third."""
    accuracy: float


def letters(part: str) -> TensorDataset:
    """Return the letters to learn from, or those held out."""
    with np.load(LETTERS) as arrays:
        features = torch.from_numpy(arrays[f"{part}_features"].astype(np.float32))
        labels = torch.from_numpy(arrays[f"{part}_labels"].astype(np.int64))
    return TensorDataset((features - 7.5) / 4, labels)


class Costs(SiftingCallback):
    """Remembers the last observation."""

    last: Observation | None = None

    def _log(self, observation: Observation) -> None:
        self.last = observation


def train(config: SiftConfig | None, epochs: int, seed: int, of_epochs: int) -> Outcome:
    """Train once; *of_epochs* are those that a cost of 1 stands for."""
    pl.seed_everything(seed, verbose=False)
    module = Reader()
    callback = None if config is None else Costs(config, loss=losses_of)
    trainer = pl.Trainer(
        accelerator="cpu",
        callbacks=[] if callback is None else [callback],
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        logger=False,
        max_epochs=epochs,
    )
    trainer.fit(module, DataLoader(letters("train"), batch_size=BATCH_SIZE, shuffle=True))
    held_out = letters("test")
    with torch.no_grad():
        read = module.eval().net(held_out.tensors[0]).argmax(dim=1)
    accuracy = float((read == held_out.tensors[1]).float().mean())
    if callback is None:
        return Outcome(trainer.global_step, epochs / of_epochs, accuracy)
    assert callback.last is not None
    cost = callback.last.values[metrics.COUNTED_COST.name]
    return Outcome(trainer.global_step, cost, accuracy)


def line(name: str, outcomes: list[Outcome]) -> str:
    """Return a row of the table."""
    cost = statistics.mean(each.cost for each in outcomes)
    accuracies = [100 * each.accuracy for each in outcomes]
    return (
        f"| {name} | {outcomes[0].steps:,} | {1 - cost:.0%} | "
        f"{statistics.mean(accuracies):.2f} ± {statistics.stdev(accuracies):.2f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    memory = SiftConfig(keep=0.5, anneal=0.1)
    fresh = SiftConfig(keep=0.5, anneal=0.1, scores="fresh")
    full = arguments.epochs
    rows: dict[str, list[Outcome]] = {}
    for seed in range(arguments.seeds):
        for name, config in (("plain", None), ("memory", memory), ("fresh", fresh)):
            rows.setdefault(name, []).append(train(config, full, seed, full))
        paid = max(1, round(rows["memory"][-1].cost * full))
        name = f"plain, as long as memory ({paid} epochs)"
        rows.setdefault(name, []).append(train(None, paid, seed, full))
    print("\n| run | steps | compute saved | held-out accuracy, % |\n|---|---|---|---|")
    for name, outcomes in rows.items():
        print(line(name, outcomes))


if __name__ == "__main__":
    main()
