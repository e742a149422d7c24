"""The chart of a trial for its page: what each arm reached, at which cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from sift_toolkit.client._trial_table import letter_of
from sift_toolkit.display import Band, Figure, Line, Row, html_table, line_chart

if TYPE_CHECKING:
    from sift_toolkit.client._trial_result import TrialResult
    from sift_toolkit.client._trial_rows import ArmRow

__all__ = ["frontier_points", "reach_of", "trial_figure"]

_STEPS: Final = 24


def trial_figure(result: TrialResult) -> Figure | None:
    """Draw it; None where no arm was measured."""
    metric = result.plan.metric
    arms = [
        _arm(place, row, result) for place, row in enumerate(result.rows) if row.score and row.cost
    ]
    if not arms:
        return None
    title = f"{metric.title[0].upper()}{metric.title[1:]}, and what it cost"
    name, x = _axes(result)
    frontier = frontier_points(result, _STEPS)
    percent = f"{100 * result.plan.confidence:g} %"
    line = Line(
        f"plain training, {percent} interval",
        [(cost, mean) for cost, _, mean, _ in frontier],
        Band([(cost, low, high) for cost, low, _, high in frontier]),
    )
    chart = line_chart(
        title,
        [*([line] if frontier else []), *arms],
        x=x,
        y=name,
        description=" ".join(
            f"{arm.name}: {arm.points[0][1]:.2f} at {arm.points[0][0]:.1f}." for arm in arms
        ),
        from_zero=False,
    )
    rows = [
        Row(arm.name, [f"{cost:.1f}", f"{score:.2f}"]) for arm in arms for cost, score in arm.points
    ]
    unit = "%" if metric.is_share else ""
    table = html_table(title, [["arm"], ["passes", "%"], [metric.title, unit]], rows)
    note = (
        "Bars: the interval of what an arm has beside plain training of its cost, for all arms at "
        "once."
    )
    return Figure(title, chart, table, note)


def frontier_points(result: TrialResult, steps: int) -> list[tuple[float, float, float, float]]:
    """Return plain training's line in the units of the chart: cost, low end, mean and high end.

    Empty where it was measured at one cost only; an end is not finite where it is not known.
    """
    known = [row.cost.mean for row in result.rows if row.arm.kind == "plain" and row.cost]
    if len(known) < 2:
        return []
    low, high = min(known), max(known)
    costs = [low + (high - low) * step / steps for step in range(steps + 1)]
    metric = result.plan.metric
    scale = metric.sign * metric.scale
    found = []
    for cost, one in zip(costs, result.frontier(costs), strict=True):
        ends = sorted((scale * one.low, scale * one.high))
        found.append((100 * cost, ends[0], scale * one.mean, ends[1]))
    return found


def reach_of(row: ArmRow, result: TrialResult) -> float | None:
    """Return how far an arm may be off beside plain training, None where that is not known.

    That of its advantage, in which what the seeds have in common is gone; plain's own is the band.
    """
    estimate = row.advantage
    if estimate is None or not math.isfinite(estimate.reach):
        return None
    return result.plan.metric.scale * estimate.reach


def _arm(place: int, row: ArmRow, result: TrialResult) -> Line:
    assert row.score is not None
    assert row.cost is not None
    metric = result.plan.metric
    cost, score = 100 * row.cost.mean, metric.sign * metric.scale * row.score.mean
    reach = reach_of(row, result)
    band = Band(()) if reach is None else Band([(cost, score - reach, score + reach)])
    return Line(f"{letter_of(place)} {row.arm.label}", [(cost, score)], band)


def _axes(result: TrialResult) -> tuple[str, str]:
    metric = result.plan.metric
    return metric.title + (
        " [%]" if metric.is_share else ""
    ), "passes [% of plain training in full]"
