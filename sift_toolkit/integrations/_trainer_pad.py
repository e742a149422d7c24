"""Brings batches that a collator padded to different lengths to one length again."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from torch import Tensor
from torch.nn import functional

_LABELS_FILL: Final = -100
"""What Hugging Face's collators and losses take for no target."""


@dataclasses.dataclass(frozen=True)
class PadByName:
    """Pads each tensor of a batch with what its name stands for, in dimension 1."""

    fills: Mapping[str, float]
    """By the name of a batch's tensor; 0 for all others, as in masks."""
    on_the_left: bool = False

    def at(self, place: str) -> Callable[[Sequence[Tensor]], Sequence[Tensor]]:
        """Return the pad of the tensor at a place of the batch, such as ``batch['labels']``."""
        fill = next((value for name, value in self.fills.items() if repr(name) in place), 0.0)
        return functools.partial(self._longest, fill=fill)

    def __call__(self, tensors: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return tensors of one place, filled up with zeros."""
        return self._longest(tensors, fill=0.0)

    def _longest(self, tensors: Sequence[Tensor], fill: float) -> list[Tensor]:
        length = max(tensor.shape[1] for tensor in tensors)
        return [functional.pad(each, self._sides(each, length), value=fill) for each in tensors]

    def _sides(self, tensor: Tensor, length: int) -> list[int]:
        missing = length - tensor.shape[1]
        sides = [missing, 0] if self.on_the_left else [0, missing]
        return [0, 0] * (tensor.ndim - 2) + sides


def pad_of(tokenizer: object) -> PadByName:
    """Return the pad that a tokenizer's collator would have used.

    Args:
        tokenizer: the trainer's, or any object; None: none.
    """
    token = getattr(tokenizer, "pad_token_id", None)
    fills = {"input_ids": float(token or 0), "labels": float(_LABELS_FILL)}
    return PadByName(fills, on_the_left=getattr(tokenizer, "padding_side", "right") == "left")
