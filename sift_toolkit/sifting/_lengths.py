"""What `len()` and `total_steps()` answer: the batches of an epoch, and of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Sized
from typing import Any

from sift_toolkit.sifting._engine import Engine
from sift_toolkit.sifting._forecast import Carried
from sift_toolkit.sifting._schedule import EpochShape, Position
from sift_toolkit.sifting._wiring import Wiring


class Lengths:
    """Asks the engine for the batches to come, from where the epoch under way began.

    Args:
        wiring: of the run; its position is only read here.
    """

    def __init__(self, wiring: Wiring) -> None:
        # Where nothing is sifted, batches pass through as they are.
        self._untouched = None if wiring.config.sifts else wiring.loader
        self._extent = wiring.extent
        self._position = wiring.position
        self._was_asked = False
        self._start: tuple[Position, Carried] | None = None
        self._epoch = 0

    def agree(self, shape: EpochShape | None) -> bool:
        """Answer for epochs of *shape*, as all ranks have them, from now on.

        Returns:
            Whether another answer has been given before.
        """
        changes = shape != self._extent.shape
        self._extent.shape = shape
        return changes and self._was_asked

    def begin_epoch(self, engine: Engine) -> None:
        """Remember what the epoch begins with; before the position moves."""
        if self._extent.shape is not None:
            self._start = None
            self._epoch = self.of_epoch(engine)
            self._start = self._now(engine)

    def end_epoch(self) -> None:
        """Answer for the next epoch from now on."""
        self._start = None

    def of_epoch(self, engine: Engine) -> int:
        """Return the batches of the epoch under way, or else of the next one.

        Raises:
            TypeError: the number of rows is not known.
        """
        return self._epoch if self._start else self.of_epochs(engine, 1)[0]

    def of_run(self, engine: Engine, epochs: int) -> int:
        """Return the batches handed out in all epochs that are over, and those still to come.

        Raises:
            TypeError: the number of rows is not known.
        """
        before = (self._start or self._now(engine))[0]
        return before.steps + sum(self.of_epochs(engine, epochs - before.epochs))

    def of_epochs(self, engine: Engine, epochs: int) -> list[int]:
        """Return the batches of each of the epochs from the one under way, or else the next one.

        Raises:
            TypeError: the number of rows is not known.
        """
        shape = self._extent.shape
        self._was_asked = True
        is_own = shape == self._extent.own_shape
        if is_own and self._untouched is not None and isinstance(self._untouched, Sized):
            return [len(self._untouched)] * epochs
        if shape is None:
            msg = "the loader inside has no known number of rows, so the sifted one has no length"
            raise TypeError(msg)
        position, carried = self._start or self._now(engine)
        position = dataclasses.replace(position)
        lengths = []
        for _ in range(epochs):
            before = position.steps
            carried = engine.forecast(shape, position, self._extent.run_rows, carried)
            lengths.append(position.steps - before)
        return lengths

    def _now(self, engine: Engine) -> tuple[Position, Carried]:
        return dataclasses.replace(self._position), engine.carried()

    def state_dict(self) -> dict[str, Any]:
        """Return what the epoch under way began with."""
        start = None if self._start is None else [vars(part).copy() for part in self._start]
        return {"start": start, "epoch": self._epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        start = state["start"]
        self._start = None if start is None else (Position(**start[0]), Carried(**start[1]))
        self._epoch = state["epoch"]
