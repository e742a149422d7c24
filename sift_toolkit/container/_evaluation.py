"""Accuracy on held-out data."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from sift_toolkit.container._hooks import Hooks
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting import Batch, to_device


@torch.no_grad()
def accuracy(
    hooks: Hooks, model: nn.Module, test_data: Iterable[Batch], device: torch.device
) -> float:
    """Return the share of held-out samples the model gets right; it is left in evaluation mode.

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
    if total == 0:
        msg = "the hook test_data gave no samples, so there is no accuracy to measure"
        raise SiftUsageError(msg)
    return right / total


def _check(correct: object) -> None:
    if isinstance(correct, Tensor) and correct.ndim == 1 and correct.dtype == torch.bool:
        return
    got = type(correct).__name__
    if isinstance(correct, Tensor):
        got = f"{correct.dtype} of shape {tuple(correct.shape)}"
    msg = f"the hook correct must return one bool a sample, shape (batch,), got {got}"
    raise SiftUsageError(msg)
