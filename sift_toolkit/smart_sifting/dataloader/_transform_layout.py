"""Batches of any type at all, sifted by way of the user's transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from sift_toolkit.sifting import Batch, Layout
from sift_toolkit.smart_sifting._exceptions import UnsupportedDataFormatException
from sift_toolkit.smart_sifting.data_model.data_model_interface import (
    SiftingBatch,
    SiftingBatchTransform,
)
from sift_toolkit.smart_sifting.data_model.list_batch import ListBatch
from sift_toolkit.smart_sifting.data_model.tensor_batch import TensorBatch

_INPUTS = "inputs"
_LABELS = "labels"


class Scored(NamedTuple):
    """What a loss is given to see."""

    transformed: SiftingBatch
    original: Batch
    """The batch as the user's loader gave it."""


class TransformLayout(Layout):
    """Finds the samples in what the transforms return; gives refined batches in the user's form.

    Args:
        transforms: each is given what the one before it returned; the way back is the other way
            round.
    """

    def __init__(self, transforms: Sequence[SiftingBatchTransform]) -> None:
        super().__init__()
        self._transforms = transforms
        self._original: Batch = None
        self._is_tensors = False

    def rows_first(self, batch: Batch) -> Batch:
        """Return a batch of the user's, transformed, in a form whose rows can be taken.

        Raises:
            UnsupportedDataFormatException: a transform returned no inputs, one a sample.
        """
        self._original = batch
        for transform in self._transforms:
            batch = transform.transform(batch)
        _check(batch)
        self._is_tensors = isinstance(batch.inputs, Tensor)
        if self._is_tensors:
            return {
                name: tensor
                for name, tensor in ((_INPUTS, batch.inputs), (_LABELS, batch.labels))
                if tensor is not None
            }
        labels = () if batch.labels is None else (batch.labels,)
        return self.of_samples(list(zip(batch.inputs, *labels, strict=True)), [])

    def as_given(self, transform: Callable[[Batch], Batch] | None) -> Callable[[Batch], Batch]:
        """Return what makes of rows what a loss is given: they are those of the batch before."""
        assert transform is None, "AWS's loader has no other transform"
        return lambda rows: Scored(self._sifting_batch(rows), self._original)

    def back(self, batch: Batch) -> Batch:
        """Return rows in the user's form."""
        whole: Any = self._sifting_batch(batch)
        for transform in reversed(self._transforms):
            whole = transform.reverse_transform(whole)
        return whole

    def _sifting_batch(self, rows: Batch) -> SiftingBatch:
        if isinstance(rows, dict):
            return TensorBatch(rows[_INPUTS], rows.get(_LABELS))
        columns = [list(column) for column in zip(*self.samples_of(rows) or [], strict=True)]
        return ListBatch(*columns) if columns else ListBatch([], [])


def _check(batch: Any) -> None:
    if not hasattr(batch, _INPUTS) or not hasattr(batch, _LABELS):
        msg = (
            f"transform() must return a ListBatch or a TensorBatch, got {type(batch).__name__}: "
            "ListBatch(inputs=[one entry a sample], labels=[as many])"
        )
        raise UnsupportedDataFormatException(msg)
    inputs, labels = batch.inputs, batch.labels
    kinds = {_kind(each) for each in (inputs, labels) if each is not None}
    if kinds not in ({"list"}, {"tensor"}):
        msg = (
            "transform() must return inputs and labels that are both lists or both tensors, got "
            f"{type(inputs).__name__} and {type(labels).__name__}"
        )
        raise UnsupportedDataFormatException(msg)
    if labels is not None and len(inputs) != len(labels):
        msg = f"transform() returned {len(inputs)} inputs and {len(labels)} labels"
        raise UnsupportedDataFormatException(msg)


def _kind(values: object) -> str:
    if isinstance(values, Tensor) and values.ndim > 0:
        return "tensor"
    return "list" if isinstance(values, list | tuple) else type(values).__name__
