"""Losses on their way into the memory: collected, so that a device is waited for only seldom."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from sift_toolkit.errors import SiftLossError
from sift_toolkit.sifting._memory_store import SampleMemory
from sift_toolkit.sifting._meter import Meter

_TAKEN_AT_ONCE: Final = 64
"""Batches whose losses are collected before the memory takes them."""


class Lessons:
    """Collects the losses of training steps and hands them to a memory, a few batches at once.

    Args:
        memory: learns them.
        meter: counts the losses that are not finite, and the time.
        raises: whether a loss that is not finite is an error, found in its own step.
    """

    def __init__(self, memory: SampleMemory, meter: Meter, *, raises: bool) -> None:
        self._memory = memory
        self._meter = meter
        self._raises = raises
        self._waiting: list[tuple[Tensor, Tensor, Tensor | None]] = []
        self.any_taken = False
        """Whether the memory was ever handed any."""

    @property
    def any_given(self) -> bool:
        """Whether any losses ever came."""
        return self.any_taken or bool(self._waiting)

    def add(self, ids: Tensor, losses: Tensor, values: Tensor | None) -> None:
        """Collect what came of one step: detached, and never written to again.

        Raises:
            SiftLossError: a loss is not finite, and that is an error here.
        """
        self._waiting.append((ids, losses, values))
        if len(self._waiting) >= _TAKEN_AT_ONCE or self._raises:
            self.take()

    def take(self) -> None:
        """Hand over what was collected.

        Raises:
            SiftLossError: a loss is not finite, and that is an error here.
        """
        if not self._waiting:
            return
        with self._meter.timing("score"):
            ids, losses, values = zip(*self._waiting, strict=True)
            self._waiting = []
            self.any_taken = True
            given = [each for each in values if each is not None]
            bad = self._memory.learn(
                torch.cat(ids).to(torch.int64),
                torch.cat(losses).cpu(),
                torch.cat(given).cpu() if given else None,
            )
        self._meter.counters.nonfinite += bad
        if bad and self._raises:
            msg = f'{bad} training losses were NaN or infinite, and nonfinite="raise" is set'
            raise SiftLossError(msg)

    def forget(self, *, any_taken: bool) -> None:
        """Drop what was collected: a saved state is loaded, whose memory has it or never will."""
        self._waiting = []
        self.any_taken = any_taken
