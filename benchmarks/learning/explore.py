"""Rules that were tried before the comparison, on seeds of their own and on some of the tasks.

In the file of their runs are more, which took a changed core. Of those called "of all" the best
became `value="learnability"`; until then that was q (1 - q) + 0.02 of the plain loss, with which
floors and a correction were tried too. Those with "wait" and "in turns" led to `staleness`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from arms import ARMS, FIRST_RULE, LEARNABILITY, RANDOM, Arm, sifted
from feeds import OwnValues
from torch import Tensor

from sift_toolkit import SiftConfig

EXPLORING_SEEDS = (200, 201, 202, 203)
EXPLORED_TASKS = ("letters", "fashion", "wordnet", "letters-noisy", "letters-tail", "letters-long")
_OWN = replace(FIRST_RULE, value="own")


def _variant(
    name: str,
    make_own: Callable[[], OwnValues] | None = None,
    config: SiftConfig = FIRST_RULE,
    *,
    falls_to: float = 0.5,
    anneal: float = 0.0,
    by_steps: bool = True,
) -> Arm:
    """Return an arm with a name that tells how its share falls, its end, and its schedule."""
    falls = {1.0: "constant", 0.5: "to 1/2", 2 / 7: "to 2/7", 0.1: "to 1/10"}[falls_to]
    ends = {0.0: "", 0.1: ", tenth on all", 0.2: ", fifth on all"}[anneal]
    name = f"{name}: {falls}{ends}{'' if by_steps else ', rate by data'}"
    given = replace(_OWN if make_own else config, anneal=anneal)
    feed = sifted(given, 0.5, make_own, falls_to, by_steps=by_steps)
    return Arm(name, "random" if config is RANDOM else "ours", feed, 0.5)


def undecided(losses: Tensor, _: Tensor) -> Tensor:
    """Return q (1 - q) + 0.02 with q = exp(-loss)."""
    confidence = torch.exp(-losses)
    return confidence * (1 - confidence) + 0.02


def root(losses: Tensor, ids: Tensor) -> Tensor:
    """Return the square root of learnability: rows differ less."""
    return undecided(losses, ids).sqrt()


class Softened:
    """Learnability at the level of the losses of now, as long as they are above 1.

    Args:
        level: what stands for a batch's losses.
    """

    def __init__(self, level: Callable[[Tensor], Tensor]) -> None:
        self._level_of = level
        self._level = 0.0

    def __call__(self, losses: Tensor, ids: Tensor) -> Tensor:
        """Return q (1 - q) + 0.02 with q = exp(-loss / level)."""
        now = float(self._level_of(losses))
        self._level = now if self._level == 0 else 0.98 * self._level + 0.02 * now
        return undecided(losses / max(1.0, self._level), ids)


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


def original() -> OwnValues:
    """Return the rule that this began with; it remembers nothing."""
    return undecided


_with_end = partial(_variant, falls_to=2 / 7, anneal=0.1)
_by_data = partial(_with_end, by_steps=False)
BY_MEAN = partial(Softened, torch.mean)
BY_MEDIAN = partial(Softened, torch.median)
BY_TWICE_THE_MEDIAN = partial(Softened, lambda losses: 2 * torch.median(losses))


def _first_round() -> list[Arm]:
    """Return what was tried with one seed, two for the first."""
    q = "q (1 - q)"
    return [
        _by_data("random", config=RANDOM),
        _by_data(q, original),
        _variant(q, original, falls_to=2 / 7, anneal=0.2, by_steps=False),
        _variant(q, original, falls_to=2 / 7, by_steps=False),
        _variant(q, original, falls_to=0.1, anneal=0.1, by_steps=False),
        _by_data("by the batches' mean", BY_MEAN),
        _by_data("root of q (1 - q) + .02", lambda: root),
        _by_data("measured gain", Progress),
        _by_data("gradient", config=replace(FIRST_RULE, value="gradient")),
        _by_data(
            "gradient, correction .5",
            config=replace(FIRST_RULE, value="gradient", correction=0.5),
        ),
        _by_data("percentile", config=replace(FIRST_RULE, law="percentile", min_probability=0)),
    ]


def _second_round() -> list[Arm]:
    """Return what was tried with up to four seeds."""
    return [
        _with_end("random", config=RANDOM),
        _variant("random", config=RANDOM, falls_to=1.0),
        _with_end("q (1 - q)", original),
        _variant("q (1 - q)", original, anneal=0.1),
        _variant("q (1 - q)", original, falls_to=1.0, anneal=0.1),
        _variant("q (1 - q)", original),
        _by_data("by the batches' median", BY_MEDIAN),
        _with_end("by the batches' median", BY_MEDIAN),
        _variant("by the batches' median", BY_MEDIAN, anneal=0.1),
        _variant("by the batches' median", BY_MEDIAN),
        _variant("by the batches' median", BY_MEDIAN, by_steps=False),
        _variant("by twice the batches' median", BY_TWICE_THE_MEDIAN),
        _variant("by the batches' mean", BY_MEAN),
    ]


def _third_round() -> list[Arm]:
    """Return what was tried after the comparison had been run once."""
    timeless = replace(LEARNABILITY, staleness=0)
    return [
        _variant("staleness 0, floor .15"),
        _variant("staleness 0, floor .15", falls_to=1.0),
        _variant("staleness 0", config=timeless),
        _variant("staleness 0", config=timeless, falls_to=1.0),
        _variant("staleness 1", config=LEARNABILITY),
        _variant("staleness 1", config=LEARNABILITY, falls_to=1.0),
    ]


EXPLORED: dict[str, Arm] = {
    arm.name: arm
    for arm in (
        ARMS["plain 100%"],
        ARMS["plain 50%"],
        *_first_round(),
        *_second_round(),
        *_third_round(),
    )
}
