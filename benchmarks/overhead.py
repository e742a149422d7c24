"""What the machinery itself costs: the time outside of the model, in a sifted and in a bare loop.

memory: a bare DataLoader over the very batches of ids that the sifted loader gave out.
fresh: a bare loop that makes the same forward passes and trains on the same refined batches. What
it costs is about the same for every batch, so it is measured at small and at larger ones, and
with models of a size that people train.

Both loops run in turn, epoch by epoch, in one process. In each the clock runs only where the model
does not: what the sifted loop takes there above the bare one is the machinery, and a model's own
noise, many times as large, is left out. The allocator keeps its pages, or the kernel's clearing of
fresh ones is most of what is measured.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

import torch
from larger_tasks import RESNET, TRANSFORMER
from machine import hold_pages, interval, write_as_measured
from tasks import BATCH_SIZE, TASKS, Task, per_sample_loss
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit import SiftConfig, SiftingDataloader

ROWS = 12288
"""Of an epoch: 384 batches of 32, so that what an epoch's ends cost is spread as in a real one."""
SCORED_ROWS = 4096
"""Of an epoch of fresh scores, whose price a batch is many times as high."""
LARGER_BATCHES = 4
"""Of an epoch of a larger model."""
KEEP = 0.5
WARM_EPOCHS = {"memory": 2, "fresh": 1}
"""A memory's first epoch is on all data."""
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


BARE = {"memory": memory_epoch, "fresh": fresh_epoch}


class Case(NamedTuple):
    """One row of the result."""

    task: Task
    scores: str
    batch_size: int
    rows: int
    """Of an epoch."""


def cases() -> Iterator[Case]:
    """Yield what is measured, what takes longest last."""
    for task in TASKS:
        yield Case(task, "memory", BATCH_SIZE, ROWS)
        for batch_size in (BATCH_SIZE, 4 * BATCH_SIZE, 16 * BATCH_SIZE):
            yield Case(task, "fresh", batch_size, SCORED_ROWS)
    for task, batch_size in ((TRANSFORMER, 32), (RESNET, 128)):
        yield Case(task, "fresh", batch_size, LARGER_BATCHES * batch_size)


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


def measure(case: Case, epochs: int) -> dict[str, object]:
    """Return one row of the result."""
    task, scores, batch_size, rows = case
    warm = WARM_EPOCHS[scores]
    torch.manual_seed(1)
    loader = numbered(task.loader(batch_size, rows))
    sifted, trainer = Sifted(task, scores, loader, warm + epochs), Trainer(task)
    extra = []
    for epoch in range(warm + epochs):
        ours = sifted.epoch()
        theirs = BARE[scores](trainer, loader, sifted.rows)
        if epoch >= warm:
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
    """Measure every case, print it, and write the result file: what there is, if interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5, help="that count; more narrow the ranges")
    options = parser.parse_args()
    hold_pages()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    write_as_measured("overhead", (measure(case, options.epochs) for case in cases()))


if __name__ == "__main__":
    main()
