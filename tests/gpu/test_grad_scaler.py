"""GradScaler: a scaled loop with scoring learns as without a scaler, and losses stay unscaled."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.amp import GradScaler

SCALE = 2.0**10


def half_precision(task: Any) -> Any:
    """Return the autocast that is usual on the task's device."""
    return torch.autocast(task.device.type, torch.float16 if task.is_cuda else torch.bfloat16)


def train(task: Any, loader: Any, scaler: GradScaler, *, overflows: bool = False) -> list[int]:
    """Train on an epoch under autocast; return the numbers of its rows.

    Args:
        task: what is learnt.
        loader: sifts, under the autocast.
        scaler: scales the losses.
        overflows: whether the gradients of the first batch are infinite.
    """
    numbers: list[int] = []
    iterator = iter(loader)
    while True:
        with half_precision(task):
            batch = next(iterator, None)
            if batch is None:
                return numbers
            mean = loader.reduce(task.loss(task.model, task.moved(batch)), batch)
        task.optimizer.zero_grad()
        scaled = scaler.scale(mean)
        (scaled * torch.inf if overflows and not numbers else scaled).backward()
        assert all(each.grad is not None for each in task.model.parameters())
        scaler.step(task.optimizer)
        scaler.update()
        numbers += batch[2].tolist()


def mean_loss(task: Any) -> float:
    """Return the model's mean loss over all rows."""
    with torch.no_grad():
        losses = task.loss(task.model, task.moved(task.rows(44)[:]))
        return float(losses.mean())


@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_a_scaled_run_learns_what_an_unscaled_one_does(
    make_task: Any, task: Any, scores: str
) -> None:
    """What is left of the loss agrees within half precision; no step was left out."""
    other = make_task(task.device)
    before = mean_loss(task)
    loader, other_loader = task.sifted(scores=scores), other.sifted(scores=scores)
    scaler = GradScaler(task.device.type, init_scale=SCALE)
    for _ in range(2):
        train(task, loader, scaler)
        train(other, other_loader, GradScaler(task.device.type, enabled=False))
    assert scaler.get_scale() == SCALE
    assert mean_loss(task) == pytest.approx(mean_loss(other), rel=0.05)
    assert mean_loss(task) < 0.99 * before


def test_the_memory_learns_unscaled_losses(task: Any) -> None:
    """`reduce` comes before the scaling: scores do not jump when the scale does."""
    loader = task.sifted(scores="memory")
    train(task, loader, GradScaler(task.device.type, init_scale=SCALE))
    losses = loader.state_dict()["engine"]["memory"]["losses"]
    assert bool(losses.isfinite().all())
    assert losses.max() < 10


@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_a_skipped_step_costs_no_batch(task: Any, scores: str) -> None:
    """Where gradients overflow the scaler leaves the step out; the loader goes on as it said."""
    loader = task.sifted(scores=scores)
    scaler = GradScaler(task.device.type, init_scale=SCALE)
    due = len(loader)
    rows = train(task, loader, scaler, overflows=True)
    assert scaler.get_scale() == SCALE / 2
    assert due == -(-len(rows) // 8)
    assert bool(task.weights().isfinite().all())
    assert loader.state_dict()["meter"]["nonfinite"] == 0
