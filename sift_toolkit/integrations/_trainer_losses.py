"""One loss a sample of Hugging Face's models, from outputs that are there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sift_toolkit.errors import SiftLossError
from sift_toolkit.sifting import Loss, LossObject, as_loss, sequence_loss

_NO_TARGET = -100
"""Label of places that are no target, as all of Hugging Face's models have it."""


def model_loss(model: nn.Module, batch: Mapping[str, Any]) -> Tensor:
    """Return one loss a sample, of any model with `labels` and `logits`.

    Cross-entropy of classes, or of tokens: then the mean over each sequence's own targets, shifted
    for causal models; squared error of numbers; binary cross-entropy of several labels at once.

    Args:
        model: called with the batch by keyword.
        batch: with `labels`.

    Returns:
        Shape (rows,).

    Raises:
        SiftLossError: the model's outputs and labels are of another kind.
    """
    outputs = model(**batch)
    logits = outputs.get("logits") if isinstance(outputs, Mapping) else None
    labels = batch.get("labels")
    if not isinstance(logits, Tensor) or not isinstance(labels, Tensor):
        msg = (
            "the loss of each sample comes from `labels` of the batch and `logits` of the model's "
            f"outputs, got a batch with {_names(batch)} and outputs with {_names(outputs)}: give "
            "loss=, a function (model, batch) -> one loss a sample"
        )
        raise SiftLossError(msg)
    if logits.ndim == 3 and logits.shape[:2] == labels.shape:
        if is_causal(model):
            logits, labels = logits[:, :-1], labels[:, 1:]
        return sequence_loss(logits, labels, ignore_index=_NO_TARGET)
    if labels.ndim == 1 and not labels.is_floating_point() and logits.ndim == 2:
        return functional.cross_entropy(
            logits.float(), labels, reduction="none", ignore_index=_NO_TARGET
        )
    if labels.is_floating_point() and logits.numel() == labels.numel():
        rows = len(labels)
        logits, labels = logits.float().view(rows, -1), labels.float().view(rows, -1)
        if logits.shape[1] == 1:
            return (logits - labels).square().mean(1)
        return functional.binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(1)
    msg = (
        f"logits of shape {tuple(logits.shape)} and {labels.dtype} labels of shape "
        f"{tuple(labels.shape)} are of no kind known here: give loss=, a function (model, batch) "
        "-> one loss a sample"
    )
    raise SiftLossError(msg)


def _names(mapping: Any) -> str:
    return ", ".join(map(str, mapping)) if isinstance(mapping, Mapping) else type(mapping).__name__


def is_causal(model: object) -> bool:
    """Return whether a model's labels are its inputs, to be shifted: as the Trainer tells it."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    return name_of(model) in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()


def name_of(model: object) -> str:
    """Return the class of a model, of that inside one that was compiled or is adapted by PEFT."""
    if isinstance(model, Answered):
        return model.name
    model = getattr(model, "_orig_mod", model)
    if hasattr(model, "peft_config"):
        model = getattr(getattr(model, "base_model", None), "model", model)
    return type(model).__name__


class Answered:
    """Stands for a model that has been called already: called again, it has the same answer.

    Args:
        model: the one that was called.
        outputs: what it returned.
    """

    def __init__(self, model: nn.Module, outputs: Any) -> None:
        self._model = model
        self._outputs = outputs
        self.name = name_of(model)

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Return the outputs."""
        return self._outputs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


class SampleLosses:
    """The losses of a training step, one a sample, without another forward pass.

    Args:
        loss: the user's.
    """

    def __init__(self, loss: Loss | LossObject) -> None:
        self._loss = as_loss(loss)

    def of(
        self, model: nn.Module, batch: Mapping[str, Any], outputs: Any
    ) -> tuple[Tensor, Tensor | None]:
        """Return (losses, the user's own values if the loss returns any).

        Args:
            model: not wrapped.
            batch: what it was called with.
            outputs: what it returned.
        """
        result = self._loss(Answered(model, outputs), batch)  # type: ignore[arg-type] # acts as one
        return result if isinstance(result, tuple) else (result, None)


def targets_of(losses: Tensor, batch: Mapping[str, Any], *, causal: bool) -> Tensor:
    """Return by how much each sample counts in the trainer's own loss: its tokens, or 1.

    Args:
        losses: shape (rows,).
        batch: what the model was called with.
        causal: whether labels are shifted.

    Returns:
        Shape (rows,), like *losses*.
    """
    labels = batch.get("labels")
    if not isinstance(labels, Tensor) or labels.ndim != 2 or labels.is_floating_point():
        return torch.ones_like(losses)
    targets = labels[:, 1:] if causal else labels
    return targets.ne(_NO_TARGET).sum(1).to(losses)


def corrected(loss: Tensor, losses: Tensor, weights: Tensor, targets: Tensor) -> Tensor:
    """Return the trainer's own loss with each sample's part of it weighted.

    Args:
        loss: the trainer's own, of any scale: divided by what it accumulates, or not.
        losses: shape (rows,), with their gradient.
        weights: shape (rows,).
        targets: shape (rows,), how much each counts.
    """
    parts = losses * targets
    whole = parts.detach().sum()
    least = torch.finfo(whole.dtype).tiny
    scale = torch.where(whole > 0, loss.detach() / whole.clamp_min(least), 0)
    return loss + ((weights - 1) * parts).sum() * scale
