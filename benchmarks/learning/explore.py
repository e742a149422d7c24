"""Rules that were tried before the comparison, on seeds of their own and on some of the tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from arms import ARMS, FALLS_TO, LEARNABILITY, RANDOM, Arm, sifted
from feeds import OwnValues
from torch import Tensor

EXPLORING_SEEDS = (200, 201, 202)
EXPLORED_TASKS = ("letters", "fashion", "wordnet", "letters-noisy", "letters-tail", "letters-long")


def _variant(name: str, falls_to: float = FALLS_TO, **changes: object) -> Arm:
    config = replace(LEARNABILITY, **changes)  # type: ignore[arg-type] # fields of many types
    return Arm(name, "ours", sifted(config, 0.5, falls_to=falls_to), 0.5)


def root(losses: Tensor) -> Tensor:
    """Return the square root of learnability: rows differ less."""
    confidence = torch.exp(-losses)
    return (confidence * (1 - confidence) + 0.02).sqrt()


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


def _own(name: str, make_own: Callable[[], OwnValues]) -> Arm:
    return Arm(name, "ours", sifted(replace(LEARNABILITY, value="own"), 0.5, make_own), 0.5)


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
        _own("softened by the mean", lambda: Softened(torch.mean)),
        _own("softened by the median", lambda: Softened(torch.median)),
        _own("its square root", lambda: root),
        _variant("falls to a half", falls_to=0.5),
        _variant("falls to a tenth", falls_to=0.1),
        Arm("random, falls to a tenth", "random", sifted(RANDOM, 0.5, falls_to=0.1), 0.5),
        _variant("gradient, correction .5", value="gradient", correction=0.5),
    )
}
