"""Accuracy on held-out data, shared out over the processes of a job."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn

from sift_toolkit.container._hooks import Hooks
from sift_toolkit.container._random_state import random_state, seed_all, set_random_state
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting import Batch, to_device

Sums = Callable[[Sequence[int]], Sequence[int]]
"""Returns the sum of each number over all processes."""


@torch.no_grad()
def accuracy(
    hooks: Hooks,
    model: nn.Module,
    test_data: Iterable[Batch],
    device: torch.device,
    sums: Sums = lambda own: own,
) -> float:
    """Return the share of held-out samples the model gets right; it is left in evaluation mode.

    Args:
        hooks: of the job.
        model: itself, not what averages its gradients: processes may have different numbers of
            batches.
        test_data: the batches that fall to this process.
        device: of the model.
        sums: adds up over all processes, so that the share is exactly that of one; default: there
            is one.

    Raises:
        SiftUsageError: there are none, or `correct` does not return one bool a sample.
    """
    model.eval()
    right = total = 0
    for batch in test_data:
        correct = hooks.correct(model, to_device(batch, device))
        _check(correct)
        right += int(correct.sum())
        total += correct.numel()
    right, total = sums([right, total])
    if total == 0:
        msg = "the hook test_data gave no samples, so there is no accuracy to measure"
        raise SiftUsageError(msg)
    return right / total


@contextlib.contextmanager
def drawn_alike(seed: int) -> Iterator[None]:
    """Draw the same random numbers on all processes in here, and go on as before after it.

    What shuffles held-out data must do so alike, or a batch would fall to none, or to two.
    """
    before = random_state()
    seed_all(seed)
    try:
        yield
    finally:
        set_random_state(before)


def _check(correct: object) -> None:
    if isinstance(correct, Tensor) and correct.ndim == 1 and correct.dtype == torch.bool:
        return
    got = type(correct).__name__
    if isinstance(correct, Tensor):
        got = f"{correct.dtype} of shape {tuple(correct.shape)}"
    msg = f"the hook correct must return one bool a sample, shape (batch,), got {got}"
    raise SiftUsageError(msg)
