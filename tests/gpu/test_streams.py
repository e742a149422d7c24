"""Streams: scoring on another stream than the default one waits for what it needs."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sift_toolkit.sifting._scoring import Scorer


def test_scores_follow_work_that_is_still_queued(task: Any) -> None:
    """Weights that the stream is yet to change are scored as changed, and read when they are."""
    batch = next(iter(task.loader()))
    scorer = Scorer(task.loss, task.model)
    before = scorer.score(batch).losses
    task.wait()
    with task.other_stream():
        task.keep_busy()
        with torch.no_grad():
            for parameter in task.model.parameters():
                parameter.mul_(2)
        # On the CPU already, by the very stream that computed them.
        losses = scorer.score(batch).losses
    numbers = losses.tolist()
    task.wait()
    assert numbers == pytest.approx(scorer.score(batch).losses.tolist(), rel=1e-5)
    assert numbers != pytest.approx(before.tolist(), rel=1e-2)


def test_a_slow_loss_is_waited_for(task: Any) -> None:
    """What the loss queued last is in the scores."""

    def slow(model: nn.Module, batch: Any) -> Tensor:
        losses = torch.zeros(len(batch[0]), device=task.device)
        task.keep_busy()
        losses += task.loss(model, batch) + 7
        return losses

    batch = next(iter(task.loader()))
    expected = Scorer(task.loss, task.model).score(batch).losses + 7
    task.wait()
    with task.other_stream():
        numbers = Scorer(slow, task.model).score(batch).losses.tolist()
    assert numbers == pytest.approx(expected.tolist(), rel=1e-5)


def test_the_batch_may_be_written_to_after_its_scoring(task: Any) -> None:
    """Its copy to the device is over by then, from pinned memory and on a busy stream too."""
    batch = next(iter(task.loader(pin_memory=task.is_cuda)))
    scorer = Scorer(task.loss, task.model)
    expected = scorer.score(batch).losses
    task.wait()
    with task.other_stream():
        task.keep_busy()
        numbers = scorer.score(batch).losses
        batch[0].zero_()
        batch[1].zero_()
    assert numbers.tolist() == pytest.approx(expected.tolist(), rel=1e-5)


@pytest.mark.parametrize("correction", [0.0, 1.0])
@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_a_run_on_another_stream_is_that_of_the_default_one(
    make_task: Any, task: Any, scores: str, correction: float
) -> None:
    """The same rows in the same batches, and the same weights after them."""
    other = make_task(task.device)
    task.wait()
    loader = task.sifted(scores=scores, correction=correction)
    rows = [task.epoch(loader) for _ in range(2)]
    task.wait()
    other_loader = other.sifted(scores=scores, correction=correction)
    with other.other_stream():
        other.keep_busy()
        other_rows = [other.epoch(other_loader) for _ in range(2)]
        other.wait()
    assert other_rows == rows
    torch.testing.assert_close(other.weights(), task.weights())
