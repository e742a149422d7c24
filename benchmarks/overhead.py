"""What the machinery itself costs: the wrapped loop against a bare one over the same batches.

memory: a bare DataLoader over the very batches of ids that the sifted loader gave out.
fresh: a bare loop that makes the same forward passes and trains on the same refined batches. What
it costs is about the same for every batch, so it is measured at a small and at a larger one.

Both loops run in turn, epoch by epoch, in one process: each sifted epoch stands between two bare
ones and is held against their mean, a step, in CPU time. The allocator keeps its pages, or the
kernel's clearing of fresh ones is most of what is measured.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from machine import hold_pages, interval, spread, write_result
from tasks import BATCH_SIZE, TASKS, Task, per_sample_loss
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit import SiftConfig, SiftingDataloader

ROWS = 3072
"""Of an epoch: what an epoch's beginning and end cost is spread over 48 steps, not over 12."""
KEEP = 0.5
WARM_EPOCHS = 2


class Trainer:
    """A model in training.

    Args:
        task: what is trained.
    """

    def __init__(self, task: Task) -> None:
        torch.manual_seed(0)
        self.model: nn.Module = task.model()
        self._optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3)

    def losses(self, batch: list[Tensor]) -> Tensor:
        """Return one loss a sample."""
        return per_sample_loss(self.model, batch[:2])

    def step(self, loss: Tensor) -> None:
        """Make one training step."""
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call] # torch's own gap
        self._optimizer.step()


class Sifted:
    """A sifted loop, one epoch at a time; remembers the rows of the batches it was given.

    Args:
        task: what is trained.
        scores: where they come from.
        loader: over rows that tell their number.
        epochs: epochs to come.
    """

    def __init__(self, task: Task, scores: str, loader: DataLoader[Any], epochs: int) -> None:
        self._trainer = Trainer(task)
        self._loader = SiftingDataloader(
            sift_config=SiftConfig(keep=KEEP, scores=scores, gate="off"),  # type: ignore[arg-type] # either word
            orig_dataloader=loader,
            loss_impl=lambda model, batch: per_sample_loss(model, batch[:2]),
            model=self._trainer.model,
            epochs=epochs,
            listener=lambda _: None,
        )
        self.rows: list[list[int]] = []

    def epoch(self) -> None:
        """Make one epoch."""
        numbers = []
        for batch in self._loader:
            self._trainer.step(self._loader.reduce(self._trainer.losses(batch)))
            numbers.append(batch[2])
        self.rows = [each.tolist() for each in numbers]


def memory_epoch(trainer: Trainer, loader: DataLoader[Any], rows: list[list[int]]) -> None:
    """Train on the same batches of ids without any sifting."""
    for batch in DataLoader(loader.dataset, batch_sampler=rows):
        trainer.step(trainer.losses(batch).mean())


def fresh_epoch(trainer: Trainer, loader: DataLoader[Any], rows: list[list[int]]) -> None:
    """Make the same forward passes and train on the same batches, without choosing anything."""
    assert isinstance(loader.dataset, TensorDataset)
    places = iter([torch.tensor(each) for each in rows])
    for index, batch in enumerate(loader):
        trainer.model.eval()
        with torch.no_grad():
            trainer.losses(batch)
        trainer.model.train()
        before, now = (len(rows) * count // len(loader) for count in (index, index + 1))
        for _ in range(now - before):
            place = next(places)
            refined = [tensor[place] for tensor in loader.dataset.tensors]
            trainer.step(trainer.losses(refined).mean())


PAIRS = (
    ("memory", memory_epoch, BATCH_SIZE),
    ("fresh", fresh_epoch, BATCH_SIZE),
    ("fresh", fresh_epoch, 4 * BATCH_SIZE),
)


def numbered(loader: DataLoader[Any]) -> DataLoader[Any]:
    """Return the same loader over data that also tells each row's number."""
    dataset = loader.dataset
    assert isinstance(dataset, TensorDataset)
    rows = TensorDataset(*dataset.tensors, torch.arange(len(dataset)))
    return DataLoader(rows, batch_size=loader.batch_size, shuffle=True)


def seconds(work: Callable[[], None]) -> float:
    """Return the CPU time that *work* takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def forward_seconds(task: Task, loader: DataLoader[Any]) -> float:
    """Return the CPU time of the forward passes alone of one epoch."""
    model = task.model().eval()
    batches = [batch[:2] for batch in loader]

    def passes() -> None:
        with torch.no_grad():
            for batch in batches:
                per_sample_loss(model, batch)

    passes()
    return min(seconds(passes) for _ in range(5))


def measure(task: Task, scores: str, bare: Any, batch_size: int, epochs: int) -> dict[str, object]:
    """Return one row of the result."""
    torch.manual_seed(1)
    loader = numbered(task.loader(batch_size, ROWS))
    sifted, trainer = Sifted(task, scores, loader, epochs + WARM_EPOCHS), Trainer(task)
    for _ in range(WARM_EPOCHS):
        sifted.epoch()
        bare(trainer, loader, sifted.rows)
    ours, theirs, ratios = [], [], []
    before = seconds(lambda: bare(trainer, loader, sifted.rows)) / len(sifted.rows)
    for _ in range(epochs):
        ours.append(seconds(sifted.epoch) / len(sifted.rows))
        after = seconds(lambda: bare(trainer, loader, sifted.rows)) / len(sifted.rows)
        theirs.append(after)
        ratios.append(2 * ours[-1] / (before + after))
        before = after
    per_step = spread(ours)["median"] - spread(theirs)["median"]
    row = {
        "task": task.name,
        "scores": scores,
        "batch_size": batch_size,
        "bare_ms_per_step": round(spread(theirs)["median"] * 1000, 2),
        "wrapped_to_bare": interval(ratios),
    }
    if scores == "fresh":
        forward = forward_seconds(task, loader) / len(loader)
        a_batch = per_step * len(sifted.rows) / len(loader)
        row["forward_ms_per_batch"] = round(forward * 1000, 2)
        row["machinery_ms_per_batch"] = round(a_batch * 1000, 3)
        row["machinery_to_forward"] = round(a_batch / forward, 4)
    return row


def main() -> None:
    """Measure both pairs on every task, print them, and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    hold_pages()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    rows = []
    for task in TASKS:
        for pair in PAIRS:
            row = measure(task, *pair, options.epochs)
            print(row, flush=True)
            rows.append(row)
    print(write_result("overhead", rows))


if __name__ == "__main__":
    main()
