"""Samples in lists."""

from __future__ import annotations

from typing import Any

from sift_toolkit.smart_sifting.data_model.data_model_interface import SiftingBatch

__all__ = ["ListBatch"]


class ListBatch(SiftingBatch):
    """Lists with one entry a sample: tensors, numbers, or lists as deep as you like.

    Args:
        inputs: one entry a sample.
        labels: as many; None: there are none.
    """

    inputs: list[Any]
    labels: list[Any] | None

    def __init__(self, inputs: list[Any], labels: list[Any] | None = None) -> None:
        super().__init__(inputs, labels)
