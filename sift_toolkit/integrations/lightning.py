"""Sifting in Lightning: ``Trainer(callbacks=[SiftingCallback(config, loss=...)])``.

For Lightning from 2.4, under both of its names, `lightning` and `pytorch_lightning`: import it
before this module, or the one of them that is installed is taken.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from sift_toolkit.integrations._lightning_callback import SiftingCallback

__all__ = ["SiftingCallback", "reduce"]


def reduce(module: Any, losses: Tensor, *, values: Tensor | None = None) -> Tensor:
    """Return the mean of a batch's losses for `training_step`, and hand them to the sifting.

    They become the scores of the next epoch, so that ``scores="memory"`` makes no forward pass of
    its own. Without sifting, without a Trainer and while validating, it is the mean.

    Args:
        module: the LightningModule.
        losses: shape (batch,), with their gradient.
        values: shape (batch,), your own values, for ``value="own"`` with a memory.

    Raises:
        SiftLossError: *losses* are not one a sample.
        SiftUsageError: it was called twice for one batch.
    """
    # The property `trainer` raises where there is none.
    trainer = getattr(module, "_trainer", None)
    for callback in () if trainer is None else trainer.callbacks:
        if isinstance(callback, SiftingCallback) and callback.loader is not None:
            return callback.reduce(losses, values=values)
    return losses.mean()
