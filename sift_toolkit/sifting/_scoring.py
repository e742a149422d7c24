"""The evaluative forward pass, which leaves no trace: no mode, gradient, buffer or RNG moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from sift_toolkit.sifting._batches import Batch, num_rows, to_device
from sift_toolkit.sifting._loss import Loss, SampleScores, check_scores
from sift_toolkit.sifting._rng import kept_global_state


class Scorer:
    """Scores batches with a model and a loss.

    Args:
        loss: the user's, one number a sample.
        model: scored as it is at each call; unwrapped from DistributedDataParallel, so that no
            reducer hook or buffer broadcast runs.
        transform: what the model sees instead of the batch, such as half the resolution.
        needs_own: whether the loss must return values of its own as well.
    """

    def __init__(
        self,
        loss: Loss,
        model: nn.Module,
        *,
        transform: Callable[[Batch], Batch] | None = None,
        needs_own: bool = False,
    ) -> None:
        self._loss = loss
        self._model = model
        self._transform = transform
        self._needs_own = needs_own

    def score(self, batch: Batch) -> SampleScores:
        """Return the losses of a batch's samples.

        Raises:
            SiftLossError: the loss is not one number a sample, or not where the model is.
        """
        model = unwrap(self._model)
        devices = _devices_of(model)
        seen = batch if self._transform is None else self._transform(batch)
        if devices:
            seen = to_device(seen, devices[0])
        with invisible(model):
            result = self._loss(model, seen)
            return check_scores(result, num_rows(batch), needs_own=self._needs_own, devices=devices)


def unwrap(model: nn.Module) -> nn.Module:
    """Return the user's module out of DistributedDataParallel, compiled around it or not."""
    inner = getattr(model, "_orig_mod", model)
    return inner.module if isinstance(inner, DistributedDataParallel) else model


@contextmanager
def invisible(model: nn.Module) -> Iterator[None]:
    """Evaluate *model* in here and leave it, and every global RNG, as they were.

    Gradients are off, but this is not inference mode: a module that makes something at its first
    call and keeps it (lazy parameters, masks, rotary tables) must be able to train with it later.
    """
    modules = list(model.modules())
    modes = [module.training for module in modules]
    with kept_global_state(_devices_of(model)), torch.no_grad(), _without_autocast_cache():
        try:
            # Not model.eval(): an override of train() may do more than set the flag.
            for module in modules:
                module.training = False
            yield
        finally:
            for module, mode in zip(modules, modes, strict=True):
                module.training = mode


def _devices_of(model: nn.Module) -> list[torch.device]:
    """Return where the parameters are, the first one's device first."""
    return list({parameter.device: None for parameter in model.parameters()})


def _without_autocast_cache() -> AbstractContextManager[object]:
    """Keep the user's autocast, but none of the casts made here: they have no gradients.

    The cache is one for all devices; the CPU's autocast is set to what it is already.
    """
    return torch.autocast(
        "cpu",
        enabled=torch.is_autocast_enabled("cpu"),
        dtype=torch.get_autocast_dtype("cpu"),
        cache_enabled=False,
    )
