"""Means of a few seeds, and how far they can be trusted: Student's t, without any library."""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Estimate", "pooled_deviation", "t_quantile"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean of a figure over seeds, and its interval by Student's t."""

    mean: float
    low: float
    """Lower end of the interval; -inf of one seed alone."""
    high: float
    n: int
    """Seeds."""

    @classmethod
    def of(cls, values: Iterable[float], confidence: float) -> Estimate | None:
        """Return the mean of *values* and its two-sided interval, None where there are none.

        Args:
            values: One of each seed; differences where seeds are paired.
            confidence: Share of such intervals that hold the true mean, between 0 and 1.
        """
        known = list(values)
        if not known:
            return None
        mean = statistics.fmean(known)
        if len(known) == 1:
            return cls(mean, -math.inf, math.inf, 1)
        error = statistics.stdev(known) / math.sqrt(len(known))
        reach = t_quantile(confidence, len(known) - 1) * error
        return cls(mean, mean - reach, mean + reach, len(known))

    @classmethod
    def with_noise(
        cls, values: Sequence[float], deviation: float, freedom: int, confidence: float
    ) -> Estimate:
        """Return the mean of *values* and its interval by a deviation that is known from more.

        Args:
            values: One of each seed, at least one.
            deviation: Of a single value.
            freedom: Degrees of freedom of that; without any the interval has no ends.
            confidence: As for `of`.
        """
        mean, number = statistics.fmean(values), len(values)
        if freedom < 1:
            return cls(mean, -math.inf, math.inf, number)
        reach = t_quantile(confidence, freedom) * deviation / math.sqrt(number)
        return cls(mean, mean - reach, mean + reach, number)

    @property
    def reach(self) -> float:
        """Half the interval's width; infinite of one seed."""
        return (self.high - self.low) / 2

    def to_json(self) -> dict[str, float | int | None]:
        """Return what it holds; null where an end is not known."""
        ends = {"low": self.low, "high": self.high}
        known = {name: end if math.isfinite(end) else None for name, end in ends.items()}
        return {"mean": self.mean, **known, "n": self.n}


def pooled_deviation(groups: Iterable[Sequence[float]]) -> tuple[float, int]:
    """Return the standard deviation within groups, and its degrees of freedom; 0 of them: none.

    Args:
        groups: Values each; the groups' means may differ, their spread is taken to be one.
    """
    squares, freedom = 0.0, 0
    for values in groups:
        if len(values) > 1:
            squares += statistics.variance(values) * (len(values) - 1)
            freedom += len(values) - 1
    return (math.sqrt(squares / freedom) if freedom else 0.0), freedom


@functools.lru_cache(maxsize=256)
def t_quantile(confidence: float, freedom: int) -> float:
    """Return how far from 0 Student's t stays with a probability of *confidence*, either side."""
    high = 1.0
    while _within(high, freedom) < confidence:
        high *= 2
    low = 0.0
    # Halved until neighbouring numbers are reached.
    while low < (middle := (low + high) / 2) < high:
        if _within(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return high


def _within(t: float, freedom: int) -> float:
    """Return the probability that Student's t lies between -t and t.

    The finite series of Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3-26.7.4.
    """
    angle = math.atan2(t, math.sqrt(freedom))
    square = math.cos(angle) ** 2
    term, total = 1.0, 0.0
    if freedom % 2 == 0:
        for step in range(freedom // 2):
            term *= (2 * step - 1) / (2 * step) * square if step else 1.0
            total += term
        return math.sin(angle) * total
    for step in range((freedom - 1) // 2):
        term *= 2 * step / (2 * step + 1) * square if step else math.cos(angle)
        total += term
    return 2 / math.pi * (angle + math.sin(angle) * total)
