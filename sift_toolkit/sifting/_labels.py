"""Which class each sample belongs to: a tensor by sample id, or a function of a loaded batch."""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import NamedTuple

import torch
from torch import Tensor

from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting._batches import Batch

Labels = Tensor | Callable[[Batch], Tensor]
"""Whole numbers: of shape (samples,), by a sample's position in the dataset; or a function that
returns those of a batch, of shape (rows,)."""


class NumberedLabels(NamedTuple):
    """The classes of some rows, numbered from 0."""

    values: Tensor
    """Shape (classes,), int64, the label of each class, ascending."""
    numbers: Tensor
    """Shape (rows,), int32, each row's class."""

    def of(self, rows: Tensor) -> NumberedLabels:
        """Return those of *rows*, int64, of the same classes."""
        return NumberedLabels(self.values, self.numbers.index_select(0, rows))


def numbered(labels: Tensor) -> NumberedLabels:
    """Number the classes of labels, whole numbers of shape (rows,) on any device."""
    values, numbers = torch.unique(labels.detach().cpu().long(), return_inverse=True)
    return NumberedLabels(values, numbers.int())


def batch_labels(labels: Callable[[Batch], Tensor], batch: Batch, rows: int) -> NumberedLabels:
    """Return the labels of a loaded batch.

    Args:
        labels: the user's function.
        batch: as the user's loader gave it.
        rows: of the batch.

    Raises:
        SiftUsageError: the function returned something else than a whole number a row.
    """
    given: object = labels(batch)
    if not isinstance(given, Tensor) or _is_no_label(given) or given.shape != (rows,):
        msg = (
            f"labels(batch) must return a tensor of whole numbers of shape ({rows},), one for "
            f"each sample of the batch, got {_form_of(given)}"
        )
        raise SiftUsageError(msg)
    return numbered(given)


def check_labels(labels: object, loader: object) -> None:
    """Refuse labels that no engine could use.

    Args:
        labels: the user's; None: there are none.
        loader: the user's; its dataset is asked for its length, where it has one.

    Raises:
        SiftUsageError: they are neither a function nor one whole number a sample.
    """
    if labels is None or (callable(labels) and not isinstance(labels, Tensor)):
        return
    if not isinstance(labels, Tensor) or _is_no_label(labels) or labels.dim() != 1:
        msg = (
            "labels must be a tensor of whole numbers of shape (samples,), by position in the "
            "dataset, or a function (batch) -> tensor of shape (rows,), "
            f"got {_form_of(labels)}"
        )
        raise SiftUsageError(msg)
    dataset = getattr(loader, "dataset", None)
    if isinstance(dataset, Sized) and len(dataset) != labels.numel():
        msg = (
            f"labels must be one for each sample of the dataset: it has {len(dataset)}, and there "
            f"are {labels.numel()} labels"
        )
        raise SiftUsageError(msg)


def _is_no_label(given: Tensor) -> bool:
    return given.is_floating_point() or given.is_complex()


def _form_of(given: object) -> str:
    """Return what something is, without its content."""
    if isinstance(given, Tensor):
        return f"a tensor of {given.dtype} of shape {tuple(given.shape)}"
    return f"an object of {type(given).__name__}"
