"""Before and after in Lightning's own Trainer: letters, plain and with `SiftingCallback`.

Run by hand where Lightning is installed; writes a result file. "Plain, as long"
is the baseline that counts: training on all data for the epochs that the sifted run's compute
pays for, its schedule decayed to that.
"""

from __future__ import annotations

import functools
import math
import warnings
from typing import Any

import lightning.pytorch as pl
import torch
from before_after import (
    BATCH_SIZE,
    RATE,
    Outcome,
    accuracy,
    letters,
    losses_of,
    options,
    reader,
    write_table,
)
from torch import Tensor
from torch.utils.data import DataLoader

from sift_toolkit import SiftConfig, metrics
from sift_toolkit.integrations.lightning import SiftingCallback, reduce
from sift_toolkit.report import Observation


class Reader(pl.LightningModule):
    """A perceptron with two hidden layers that says which letter 16 numbers describe."""

    def __init__(self) -> None:
        super().__init__()
        self.net = reader()

    def forward(self, features: Tensor) -> Tensor:
        """Return what speaks for each letter."""
        return self.net(features)

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


class Costs(SiftingCallback):
    """Remembers the last observation."""

    last: Observation | None = None

    def _log(self, observation: Observation) -> None:
        self.last = observation


def train(config: SiftConfig | None, epochs: int, *, seed: int, of_epochs: int) -> Outcome:
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
    cost = epochs / of_epochs
    if callback is not None:
        assert callback.last is not None
        cost = callback.last.values[metrics.COUNTED_COST.name]
    return Outcome(trainer.global_step, cost, accuracy(module))


def main() -> None:
    """Train by all ways."""
    arguments = options(__doc__)
    warnings.simplefilter("ignore")
    full = arguments.epochs
    # The first epoch is trained on whole, half of each after it.
    paid = math.ceil(1 + 0.5 * (full - 1))
    ways: dict[str, tuple[SiftConfig | None, int]] = {
        "all data": (None, full),
        "sifted, losses of the training itself": (SiftConfig(keep=0.5), full),
        "sifted, AWS's scheme: an extra forward pass": (
            SiftConfig(keep=0.5, law="percentile", scores="fresh"),
            full,
        ),
        f"all data, as long as the second ({paid} epochs)": (None, paid),
    }
    write_table(
        "integrations_lightning",
        {
            name: functools.partial(train, config, epochs, of_epochs=full)
            for name, (config, epochs) in ways.items()
        },
        arguments.seeds,
    )


if __name__ == "__main__":
    main()
