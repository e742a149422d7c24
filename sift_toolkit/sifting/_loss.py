"""The user's loss, in any of the shapes it may be given, held to one number a sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any, NamedTuple, Protocol, TypeAlias, cast

import torch
from torch import Tensor, nn

from sift_toolkit.errors import SiftLossError
from sift_toolkit.sifting._batches import Batch

Loss: TypeAlias = Callable[[nn.Module, Batch], "Tensor | tuple[Tensor, Tensor]"]
"""``(model, batch) -> losses`` of shape (batch,), or ``(losses, values)`` for ``value="own"``."""


class LossObject(Protocol):
    """AWS's form: an object with a `loss` method, of any class."""

    def loss(
        self, model: nn.Module, transformed_batch: Any, original_batch: Any = None, /
    ) -> Tensor:
        """Return one loss a sample."""
        ...


class SampleScores(NamedTuple):
    """What the user's loss said about the rows of a batch."""

    losses: Tensor
    """Shape (n,), float32, on the CPU."""
    own: Tensor | None
    """The user's own values, same shape, where the loss returns them."""
    finite: Tensor | None = None
    """Shape (n,), bool: which rows have a finite loss, and a finite value if any; None: all."""


def as_loss(loss: Loss | LossObject) -> Loss:
    """Return *loss* as a function of model and batch.

    Raises:
        SiftLossError: it is neither callable nor has a `loss` method, or it is a class.
    """
    if isinstance(loss, type):
        msg = f"the loss must be an object, got the class {loss.__name__}: give {loss.__name__}()"
        raise SiftLossError(msg)
    # Asked of the class: a callable object may well keep a torch loss in an attribute `loss`.
    if callable(getattr(type(loss), "loss", None)):
        method = cast("LossObject", loss).loss
        return lambda model, batch: method(model, batch, batch)
    if callable(loss):
        return loss
    msg = (
        f"the loss must be a function (model, batch) -> one loss a sample, or an object with a "
        f"method loss(model, transformed_batch, original_batch), got {loss!r}"
    )
    raise SiftLossError(msg)


def check_scores(
    result: object, count: int, *, needs_own: bool, devices: Collection[torch.device] = ()
) -> SampleScores:
    """Hold what a loss returned to one number a sample.

    Args:
        result: what the user's loss returned for a batch of *count* samples.
        count: number of samples.
        needs_own: whether a second tensor is needed.
        devices: where the model is; empty: not known.

    Raises:
        SiftLossError: anything else, with the likely mistake named.
    """
    losses, own = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
    if needs_own and own is None:
        msg = 'value="own" needs a loss that returns two tensors, (losses, values), got one'
        raise SiftLossError(msg)
    checked = _check(losses, count, "loss", devices)
    values = _check(own, count, "second tensor", devices) if needs_own else None
    return SampleScores(checked, values, _finite(checked, values))


def _finite(losses: Tensor, own: Tensor | None) -> Tensor | None:
    both = losses if own is None else torch.cat([losses, own])
    # One sum tells, for almost every batch.
    if math.isfinite(float(both.sum(dtype=torch.float64))):
        return None
    finite = torch.isfinite(losses)
    return finite if own is None else finite & torch.isfinite(own)


def _check(tensor: object, count: int, name: str, devices: Collection[torch.device]) -> Tensor:
    if not isinstance(tensor, Tensor):
        msg = f"the {name} must be a tensor with one number a sample, got {type(tensor).__name__}"
        raise SiftLossError(msg)
    if tuple(tensor.shape) != (count,):
        msg = (
            f"the {name} must have shape ({count},), one number for each sample (dimension 0 of "
            f"the batch's first tensor), got {tuple(tensor.shape)}: "
            f"{_likely_mistake(tensor, count)}"
        )
        raise SiftLossError(msg)
    if devices and tensor.device not in devices:
        places = " and ".join(sorted(map(str, devices)))
        msg = (
            f"the {name} is on {tensor.device}, the model on {places}: return it where the model "
            "computed it; all losses of a batch are fetched at once"
        )
        raise SiftLossError(msg)
    # A copy even where nothing changes: the tensor is the user's.
    return tensor.detach().to("cpu", torch.float32, copy=True)


def _likely_mistake(tensor: Tensor, count: int) -> str:
    if tensor.ndim == 0:
        return 'it was already averaged; compute it with reduction="none"'
    if tensor.shape[0] == count:
        return "take the mean over all dimensions but the first"
    if count in tensor.shape:
        place = tensor.shape.index(count)
        return f"the samples stand in dimension {place}; move them to the first one"
    if tensor.numel() > count > 0 and tensor.numel() % count == 0:
        return "samples and their parts are mixed in one dimension; reshape it, then take the mean"
    return "does the loss see the batch it was given?"
