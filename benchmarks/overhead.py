"""What the machinery itself costs: the wrapped loop against a bare one over the same batches.

memory: a bare DataLoader over the very batches of ids that the sifted loader gave out.
fresh: a bare loop that makes the same forward passes and trains on the same refined batches. What
it costs is about the same for every batch, so it is measured at a small and at a larger one.
Both pairs run in turn in one process; a ratio is taken within each pair.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch
from machine import spread, write_result
from tasks import BATCH_SIZE, TASKS, Task, per_sample_loss
from torch import Tensor
from torch.optim import Optimizer
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit import SiftConfig, SiftingDataloader

EPOCHS = 4
KEEP = 0.5


def step(optimizer: Optimizer, loss: Tensor) -> None:
    """Make one training step."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call] # torch's own gap
    optimizer.step()


def numbered(loader: DataLoader[Any]) -> DataLoader[Any]:
    """Return the same loader over data that also tells each row's number."""
    dataset = loader.dataset
    assert isinstance(dataset, TensorDataset)
    rows = TensorDataset(*dataset.tensors, torch.arange(len(dataset)))
    return DataLoader(rows, batch_size=loader.batch_size, shuffle=True)


def wrapped(
    task: Task, scores: str, loader: DataLoader[Any], seed: int
) -> tuple[float, list[list[int]]]:
    """Train through the sifted loader; return seconds and the rows of each batch."""
    torch.manual_seed(seed)
    model = task.model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    observations: list[object] = []
    sifted = SiftingDataloader(
        sift_config=SiftConfig(keep=KEEP, scores=scores, gate="off"),  # type: ignore[arg-type] # either word
        orig_dataloader=loader,
        loss_impl=lambda model, batch: per_sample_loss(model, batch[:2]),
        model=model,
        epochs=EPOCHS,
        listener=observations.append,
    )
    rows = []
    start = time.perf_counter()
    for _ in range(EPOCHS):
        for batch in sifted:
            step(optimizer, sifted.reduce(per_sample_loss(model, batch[:2])))
            rows.append(batch[2])
    seconds = time.perf_counter() - start
    return seconds, [each.tolist() for each in rows]


def bare_memory(task: Task, loader: DataLoader[Any], rows: list[list[int]], seed: int) -> float:
    """Train on the same batches of ids without any sifting."""
    torch.manual_seed(seed)
    model = task.model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    chosen = DataLoader(loader.dataset, batch_sampler=rows)
    start = time.perf_counter()
    for batch in chosen:
        step(optimizer, per_sample_loss(model, batch[:2]).mean())
    return time.perf_counter() - start


def bare_fresh(task: Task, loader: DataLoader[Any], rows: list[list[int]], seed: int) -> float:
    """Make the same forward passes and train on the same batches, without choosing anything."""
    torch.manual_seed(seed)
    model = task.model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    assert isinstance(loader.dataset, TensorDataset)
    tensors = loader.dataset.tensors[:2]
    places = [torch.tensor(each) for each in rows]
    given = 0
    start = time.perf_counter()
    for epoch in range(1, EPOCHS + 1):
        for index, batch in enumerate(loader, start=1):
            model.eval()
            with torch.inference_mode():
                per_sample_loss(model, batch[:2])
            model.train()
            due = (epoch - 1 + index / len(loader)) * len(places) / EPOCHS
            while given < min(int(due + 1e-9), len(places)):
                refined = [tensor[places[given]] for tensor in tensors]
                step(optimizer, per_sample_loss(model, refined).mean())
                given += 1
    return time.perf_counter() - start


PAIRS = (
    ("memory", bare_memory, BATCH_SIZE),
    ("fresh", bare_fresh, BATCH_SIZE),
    ("fresh", bare_fresh, 4 * BATCH_SIZE),
)


def main() -> None:
    """Measure both pairs on every task, print them, and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for task in TASKS:
        for scores, bare, batch_size in PAIRS:
            ratios, steps = [], []
            for repeat in range(options.repeats):
                loader = numbered(task.loader(batch_size))
                seconds, batches = wrapped(task, scores, loader, repeat)
                other = bare(task, loader, batches, repeat)
                ratios.append(seconds / other)
                steps.append(other / len(batches))
            row = {
                "task": task.name,
                "scores": scores,
                "batch_size": batch_size,
                "bare_ms_per_step": round(spread(steps)["median"] * 1000, 2),
                "wrapped_to_bare": spread(ratios),
            }
            print(row, flush=True)
            rows.append(row)
    print(write_result("overhead", rows))


if __name__ == "__main__":
    main()
