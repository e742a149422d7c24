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


def root(losses: Tensor, _: Tensor) -> Tensor:
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

    def __call__(self, losses: Tensor, _: Tensor) -> Tensor:
        """Return q (1 - q) + 0.02 with q = exp(-loss / level)."""
        now = float(self._level_of(losses))
        self._level = now if self._level == 0 else 0.98 * self._level + 0.02 * now
        confidence = torch.exp(-losses / max(1.0, self._level))
        return confidence * (1 - confidence) + 0.02


class Progress:
    """What rows like this one have gained of late: learnability, measured.

    Rows are put into classes by q = exp(-loss) of their visit before; of each class the mean gain
    of q from that visit to this one is kept, the recent ones counting most. Wrong labels gain
    nothing, hard ones that can be learnt do.

    Args:
        forgetting: what a gain counts for after one more batch, of what it did.
    """

    edges = torch.tensor([0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97])

    def __init__(self, forgetting: float = 0.995) -> None:
        self._forgetting = forgetting
        self._before = torch.empty(0)
        self._gains = torch.zeros(len(self.edges) + 1)
        self._counts = torch.zeros(len(self.edges) + 1)

    def __call__(self, losses: Tensor, ids: Tensor) -> Tensor:
        """Return the gain that is expected of each row at its next visit, at least 0.01."""
        now = torch.exp(-losses)
        most = int(ids.max()) + 1
        if most > len(self._before):
            more = torch.full((most - len(self._before),), torch.nan)
            self._before = torch.cat([self._before, more])
        before = self._before[ids]
        known = ~before.isnan()
        places = torch.bucketize(before[known], self.edges)
        self._gains *= self._forgetting
        self._counts *= self._forgetting
        self._gains.index_add_(0, places, (now - before)[known])
        self._counts.index_add_(0, places, torch.ones(len(places)))
        self._before[ids] = now
        if self._counts.sum() < 1:
            return now * (1 - now) + 0.01
        gains = self._gains / self._counts.clamp_min(1)
        return gains.clamp_min(0)[torch.bucketize(now, self.edges)] + 0.01


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
        _own("measured gain", Progress),
        _variant("gradient", value="gradient"),
        ARMS["percentile 50%"],
        _variant("percentile, no correction", law="percentile", min_probability=0.0),
        _variant("falls to a half", falls_to=0.5),
        _variant("falls to a tenth", falls_to=0.1),
        Arm("random, falls to a tenth", "random", sifted(RANDOM, 0.5, falls_to=0.1), 0.5),
        _variant("gradient, correction .5", value="gradient", correction=0.5),
    )
}
