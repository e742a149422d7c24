"""Before and after of a script for AWS's smart_sifting: its own loop, plain and with its loader.

Run by hand; writes a result file. The last row is the baseline that counts: all
data, for the epochs that the sifted run's compute pays for, the schedule decayed to that.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from before_after import (
    BATCH_SIZE,
    RATE,
    Outcome,
    accuracy,
    counted_cost,
    letters,
    losses_of,
    options,
    reader,
    write_table,
)
from torch import Tensor, nn
from torch.utils.data import DataLoader

from sift_toolkit.smart_sifting.dataloader.sift_dataloader import SiftingDataloader
from sift_toolkit.smart_sifting.loss.abstract_sift_loss_module import Loss
from sift_toolkit.smart_sifting.sift_config.sift_configs import (
    LossConfig,
    RelativeProbabilisticSiftConfig,
    SiftingBaseConfig,
)


class LetterLoss(Loss):
    """One loss a letter."""

    def loss(
        self,
        model: nn.Module,
        transformed_batch: Any,
        original_batch: Any = None,  # noqa: ARG002 - as AWS calls it
    ) -> Tensor:
        """Return them."""
        return losses_of(model, transformed_batch)


def train(beta: float | None, epochs: int, of_epochs: int, seed: int) -> Outcome:
    """Train once; without *beta* on all data. *of_epochs* are those a cost of 1 stands for."""
    torch.manual_seed(seed)
    model = reader()
    loader: Any = DataLoader(letters("train"), batch_size=BATCH_SIZE, shuffle=True)
    total = epochs * len(loader)
    if beta is not None:
        config = RelativeProbabilisticSiftConfig(
            beta, 1000, LossConfig(SiftingBaseConfig(sift_delay=len(loader)))
        )
        loader = SiftingDataloader(config, loader, loss_impl=LetterLoss(), model=model)
        total = loader.total_steps(epochs)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total)
    steps = 0
    for _ in range(epochs):
        for batch in loader:
            optimizer.zero_grad()
            losses_of(model, batch).mean().backward()  # type: ignore[no-untyped-call] # torch's own gap
            optimizer.step()
            schedule.step()
            steps += 1
    cost = epochs / of_epochs
    if beta is not None:
        cost = counted_cost(loader)
    return Outcome(steps, cost, accuracy(model))


def main() -> None:
    """Train by all ways."""
    arguments = options(__doc__)
    full = arguments.epochs
    paid = round(full * (1 / 3 + 1 / 3))
    ways = {
        "all data": (None, full),
        "smart_sifting, beta_value=1": (1.0, full),
        "smart_sifting, beta_value=2": (2.0, full),
        f"all data, as long as beta_value=2 ({paid} epochs)": (None, paid),
    }
    write_table(
        "drop_in",
        {
            name: functools.partial(train, beta, epochs, full)
            for name, (beta, epochs) in ways.items()
        },
        arguments.seeds,
    )


if __name__ == "__main__":
    main()
