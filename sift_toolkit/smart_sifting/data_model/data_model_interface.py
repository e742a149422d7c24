"""What a batch is turned into to be sifted, and by whom."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from sift_toolkit.smart_sifting._exceptions import UnsupportedDataFormatException

__all__ = ["SiftingBatch", "SiftingBatchTransform", "UnsupportedDataFormatException"]


class SiftingBatch:
    """Inputs and labels, one entry a sample: a `ListBatch` or a `TensorBatch`.

    Args:
        inputs: one entry a sample.
        labels: as many; None: there are none.
    """

    def __init__(self, inputs: Any, labels: Any = None) -> None:
        self.inputs = inputs
        self.labels = labels


class SiftingBatchTransform(ABC):
    """Turns the batches of your loader into a form that can be sifted, and back.

    Neither is called with, nor has to return, what it did not come from: a part of the batch that
    `transform` leaves out is not in what `reverse_transform` gives.
    """

    @abstractmethod
    def transform(self, batch: Any) -> SiftingBatch:
        """Return a batch of your loader as inputs and labels, one entry a sample."""

    @abstractmethod
    def reverse_transform(self, sifting_batch: Any) -> Any:
        """Return inputs and labels, of samples of several batches, as a batch of your loader."""
