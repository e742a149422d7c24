"""The evaluative forward pass, which leaves no trace: no mode, gradient, buffer or RNG moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

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

    def compute_in(self, around: Callable[[Loss], Loss]) -> None:
        """Let *around* decide how the loss is computed, such as in which precision."""
        self._loss = around(self._loss)

    def score(self, batch: Batch) -> SampleScores:
        """Return the losses of a batch's samples.

        Raises:
            SiftLossError: the loss is not one number a sample, or not where the model is.
        """
        model = unwrap(self._model)
        with invisible(model) as devices:
            seen = batch if self._transform is None else self._transform(batch)
            if devices:
                seen = to_device(seen, devices[0])
            result = self._loss(model, seen)
            return check_scores(result, num_rows(batch), needs_own=self._needs_own, devices=devices)


def unwrap(model: nn.Module) -> nn.Module:
    """Return the user's module out of DistributedDataParallel, compiled around it or not."""
    inner = getattr(model, "_orig_mod", model)
    return inner.module if isinstance(inner, DistributedDataParallel) else model


@contextmanager
def invisible(model: nn.Module) -> Iterator[list[torch.device]]:
    """Evaluate *model* in here and leave it, and every global RNG, as they were.

    Gives the devices its parameters are on, the first one's device first.

    Gradients are off, but this is not inference mode: a module that makes something at its first
    call and keeps it (lazy parameters, masks, rotary tables) must be able to train with it later.
    """
    modules = _modules_of(model)
    modes = [module.training for module in modules]
    devices = _devices_of(modules)
    with kept_global_state(devices), torch.no_grad(), _without_autocast_cache():
        try:
            # Not model.eval(): an override of train() may do more than set the flag.
            _set_training(modules, [False] * len(modules))
            yield devices
        finally:
            _set_training(modules, modes)


def _set_training(modules: Iterable[nn.Module], modes: Iterable[bool]) -> None:
    """Set the flags past `Module.__setattr__`, whose look for parameters costs more than the rest.

    A scripted module keeps its flag elsewhere.
    """
    for module, mode in zip(modules, modes, strict=True):
        attributes = module.__dict__
        if "training" in attributes:
            attributes["training"] = mode
        else:
            module.training = mode


def _modules_of(model: nn.Module) -> list[nn.Module]:
    """Return what `model.modules()` does, in its order, without a generator for each of them."""
    found: dict[nn.Module, None] = {}
    waiting: list[nn.Module | None] = [model]
    while waiting:
        module = waiting.pop()
        if module is not None and module not in found:
            found[module] = None
            children = module._modules  # noqa: SLF001 - scripted modules have it too
            if children:
                waiting.extend(reversed(list(children.values())))
    return list(found)


def _devices_of(modules: Iterable[nn.Module]) -> list[torch.device]:
    """Return where the parameters are, the first one's device first."""
    found: dict[torch.device, None] = {}
    for module in modules:
        # Past its own walk, which costs several times the rest. Scripted and traced modules keep
        # their parameters elsewhere.
        table = module.__dict__.get("_parameters")
        for parameter in module.parameters(recurse=False) if table is None else table.values():
            if parameter is not None:
                found[parameter.device] = None
    return list(found)


def _without_autocast_cache() -> AbstractContextManager[None]:
    """Keep the user's autocast, but none of the casts made here: in older torch without gradients.

    The cache is one for all devices, and is emptied where the outermost autocast ends; the CPU's
    autocast is set to what it is already.
    """
    torch.autocast_increment_nesting()
    if torch.autocast_decrement_nesting() == 0:
        return nullcontext()
    return _uncached_autocast()


@contextmanager
def _uncached_autocast() -> Iterator[None]:
    with torch.autocast(
        "cpu",
        enabled=torch.is_autocast_enabled("cpu"),
        dtype=torch.get_autocast_dtype("cpu"),
        cache_enabled=False,
    ):
        try:
            yield
        finally:
            # The user's loss may have asked for the cache, in an autocast of its own.
            torch.clear_autocast_cache()
