"""The loss that samples are judged by."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from sift_toolkit.smart_sifting._exceptions import LossImplementationNotProvidedException

__all__ = ["Loss", "LossImplementationNotProvidedException"]


class Loss:
    """What to override; an object of another class with such a method is as good."""

    def loss(
        self,
        model: nn.Module,  # noqa: ARG002 - for those who override it
        transformed_batch: Any,  # noqa: ARG002 - for those who override it
        original_batch: Any = None,  # noqa: ARG002 - for those who override it
    ) -> Tensor:
        """Return one loss a sample, shape (rows,).

        Args:
            model: in evaluation mode, without gradients.
            transformed_batch: what your transform made of the batch; without one, the batch.
            original_batch: the batch as your loader gave it.

        Raises:
            LossImplementationNotProvidedException: this method was not overridden.
        """
        raise LossImplementationNotProvidedException(not_written(type(self)))


def not_written(kind: type) -> str:
    """Return what to say of a `Loss` without its method."""
    return (
        f"{kind.__name__} does not override Loss.loss(self, model, transformed_batch, "
        "original_batch=None), which returns one loss a sample"
    )
