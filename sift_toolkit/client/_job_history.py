"""A job over time where there is no report: what its log or its charts tell, in a report's form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sift_toolkit.report import Observation, SiftReport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sift_toolkit.metrics import Metric

__all__ = ["history_of"]


def history_of(points: Iterable[tuple[Metric, float]]) -> SiftReport | None:
    """Return what *points* tell, None where there are none.

    Nothing on a line says which others came with it: a metric that comes again begins the next
    observation. Losses, classes and ids stand in no line, so the observations have none.
    """
    observations = []
    values: dict[str, float] = {}
    for metric, value in points:
        if metric.name in values:
            observations.append(Observation(values=values))
            values = {}
        values[metric.name] = value
    if not values:
        return None
    return SiftReport(observations=[*observations, Observation(values=values)])
