"""From runs to figures: paired differences to plain training of the same compute, and the bar."""

from __future__ import annotations

import bisect
import math
import statistics
from collections.abc import Callable, Iterable
from typing import NamedTuple

from records import Key
from training import Outcome

FULL = "plain 100%"
Runs = dict[Key, Outcome]
Measure = Callable[[Outcome], float]


class Mean(NamedTuple):
    """A mean over seeds."""

    value: float
    error: float
    """Standard error."""
    number: int

    @property
    def in_errors(self) -> float:
        """The mean in standard errors."""
        if self.error > 0:
            return self.value / self.error
        return math.copysign(math.inf, self.value) if self.value else 0.0


def mean_of(values: Iterable[float]) -> Mean:
    """Return the mean of values and its standard error; at least two are needed."""
    numbers = list(values)
    return Mean(
        statistics.mean(numbers), statistics.stdev(numbers) / len(numbers) ** 0.5, len(numbers)
    )


def accuracy(outcome: Outcome) -> float:
    """Return the percent of the test rows."""
    return outcome.accuracy


def worst(outcome: Outcome) -> float:
    """Return the percent of the class recognised worst."""
    return outcome.worst


class Table:
    """The runs of one task.

    Args:
        runs: of all tasks.
        task: the one.
    """

    def __init__(self, runs: Runs, task: str) -> None:
        self._by_arm: dict[str, dict[int, Outcome]] = {}
        for key, outcome in runs.items():
            if key.task == task:
                self._by_arm.setdefault(key.arm, {})[key.seed] = outcome
        self.arms = list(self._by_arm)

    def of(self, arm: str, measure: Measure) -> Mean:
        """Return the mean of a measure over the seeds of an arm."""
        return mean_of(map(measure, self._by_arm[arm].values()))

    def cost(self, arm: str) -> float:
        """Return what an arm costs, of full plain training."""
        return statistics.mean(each.cost for each in self._by_arm[arm].values())

    def to_arm(self, arm: str, other: str, measure: Measure = accuracy) -> Mean:
        """Return an arm's difference to another one, paired by seed."""
        return mean_of(self.differences(arm, other, measure))

    def differences(self, arm: str, other: str, measure: Measure = accuracy) -> list[float]:
        """Return an arm's difference to another one, of each seed that both have."""
        others = self._by_arm.get(other, {})
        return [
            measure(outcome) - measure(others[seed])
            for seed, outcome in self._by_arm.get(arm, {}).items()
            if seed in others
        ]

    def to_plain(self, arm: str, measure: Measure = accuracy) -> Mean:
        """Return an arm's difference to plain training of the same compute, paired by seed.

        Between the budgets that plain training was run at it is a line; a seed that was not run at
        all of them does not count.
        """
        plain = [set(runs) for name, runs in self._by_arm.items() if name.startswith("plain ")]
        whole = set.intersection(*plain)
        return mean_of(
            measure(outcome) - self._plain(seed, outcome.cost, measure)
            for seed, outcome in self._by_arm[arm].items()
            if seed in whole
        )

    def _plain(self, seed: int, cost: float, measure: Measure) -> float:
        points = sorted(
            (by_seed[seed].cost, measure(by_seed[seed]))
            for arm, by_seed in self._by_arm.items()
            if arm.startswith("plain ") and seed in by_seed
        )
        return on_line(points, cost)


def on_line(points: list[tuple[float, float]], place: float) -> float:
    """Return the value at a place of the line through points, which go on level at both ends.

    Args:
        points: (place, value), ascending.
        place: where to look.
    """
    places = [each for each, _ in points]
    right = bisect.bisect_left(places, place)
    if right == 0:
        return points[0][1]
    if right == len(points):
        return points[-1][1]
    (before, low), (after, high) = points[right - 1], points[right]
    return low + (high - low) * (place - before) / (after - before)
