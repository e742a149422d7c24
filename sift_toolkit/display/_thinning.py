"""Fewer points of a long series, evenly, and always the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

__all__ = ["thinned"]

Point = TypeVar("Point")


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """Return at most *most* of *points*, evenly spread, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(index * step)] for index in range(most)]
