"""What the machinery itself costs: the time outside of the model, in a sifted and in a bare loop.

memory: a bare DataLoader over the very batches of ids that the sifted loader gave out.
fresh: a bare loop that makes the same forward passes and trains on the same refined batches. What
it costs is about the same for every batch, so it is measured at small and at larger ones.

Both loops run in turn, epoch by epoch, in one process. In each the clock runs only where the model
does not: what the sifted loop takes there above the bare one is the machinery, and a model's own
noise, many times as large, is left out. The allocator keeps its pages, or the kernel's clearing of
fresh ones is most of what is measured.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import torch
from machine import hold_pages, interval, write_result
from tasks import BATCH_SIZE, TASKS, Task, per_sample_loss
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit import SiftConfig, SiftingDataloader

ROWS = 12288
"""Of an epoch: 384 batches of 32, so that what an epoch's ends cost is spread as in a real one."""
KEEP = 0.5
WARM_EPOCHS = 2
Result = TypeVar("Result")


class Clock:
    """Adds up the CPU time of what it is asked to do."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def time(self, work: Callable[[], Result]) -> Result:
        """Do *work* and count its time."""
        start = time.process_time()
        try:
            return work()
        finally:
            self.seconds += time.process_time() - start

    def iterate(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Yield *batches* and count the time that it takes to come by them."""
        iterator = self.time(lambda: iter(batches))
        while (batch := self.time(lambda: next(iterator, None))) is not None:
            yield batch


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
        self._forward = Clock()
        self._loader = SiftingDataloader(
            sift_config=SiftConfig(keep=KEEP, scores=scores, gate="off"),  # type: ignore[arg-type] # either word
            orig_dataloader=loader,
            loss_impl=lambda model, batch: self._forward.time(
                lambda: per_sample_loss(model, batch[:2])
            ),
            model=self._trainer.model,
            epochs=epochs,
            listener=lambda _: None,
        )
        self.rows: list[list[int]] = []

    def epoch(self) -> float:
        """Make one epoch; return the seconds outside of the model."""
        numbers = []
        outside, forward_before = Clock(), self._forward.seconds
        for batch in outside.iterate(self._loader):
            losses = self._trainer.losses(batch)
            self._trainer.step(outside.time(lambda losses=losses: self._loader.reduce(losses)))
            numbers.append(batch[2])
        self.rows = [each.tolist() for each in numbers]
        return outside.seconds - (self._forward.seconds - forward_before)


def memory_epoch(trainer: Trainer, loader: DataLoader[Any], rows: list[list[int]]) -> float:
    """Train on the same batches of ids, unsifted; return the seconds outside of the model."""
    outside = Clock()
    for batch in outside.iterate(DataLoader(loader.dataset, batch_sampler=rows)):
        trainer.step(outside.time(trainer.losses(batch).mean))
    return outside.seconds


def fresh_epoch(trainer: Trainer, loader: DataLoader[Any], rows: list[list[int]]) -> float:
    """Make the same forward passes and train on the same batches, without choosing anything."""
    assert isinstance(loader.dataset, TensorDataset)
    tensors = loader.dataset.tensors
    places = iter([torch.tensor(each) for each in rows])
    outside = Clock()
    for index, batch in enumerate(outside.iterate(loader)):
        outside.time(trainer.model.eval)
        with torch.no_grad():
            trainer.losses(batch)
        outside.time(trainer.model.train)
        before, now = (len(rows) * count // len(loader) for count in (index, index + 1))
        for _ in range(now - before):
            place = next(places)
            refined = outside.time(lambda place=place: [tensor[place] for tensor in tensors])
            trainer.step(outside.time(trainer.losses(refined).mean))
    return outside.seconds


PAIRS = (
    ("memory", memory_epoch, BATCH_SIZE),
    ("fresh", fresh_epoch, BATCH_SIZE),
    ("fresh", fresh_epoch, 4 * BATCH_SIZE),
    ("fresh", fresh_epoch, 16 * BATCH_SIZE),
)


def numbered(loader: DataLoader[Any]) -> DataLoader[Any]:
    """Return the same loader over data that also tells each row's number."""
    dataset = loader.dataset
    assert isinstance(dataset, TensorDataset)
    rows = TensorDataset(*dataset.tensors, torch.arange(len(dataset)))
    return DataLoader(rows, batch_size=loader.batch_size, shuffle=True)


def model_seconds(task: Task, loader: DataLoader[Any], scores: str) -> float:
    """Return the CPU time of the model's part: a training step, or a scoring forward pass."""
    trainer = Trainer(task)
    batches = [batch for batch, _ in zip(loader, range(48), strict=False)]
    taken = []
    for batch in batches:
        clock = Clock()
        if scores == "memory":
            clock.time(lambda batch=batch: trainer.step(trainer.losses(batch).mean()))
        else:
            with torch.no_grad():
                clock.time(lambda batch=batch: trainer.losses(batch))
        taken.append(clock.seconds)
    return statistics.median(taken)


def measure(task: Task, scores: str, bare: Any, batch_size: int, epochs: int) -> dict[str, object]:
    """Return one row of the result."""
    torch.manual_seed(1)
    loader = numbered(task.loader(batch_size, ROWS))
    sifted, trainer = Sifted(task, scores, loader, epochs + WARM_EPOCHS), Trainer(task)
    extra = []
    for epoch in range(WARM_EPOCHS + epochs):
        ours = sifted.epoch()
        theirs = bare(trainer, loader, sifted.rows)
        if epoch >= WARM_EPOCHS:
            extra.append(
                (ours - theirs) / (len(sifted.rows) if scores == "memory" else len(loader))
            )
    model = model_seconds(task, loader, scores)
    return {
        "task": task.name,
        "scores": scores,
        "batch_size": batch_size,
        "model_ms": round(model * 1000, 2),
        "machinery_ms": interval([1000 * each for each in extra]),
        "machinery_to_model": interval([each / model for each in extra]),
    }


def main() -> None:
    """Measure both pairs on every task, print them, and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
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
