"""From numbers to places on an axis, with ticks at round numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_MOST_STEPS: Final = 5
_STEPS: Final = (1, 2, 5, 10)
_LOG_FROM: Final = 50.0
"""Positive numbers that differ by so large a factor stand on a logarithmic scale, if they may."""
_TINY: Final = 1e-9
_LEAST: Final = 1e-300


@dataclass(frozen=True, slots=True)
class Scale:
    """The numbers of one axis; its ends are the first and the last of its ticks."""

    ticks: tuple[float, ...]
    """Ascending, at least two."""
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return where a number lies: 0 at the low end, 1 at the high one, cut off beyond."""
        low, high = self.ticks[0], self.ticks[-1]
        if self.logarithmic:
            low, high, value = (math.log10(max(each, _TINY)) for each in (low, high, value))
        return min(max((value - low) / (high - low), 0.0), 1.0)


def scale_of(
    values: Iterable[float], *, from_zero: bool = True, may_be_logarithmic: bool = False
) -> Scale:
    """Return a scale that holds all *values*.

    Args:
        values: Finite numbers; none at all make a scale from 0 to 1.
        from_zero: Whether nought is on it in any case.
        may_be_logarithmic: Whether it is so where all are positive and far apart.
    """
    # Numbers that a logarithm cannot tell from nought are nought.
    known = sorted(value if abs(value) > _LEAST else 0.0 for value in values)
    if not known:
        return Scale((0.0, 1.0))
    low, high = known[0], known[-1]
    if may_be_logarithmic and low > 0 and high / low >= _LOG_FROM:
        return Scale(_powers(low, high), logarithmic=True)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= _TINY * max(abs(low), abs(high)):
        # One number alone: a scale around it.
        low, high = (0.0, high * 2 or 1.0) if high >= 0 else (low * 2, 0.0)
    return Scale(_round_ticks(low, high))


def tick_text(value: float) -> str:
    """Return the number at a tick."""
    if value and (abs(value) >= 1e6 or abs(value) < 1e-3):
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:,.6g}"


def _round_ticks(low: float, high: float) -> tuple[float, ...]:
    rough = (high - low) / _MOST_STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in _STEPS if each * power >= rough * (1 - _TINY))
    first, last = math.floor(low / step + _TINY), math.ceil(high / step - _TINY)
    # Through text, so that 3 * 0.1 is 0.3.
    return tuple(float(f"{number * step:.12g}") for number in range(first, last + 1))


def _powers(low: float, high: float) -> tuple[float, ...]:
    first, last = math.floor(math.log10(low) + _TINY), math.ceil(math.log10(high) - _TINY)
    first = max(first, -9)
    last = max(last, first + 1)
    every = math.ceil((last - first) / (_MOST_STEPS + 1))
    # From the top, so that the largest numbers are always on it.
    return tuple(sorted(10.0**power for power in range(last, first - every, -every)))
