"""What a training framework needs to know of a sifted loader that was made without it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting._batches import Batch
from sift_toolkit.sifting._loader import SiftingDataloader
from sift_toolkit.sifting._loss import Loss
from sift_toolkit.sifting._meter import Listener
from sift_toolkit.sifting._run import Run
from sift_toolkit.sifting._source import shape_of
from sift_toolkit.sifting._wiring import Extent


class Rewiring:
    """Looks into a sifted loader, and changes what a framework decides after it was made.

    Scripts keep the loader they made, to hand its losses back: it is changed in place.

    Args:
        loader: the one to look into.
    """

    def __init__(self, loader: SiftingDataloader) -> None:
        self._loader = loader

    # Everything below is of one package: the loader's attributes are no part of its face.
    # ruff: noqa: SLF001

    @property
    def inner(self) -> Iterable[Batch]:
        """The user's own loader."""
        return self._loader._inner

    @property
    def config(self) -> SiftConfig:
        """How it sifts."""
        return self._loader._run._wiring.config

    def note(self, words: str) -> None:
        """Say a decision where the loader says its own."""
        self._loader._run._wiring.note(words)

    def epoch_lengths(self, epochs: int) -> list[int]:
        """Return the batches of each epoch, from the one under way or else the next one.

        Args:
            epochs: how many epochs.

        Raises:
            TypeError: the number of rows of the loader inside is not known.
        """
        run = self._loader._run
        return run.lengths.of_epochs(run.engine, epochs)

    def also_tell(self, listener: Listener) -> None:
        """Tell another listener what the loader's own one is told."""
        self._loader._run.reporter.also_tell(listener)

    def compute_in(self, around: Callable[[Loss], Loss]) -> None:
        """Let *around* make the loss that samples are scored by out of the user's."""
        self._loader._run._wiring.scorer.compute_in(around)

    def set_epochs(self, epochs: int) -> None:
        """Say how many epochs the run has, where its script did not."""
        if self._loader._epochs is None:
            self._loader._epochs = self._loader._run._wiring.extent.epochs = epochs

    def replace_inner(self, inner: Iterable[Batch]) -> None:
        """Put another loader of the same batches in the place of the user's, such as a rank's part.

        Raises:
            SiftUsageError: an epoch has begun.
        """
        run = self._loader._run
        wiring = run._wiring
        if wiring.position.epochs:
            msg = "the loader inside can be replaced only before the first epoch"
            raise SiftUsageError(msg)
        extent = Extent(shape_of(inner), wiring.extent.epochs)
        run.engine.close()
        self._loader._inner = inner
        self._loader._run = Run(
            dataclasses.replace(wiring, loader=inner, extent=extent),
            model=run._model,
            listener=run.reporter.listener,
        )
        # It holds a method of the run before.
        vars(self._loader).pop("_take_back", None)
