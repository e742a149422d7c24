"""The evaluative forward pass, which leaves no trace: no mode, gradient, buffer or RNG moves."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import is_lazy

from sift_toolkit.sifting._batches import Batch, num_rows, to_device
from sift_toolkit.sifting._loss import Loss, SampleScores, check_scores


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
            SiftLossError: the loss is not one number a sample.
        """
        model = unwrap(self._model)
        seen = batch if self._transform is None else self._transform(batch)
        device = _device_of(model)
        if device is not None:
            seen = to_device(seen, device)
        with invisible(model):
            result = self._loss(model, seen)
        scores = check_scores(result, num_rows(batch), needs_own=self._needs_own)
        # Clones made out here are ordinary tensors: those of inference mode cannot be written to.
        own = None if scores.own is None else scores.own.clone()
        return SampleScores(scores.losses.clone(), own)


def unwrap(model: nn.Module) -> nn.Module:
    """Return the user's module out of DistributedDataParallel."""
    return model.module if isinstance(model, DistributedDataParallel) else model


@contextmanager
def invisible(model: nn.Module) -> Iterator[None]:
    """Evaluate *model* in here and leave it, and every global RNG, as they were."""
    modules = list(model.modules())
    modes = [module.training for module in modules]
    device = _device_of(model)
    with _same_rng(device):
        try:
            model.eval()
            with _own_autocast(device), _without_gradients(model):
                yield
        finally:
            for module, mode in zip(modules, modes, strict=True):
                module.training = mode


def _device_of(model: nn.Module) -> torch.device | None:
    parameter = next(model.parameters(), None)
    return None if parameter is None else parameter.device


def _without_gradients(model: nn.Module) -> AbstractContextManager[None]:
    """Inference mode, or the weaker no_grad where parameters may be made or gathered inside."""
    for parameter in model.parameters():
        if is_lazy(parameter) or hasattr(parameter, "device_mesh"):
            return torch.no_grad()
    return torch.inference_mode()


def _own_autocast(device: torch.device | None) -> AbstractContextManager[object]:
    """Keep the user's autocast, but none of the casts made here in its cache."""
    kind = "cpu" if device is None else device.type
    return torch.autocast(
        kind,
        enabled=torch.is_autocast_enabled(kind),
        dtype=torch.get_autocast_dtype(kind),
        cache_enabled=False,
    )


@contextmanager
def _same_rng(device: torch.device | None) -> Iterator[None]:
    """Give back every global random number generator as it was."""
    numpy = sys.modules.get("numpy")
    python_state = random.getstate()
    numpy_state = None if numpy is None else numpy.random.get_state()
    devices = [] if device is None or device.type == "cpu" else [device]
    kind = devices[0].type if devices else "cuda"
    try:
        with torch.random.fork_rng(devices, device_type=kind):
            yield
    finally:
        random.setstate(python_state)
        if numpy is not None:
            numpy.random.set_state(numpy_state)
