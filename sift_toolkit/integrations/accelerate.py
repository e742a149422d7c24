"""Sifting in a loop of your own with Hugging Face Accelerate.

    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    loader = sift(loader, model=model, loss=loss, epochs=3)
    for batch in loader:
        with accelerator.accumulate(model):
            accelerator.backward(loader.reduce(losses_of(model, batch)))
            ...

First prepare, then sift: Accelerate gives each process its part of the data, and of that part the
samples worth training on are chosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.integrations._prepared import is_prepared, plain_loader
from sift_toolkit.sifting import Batch, Loss, LossObject, SiftingDataloader

__all__ = ["plain_loader", "sift"]


def sift(
    dataloader: Iterable[Batch],
    *,
    model: nn.Module,
    loss: Loss | LossObject,
    epochs: int | None = None,
    config: SiftConfig | None = None,
    **options: Any,
) -> SiftingDataloader:
    """Wrap a loader that Accelerate prepared with the sifting that the client asked for.

    What `sift_toolkit.sift` does, and what Accelerate's own loader does beside: batches are placed
    on the device, and the last batch of an epoch ends an accumulation of gradients. Samples are
    chosen by the losses handed back where that can be done, with a length, on several processes.

    Args:
        dataloader: what ``accelerator.prepare(loader)`` returned.
        model: the one that is trained, prepared or not.
        loss: ``(model, batch) -> losses`` of shape (batch,), or an object with AWS's method.
        epochs: epochs the training will make; for a schedule, `loader.total_steps(epochs)`.
        config: how to sift where no config came with the job; the job's own wins.
        options: all others of `sift_toolkit.sift`.

    Returns:
        The loader to train from; `reduce` its losses without naming the batch.

    Raises:
        SiftUsageError: *dataloader* was not prepared, or another argument is wrong.
        SiftConfigError: the config cannot be followed with this loader.
    """
    if not is_prepared(dataloader):
        msg = (
            f"sift() of the Accelerate integration needs a loader that was prepared, got a "
            f"{type(dataloader).__name__}: first loader = accelerator.prepare(loader), then "
            "loader = sift(loader, ...)"
        )
        raise SiftUsageError(msg)
    from sift_toolkit.integrations._accelerate_loader import sifted_shard

    return sifted_shard(dataloader, model=model, loss=loss, epochs=epochs, config=config, **options)
