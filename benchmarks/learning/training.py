"""One training of one arm, and what came of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from feeds import Feed, Rows, Setting, per_sample_loss
from learning_tasks import Task
from torch import Tensor, nn

_WARM_UP = 0.05
_TESTED_AT_ONCE = 1000

MakeFeed = Callable[[Setting], Feed]


class Outcome(NamedTuple):
    """What one training came to."""

    steps: int
    trained: float
    """Rows trained on, of those that full plain training takes."""
    scored: float
    """Rows that had a forward pass of their own, of the same."""
    cost: float
    """Training passes made, of full plain training's; a forward pass counts a third."""
    accuracy: float
    """Percent of the test rows."""
    balanced: float
    """Percent, the mean over the classes."""
    worst: float
    """Percent of the class that is recognised worst."""
    seconds: float
    """CPU time of the training, its evaluation left out."""


def rate_at(progress: float) -> float:
    """Return the learning rate, of its peak: up in a line, and down to 0 as a cosine."""
    if progress < _WARM_UP:
        return max(progress / _WARM_UP, 0.01)
    return 0.5 * (1 + math.cos(math.pi * (progress - _WARM_UP) / (1 - _WARM_UP)))


def train(task: Task, make_feed: MakeFeed, rate: float, seed: int) -> Outcome:
    """Train a new model; the learning rate comes down to 0 at the arm's own end.

    Args:
        task: what to train.
        make_feed: the arm.
        rate: the peak learning rate.
        seed: of the weights, the order of the data and the choice.
    """
    data = task.load()
    torch.manual_seed(seed)
    model = task.model(data.classes)
    rows = Rows(*data.train.tensors)
    feed = make_feed(Setting(model, rows, task.batch_size, task.epochs, seed))
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=task.weight_decay)
    model.train()
    start, steps, trained = time.process_time(), 0, 0
    for batch, progress, rate_factor in feed.batches():
        for group in optimizer.param_groups:
            group["lr"] = rate * rate_at(progress) * rate_factor
        losses = per_sample_loss(model, batch)
        loss = feed.reduce(losses)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call] # torch's own gap
        optimizer.step()
        steps += 1
        trained += losses.numel()
    seconds = time.process_time() - start
    full = task.epochs * (len(rows) // task.batch_size * task.batch_size)
    recalls, accuracy = evaluate(model, data.test.tensors, data.classes)
    return Outcome(
        steps=steps,
        trained=trained / full,
        scored=feed.scored / full,
        cost=(trained + feed.scored / 3) / full,
        accuracy=accuracy,
        balanced=float(recalls.mean()),
        worst=float(recalls.min()),
        seconds=seconds,
    )


def evaluate(model: nn.Module, test: tuple[Tensor, ...], classes: int) -> tuple[Tensor, float]:
    """Return (recall of each class that occurs, shape (classes,); accuracy), in percent."""
    inputs, labels = test
    model.eval()
    with torch.no_grad():
        found = torch.cat([model(part).argmax(dim=1) for part in inputs.split(_TESTED_AT_ONCE)])
    right = (found == labels).to(torch.float64)
    totals = torch.bincount(labels, minlength=classes)
    hits = torch.bincount(labels, weights=right, minlength=classes)
    occurs = totals > 0
    return 100 * hits[occurs] / totals[occurs], 100 * float(right.mean())
