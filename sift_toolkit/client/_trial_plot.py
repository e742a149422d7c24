"""The picture of a trial: what each arm reached, at which cost, beside plain training.

Matplotlib is imported right here: import this module on use only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sift_toolkit.client._picture import new_picture, save_picture
from sift_toolkit.client._trial_arms import ArmKind
from sift_toolkit.client._trial_rows import ArmRow
from sift_toolkit.client._trial_statistics import Estimate
from sift_toolkit.client._trial_table import letter_of

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sift_toolkit.client._trial_result import TrialResult

__all__ = ["draw_trial"]

_STEPS: Final = 60


@dataclass(frozen=True, slots=True)
class _Colors:
    """The colours of a picture: Okabe and Ito's, told apart by any colour vision."""

    paper: str
    ink: str
    faint: str
    plain: str
    sifted: str
    random: str


_LIGHT: Final = _Colors("#ffffff", "#333333", "#dddddd", "#000000", "#D55E00", "#0072B2")
_DARK: Final = _Colors("#121212", "#dddddd", "#444444", "#ffffff", "#E69F00", "#56B4E9")
_MARKERS: Final[dict[ArmKind, str]] = {"plain": "o", "random": "^", "sifted": "s"}
_KINDS: Final[dict[ArmKind, str]] = {
    "plain": "plain training, in full and shortened",
    "random": "random samples",
    "sifted": "sifted",
}


def draw_trial(result: TrialResult, path: str | Path | None, *, dark: bool) -> Figure:
    """Draw it, and save it where *path* says."""
    colors = _DARK if dark else _LIGHT
    figure = new_picture(11, 5.5, paper=colors.paper)
    axes = figure.subplots()
    axes.set_facecolor(colors.paper)
    axes.grid(color=colors.faint, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_title(_literal(result.title), loc="left", fontsize=12, color=colors.ink)
    metric = result.plan.metric
    unit = " [%]" if metric.is_share else ""
    axes.set_ylabel(f"{metric.title}{unit}", color=colors.ink)
    axes.set_xlabel("passes [% of plain training in full]", color=colors.ink)
    _draw_frontier(axes, result, colors)
    for kind in _KINDS:
        _draw_arms(axes, result, kind, colors)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(colors.ink)
    axes.tick_params(colors=colors.ink)
    figure.legend(
        loc="outside lower left", ncols=3, frameon=False, fontsize=9, labelcolor=colors.ink
    )
    figure.text(
        0.78, 0.93, _key(result), color=colors.ink, fontsize=9, ha="left", va="top"
    ).set_in_layout(False)
    figure.get_layout_engine().set(rect=(0, 0, 0.76, 1))  # type: ignore[union-attr,call-arg] # constrained
    if path is not None:
        save_picture(figure, path)
    return figure


def _draw_frontier(axes: Axes, result: TrialResult, colors: _Colors) -> None:
    known = [row.cost.mean for row in result.rows if row.arm.kind == "plain" and row.cost]
    if len(known) < 2:
        return
    low, high = min(known), max(known)
    costs = [low + (high - low) * step / _STEPS for step in range(_STEPS + 1)]
    band = result.frontier(costs)
    shown = _shown(result)
    places = [100 * cost for cost in costs]
    axes.plot(places, [shown(one.mean) for one in band], color=colors.plain, linewidth=1.2)
    if all(math.isfinite(one.reach) for one in band):
        axes.fill_between(
            places,
            [shown(one.low) for one in band],
            [shown(one.high) for one in band],
            color=colors.plain,
            alpha=0.12,
            linewidth=0,
            label=f"its {100 * result.plan.confidence:g} % interval over seeds",
        )


def _draw_arms(axes: Axes, result: TrialResult, kind: ArmKind, colors: _Colors) -> None:
    shown = _shown(result)
    label: str | None = _KINDS[kind]
    color = getattr(colors, kind)
    for place, row in enumerate(result.rows):
        if row.arm.kind != kind or row.score is None or row.cost is None:
            continue
        x, y = 100 * row.cost.mean, shown(row.score.mean)
        axes.errorbar(
            [x],
            [y],
            yerr=_error(row, result),
            color=color,
            marker=_MARKERS[kind],
            markersize=6,
            # Hollow: it went no further.
            markerfacecolor=colors.paper if row.dropped else color,
            elinewidth=0.8,
            linestyle="none",
            label=label,
        )
        label = None
        axes.annotate(
            letter_of(place),
            (x, y),
            xytext=(6, 4),
            textcoords="offset points",
            fontsize=10,
            color=colors.ink,
        )


def _error(row: ArmRow, result: TrialResult) -> float | None:
    """Return how far the arm may be off beside plain training, None where that is not known.

    That of its difference, in which what the seeds have in common is gone; plain's own is the band.
    """
    estimate: Estimate | None = row.advantage
    if estimate is None or not math.isfinite(estimate.reach):
        return None
    return result.plan.metric.scale * estimate.reach


def _shown(result: TrialResult) -> Callable[[float], float]:
    metric = result.plan.metric
    return lambda score: metric.sign * metric.scale * score


def _key(result: TrialResult) -> str:
    """Return which arm each letter stands for."""
    lines = (f"{letter_of(place)}  {row.arm.label}" for place, row in enumerate(result.rows))
    return _literal("\n".join(lines))


def _literal(text: str) -> str:
    """Return text of which a dollar sign begins no formula."""
    return text.replace("$", r"\$")
