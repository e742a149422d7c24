"""Samples in tensors."""

from __future__ import annotations

from torch import Tensor

from sift_toolkit.smart_sifting.data_model.data_model_interface import SiftingBatch

__all__ = ["TensorBatch"]


class TensorBatch(SiftingBatch):
    """Tensors whose dimension 0 holds the samples.

    Args:
        inputs: shape (rows, ...).
        labels: shape (rows, ...); None: there are none.
    """

    inputs: Tensor
    labels: Tensor | None

    def __init__(self, inputs: Tensor, labels: Tensor | None = None) -> None:
        super().__init__(inputs, labels)
