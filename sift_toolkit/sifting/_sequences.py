"""Losses of sequences: one number for each, whatever its length."""

from __future__ import annotations

import torch
from torch import Tensor

from sift_toolkit.errors import SiftLossError


def sequence_loss(logits: Tensor, labels: Tensor, *, ignore_index: int = -100) -> Tensor:
    """Return the mean cross-entropy over each sequence's own targets: a language model's loss.

    The mean over tokens, not their sum, so that long sequences are not taken for hard ones; over
    each sequence alone, not over the batch. For a causal model shift first:
    ``sequence_loss(logits[:, :-1], labels[:, 1:])``.

    Args:
        logits: shape (batch, length, words), not normalised.
        labels: shape (batch, length), int64, the index of the right word.
        ignore_index: label of the places that are no target, such as padding.

    Returns:
        Shape (batch,), float32 at least, with its gradient; 0 where a sequence has no target.

    Raises:
        SiftLossError: the shapes do not belong together.
    """
    if logits.ndim != 3 or logits.shape[:2] != labels.shape:
        msg = (
            "sequence_loss() needs logits of shape (batch, length, words) and labels of shape "
            f"(batch, length), got {tuple(logits.shape)} and {tuple(labels.shape)}"
        )
        raise SiftLossError(msg)
    if logits.dtype in {torch.float16, torch.bfloat16}:
        logits = logits.float()
    tokens = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=ignore_index, reduction="none"
    ).view(labels.shape)
    targets = (labels != ignore_index).sum(1)
    return tokens.sum(1) / targets.clamp_min(1)
