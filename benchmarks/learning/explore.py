"""Rules that were tried before the comparison, on seeds of their own and on some of the tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from arms import ARMS, LEARNABILITY, Arm, sifted
from torch import Tensor

EXPLORING_SEEDS = (200, 201, 202)
EXPLORED_TASKS = ("letters", "fashion", "wordnet", "letters-noisy", "letters-tail", "letters-long")


def _variant(name: str, **changes: object) -> Arm:
    config = replace(LEARNABILITY, **changes)  # type: ignore[arg-type] # fields of many types
    return Arm(name, "ours", sifted(config, 0.5), 0.5)


class Softened:
    """Learnability at the level of the losses of now, as long as they are above 1.

    Args:
        level: what stands for a batch's losses.
    """

    def __init__(self, level: Callable[[Tensor], Tensor]) -> None:
        self._level_of = level
        self._level = 0.0

    def __call__(self, losses: Tensor) -> Tensor:
        """Return q (1 - q) + 0.02 with q = exp(-loss / level)."""
        now = float(self._level_of(losses))
        self._level = now if self._level == 0 else 0.98 * self._level + 0.02 * now
        confidence = torch.exp(-losses / max(1.0, self._level))
        return confidence * (1 - confidence) + 0.02


def _softened(name: str, level: Callable[[Tensor], Tensor]) -> Arm:
    config = replace(LEARNABILITY, value="own")
    return Arm(name, "ours", sifted(config, 0.5, lambda: Softened(level)), 0.5)


EXPLORED: dict[str, Arm] = {
    arm.name: arm
    for arm in (
        ARMS["plain 100%"],
        ARMS["plain 50%"],
        ARMS["random, falling 50%"],
        ARMS["learnability 50%"],
        _variant("floor .3", min_probability=0.3),
        _variant("floor .05", min_probability=0.05),
        _variant("anneal .2", anneal=0.2),
        _variant("anneal 0", anneal=0.0),
        _variant("correction .25", correction=0.25),
        _softened("softened by the mean", torch.mean),
        _softened("softened by the median", torch.median),
        _variant("gradient, correction .5", value="gradient", correction=0.5),
    )
}
