"""The sifted loader of a Lightning training: made here, or made by the script and fitted in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from torch import nn

from sift_toolkit.config import SiftConfig
from sift_toolkit.container._sift import job_sifting
from sift_toolkit.contract import JobTree
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.integrations._lightning_trainer import epochs_of, prepared
from sift_toolkit.sifting import (
    Batch,
    Labels,
    Loss,
    LossObject,
    Pad,
    Rewiring,
    SiftingDataloader,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wish:
    """How a user wants the loader of a module or a data module sifted."""

    config: SiftConfig | None
    """None: as the job says."""
    loss: Loss | LossObject | None
    """None: the loader is sifted already, or is not to be."""
    pad: Pad | None
    labels: Labels | None

    def sifted(self, given: Any, trainer: Any, module: nn.Module) -> SiftingDataloader | None:
        """Return the sifted loader for what train_dataloader() returned, None if there is none.

        Raises:
            SiftUsageError: it is more than one loader, or is sifted although there is a loss.
        """
        loaders = list(_loaders_in(given))
        is_sifted = any(isinstance(each, SiftingDataloader) for each in loaders)
        if not is_sifted and self.loss is None:
            return None
        if len(loaders) != 1 or loaders[0] is not given:
            msg = (
                "train_dataloader() must return one loader to be sifted, got "
                f"{type(given).__name__} of {len(loaders)}"
            )
            raise SiftUsageError(msg)
        if is_sifted and self.loss is not None:
            msg = "train_dataloader() returns a sifted loader: leave out SiftingCallback's loss"
            raise SiftUsageError(msg)
        sifted = _fitted_in(given, trainer) if is_sifted else self._made(given, trainer, module)
        Rewiring(sifted).compute_in(lambda loss: _in_precision_of(trainer, loss))
        return sifted

    def _made(self, loader: Iterable[Batch], trainer: Any, module: nn.Module) -> SiftingDataloader:
        assert self.loss is not None
        config, recorder = job_sifting(JobTree.current(), self.config)
        return SiftingDataloader(
            sift_config=config,
            orig_dataloader=prepared(trainer, loader),
            loss_impl=self.loss,
            model=module,
            epochs=epochs_of(trainer),
            listener=recorder,
            on_note=recorder.note,
            pad=self.pad,
            labels=self.labels,
        )


def _fitted_in(sifted: SiftingDataloader, trainer: Any) -> SiftingDataloader:
    """Return a script's own sifted loader, which now has this process's part of the data."""
    rewiring = Rewiring(sifted)
    inner = prepared(trainer, rewiring.inner)
    if inner is not rewiring.inner:
        rewiring.replace_inner(inner)
    if (epochs := epochs_of(trainer)) is not None:
        rewiring.set_epochs(epochs)
    return sifted


def _in_precision_of(trainer: Any, loss: Loss) -> Loss:
    """Return the loss, computed in the precision that the Trainer trains in."""
    precision = trainer.precision_plugin

    def computed(model: nn.Module, batch: Batch) -> Any:
        with precision.forward_context():
            return loss(model, precision.convert_input(batch))

    return computed


def _loaders_in(given: Any) -> Iterator[Any]:
    """Yield the loaders of a collection such as Lightning takes, or the one that there is."""
    parts: Any = getattr(given, "flattened", given)
    if isinstance(parts, dict):
        parts = list(parts.values())
    if isinstance(parts, list | tuple):
        for part in parts:
            yield from _loaders_in(part)
    else:
        yield parts
