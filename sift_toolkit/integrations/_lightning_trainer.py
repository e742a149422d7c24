"""What Lightning offers no hook for: where its Trainer is told about a sifted loader.

Lightning asks for a loader's length once, and takes all epochs for as long as the first one. All
that is not part of Lightning's public face and is used here nevertheless stands in this file.
"""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any

# Lightning's own attributes: see above.
# ruff: noqa: SLF001


class SiftedSource:
    """Where the Trainer gets its training loader from, with a look at each loader that comes.

    Args:
        source: the Trainer's own.
        look: returns what to train from instead.
        stepping_batches: returns the optimizer steps of the whole run; None: nothing is sifted,
            or they are not known.
    """

    def __init__(
        self,
        source: Any,
        look: Callable[[Any], Any],
        stepping_batches: Callable[[], int | None],
    ) -> None:
        self.source = source
        self._look = look
        self.stepping_batches = stepping_batches

    @property
    def instance(self) -> Any:
        """The module, data module or loader that was given to the Trainer."""
        return self.source.instance

    @instance.setter
    def instance(self, instance: Any) -> None:
        self.source.instance = instance

    @property
    def name(self) -> Any:
        """The method that returns the loader."""
        return self.source.name

    def dataloader(self) -> Any:
        """Return the loader to train from."""
        return self._look(self.source.dataloader())

    def is_defined(self) -> bool:
        """Whether there is a loader."""
        return bool(self.source.is_defined())

    def is_module(self) -> bool:
        """Whether it comes from a module or a data module."""
        return bool(self.source.is_module())


def attach(
    trainer: Any, look: Callable[[Any], Any], stepping_batches: Callable[[], int | None]
) -> bool:
    """Let *look* see each training loader; False if another callback does so already."""
    loop = trainer.fit_loop
    if isinstance(loop._data_source, SiftedSource):
        return False
    loop._data_source = SiftedSource(loop._data_source, look, stepping_batches)
    # This trainer's class, and nobody else's: a property can be changed in no other way.
    kind: Any = type(trainer)
    trainer.__class__ = _counting(kind)
    return True


def detach(trainer: Any) -> None:
    """Leave the trainer as it was."""
    loop = trainer.fit_loop
    if isinstance(loop._data_source, SiftedSource):
        loop._data_source = loop._data_source.source
        trainer.__class__ = type(trainer).__mro__[1]


@functools.cache
def _counting(kind: Any) -> type:
    """Return a class of trainers that add up epochs of different lengths."""

    def estimated_stepping_batches(self: Any) -> int | float:
        """Return the optimizer steps of the whole run."""
        # Asked in configure_optimizers(), before there is a loader.
        if self.train_dataloader is None:
            self.fit_loop.setup_data()
        exact = self.fit_loop._data_source.stepping_batches()
        lightnings: int | float = kind.estimated_stepping_batches.fget(self)
        return lightnings if exact is None else exact

    names: dict[str, Any] = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": None,
    }
    estimate = property(estimated_stepping_batches)
    return type(kind.__name__, (kind,), {**names, "estimated_stepping_batches": estimate})


def epochs_of(trainer: Any) -> int | None:
    """Return how many epochs a Trainer makes, None if steps or time end its training."""
    epochs = trainer.max_epochs
    return epochs if epochs and epochs > 0 else None


def limited(length: int, limit: float) -> int:
    """Return how many of an epoch's batches the Trainer takes.

    Args:
        length: batches of the epoch.
        limit: the Trainer's `limit_train_batches`: a number of batches, or as a float a share.
    """
    return min(length, limit) if isinstance(limit, int) else int(length * limit)


def stepping_batches(trainer: Any, lengths: Sequence[int]) -> int:
    """Return the optimizer steps of epochs; the last one of an epoch may accumulate fewer batches.

    Args:
        trainer: limits epochs and accumulates gradients.
        lengths: batches of each epoch.
    """
    limit, accumulated = trainer.limit_train_batches, trainer.accumulate_grad_batches
    return sum(math.ceil(limited(length, limit) / accumulated) for length in lengths)


def prepared(trainer: Any, loader: Any) -> Any:
    """Return a loader with all that Lightning does to one it knows.

    That is a DistributedSampler where several processes train, and a seed for each worker.
    """
    root = type(trainer.fit_loop).__module__.partition(".loops.")[0]
    connector = importlib.import_module(f"{root}.trainer.connectors.data_connector")
    states = importlib.import_module(f"{root}.trainer.states")
    return connector._process_dataloader(
        trainer, states.TrainerFn.FITTING, states.RunningStage.TRAINING, loader
    )


def expect(trainer: Any, length: int) -> None:
    """Tell the Trainer how many batches the epoch has that comes, or that is under way.

    Args:
        trainer: whose loader has been set up.
        length: batches of the epoch that the Trainer takes.
    """
    loop = trainer.fit_loop
    loop.max_batches = length
    loop._combined_loader.limits = [length]
    by_time = getattr(trainer, "_val_check_time_interval", None) is not None
    if isinstance(trainer.val_check_interval, float) and not by_time:
        trainer.val_check_batch = max(1, int(length * trainer.val_check_interval))
    loop._data_fetcher.length = length


def begin_fetching(trainer: Any) -> None:
    """Let the Trainer begin to iterate its loader again, and ask for its length."""
    iter(trainer.fit_loop._data_fetcher)


def count_the_saved_batch(trainer: Any) -> None:
    """Count the batch as done at whose end a checkpoint was saved, as Lightning does from 2.5 on.

    Before, it trained on one batch more than the epoch had.
    """
    epoch_loop = trainer.fit_loop.epoch_loop
    done = epoch_loop.batch_progress.current
    if not hasattr(epoch_loop, "restarted_on_train_batch_end") and done.processed == done.ready:
        done.completed = done.processed
