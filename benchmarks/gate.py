"""Where sifting cannot pay: what a gate spares, against a run that never sifted.

A frozen trunk makes its forward pass without gradients and only a small head trains, so that a
scored batch costs nearly what a trained one does: fresh scores then take half as long again as
they save at half of the samples kept.

The runs train in turn, epoch by epoch, in one process; each epoch of a gated run is held against
the mean of the plain ones before and after it, in CPU time. The gate goes by the clock on the wall.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch
from machine import hold_pages, interval, spread, write_result
from tasks import BATCH_SIZE, per_sample_loss
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit import SiftConfig, SiftingDataloader

KEEP = 0.5
CLASSES = 10
GATES = ("on", "off")


class FrozenTrunk(nn.Module):
    """A convolutional net of which nothing trains but the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 48, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
        ).requires_grad_(requires_grad=False)
        self.head = nn.Linear(768, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, shape (batch, 10)."""
        with torch.no_grad():
            features = self.trunk(images)
        logits: Tensor = self.head(features)
        return logits


class Training:
    """A run, one epoch at a time.

    Args:
        rows: what it trains on.
        epochs: epochs to come.
        config: besides what all runs have in common.
    """

    def __init__(self, rows: TensorDataset, epochs: int, **config: Any) -> None:
        torch.manual_seed(0)
        self._model = FrozenTrunk()
        self._optimizer = torch.optim.AdamW(self._model.head.parameters(), lr=1e-3)
        self.notes: list[str] = []
        self.loader = SiftingDataloader(
            sift_config=SiftConfig(keep=KEEP, law="percentile", scores="fresh", **config),
            orig_dataloader=DataLoader(rows, batch_size=BATCH_SIZE, shuffle=True),
            loss_impl=per_sample_loss,
            model=self._model,
            epochs=epochs,
            on_note=self.notes.append,
        )

    def epoch(self) -> float:
        """Make one epoch; return the CPU time it took."""
        start = time.process_time()
        for batch in self.loader:
            loss = self.loader.reduce(per_sample_loss(self._model, batch))
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call] # torch's own gap
            self._optimizer.step()
        return time.process_time() - start


def measure(epochs: int, rows: int) -> list[dict[str, object]]:
    """Return the rows of the result, one for each setting of the gate."""
    torch.manual_seed(1)
    data = TensorDataset(torch.randn(rows, 1, 28, 28), torch.randint(CLASSES, (rows,)))
    # What the process itself warms up is not any run's.
    Training(data, 1, enabled=False).epoch()
    plain = Training(data, epochs + 1, enabled=False)
    gated = {gate: Training(data, epochs, gate=gate) for gate in GATES}
    ratios: dict[str, list[float]] = {gate: [] for gate in GATES}
    unsifted = [plain.epoch()]
    for _ in range(epochs):
        taken = {gate: training.epoch() for gate, training in gated.items()}
        unsifted.append(plain.epoch())
        for gate, seconds in taken.items():
            ratios[gate].append(2 * seconds / (unsifted[-2] + unsifted[-1]))
    return [
        {
            "gate": gate,
            "batch_size": BATCH_SIZE,
            "plain_ms_per_step": round(spread(unsifted)["median"] / len(plain.loader) * 1000, 2),
            "first_epoch_to_plain": round(first, 4),
            "later_epochs_to_plain": interval(later),
            "said": gated[gate].notes[-1],
        }
        for gate, (first, *later) in ratios.items()
    ]


def main() -> None:
    """Measure, print and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--rows", type=int, default=48 * BATCH_SIZE)
    options = parser.parse_args()
    hold_pages()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    rows = measure(options.epochs, options.rows)
    for row in rows:
        print(row, flush=True)
    print(write_result("gate", rows))


if __name__ == "__main__":
    main()
