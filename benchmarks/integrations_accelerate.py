"""Before and after in a loop with Hugging Face Accelerate: letters, plain and sifted.

Run by hand where Accelerate is installed; writes a result file. The last row is
the baseline that counts: all data, for the epochs that the sifted run's compute pays for, the
schedule decayed to that.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from accelerate import Accelerator
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
from torch.utils.data import DataLoader

from sift_toolkit import SiftConfig
from sift_toolkit.integrations.accelerate import sift


def train(config: SiftConfig | None, epochs: int, of_epochs: int, seed: int) -> Outcome:
    """Train once; without a config on all data. *of_epochs* are those a cost of 1 stands for."""
    torch.manual_seed(seed)
    accelerator = Accelerator(cpu=True)
    model = reader()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    plain = DataLoader(letters("train"), batch_size=BATCH_SIZE, shuffle=True)
    model, optimizer, loader = accelerator.prepare(model, optimizer, plain)
    total = epochs * len(loader)
    sifted: Any = None
    if config is not None:
        loader = sifted = sift(loader, model=model, loss=losses_of, epochs=epochs, config=config)
        total = sifted.total_steps()
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total)
    steps = 0
    for _ in range(epochs):
        for batch in loader:
            losses = losses_of(model, batch)
            accelerator.backward(losses.mean() if sifted is None else sifted.reduce(losses))
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            steps += 1
    cost = epochs / of_epochs
    if sifted is not None:
        cost = counted_cost(sifted)
    return Outcome(steps, cost, accuracy(accelerator.unwrap_model(model)))


def main() -> None:
    """Train by all ways."""
    arguments = options(__doc__)
    full = arguments.epochs
    memory = SiftConfig(keep=0.5)
    aws_scheme = SiftConfig(keep=0.5, law="percentile", scores="fresh")
    # The first epoch is trained on whole, half of each after it.
    paid = math.ceil(1 + 0.5 * (full - 1))
    ways: dict[str, tuple[SiftConfig | None, int]] = {
        "all data": (None, full),
        "sifted, losses of the training itself": (memory, full),
        "sifted, AWS's scheme: an extra forward pass": (aws_scheme, full),
        f"all data, as long as the second ({paid} epochs)": (None, paid),
    }
    write_table(
        "integrations_accelerate",
        {
            name: functools.partial(train, config, epochs, full)
            for name, (config, epochs) in ways.items()
        },
        arguments.seeds,
    )


if __name__ == "__main__":
    main()
