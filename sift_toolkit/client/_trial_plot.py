"""The picture of a trial: what each arm reached, at which cost, beside plain training.

Matplotlib is imported right here: import this module on use only.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from sift_toolkit.client._picture import new_picture, save_picture
from sift_toolkit.client._trial_arms import ArmKind
from sift_toolkit.client._trial_figure import frontier_points, reach_of
from sift_toolkit.client._trial_table import letter_of

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sift_toolkit.client._trial_result import TrialResult

__all__ = ["draw_trial"]

_STEPS: Final = 60


_PAPER: Final = "#ffffff"
_INK: Final = "#333333"
_FAINT: Final = "#dddddd"
# Okabe and Ito's colours: told apart by any colour vision; markers differ too.
_COLORS: Final[dict[ArmKind, str]] = {
    "plain": "#000000",
    "random": "#0072B2",
    "sifted": "#D55E00",
}
_MARKERS: Final[dict[ArmKind, str]] = {"plain": "o", "random": "^", "sifted": "s"}
_KINDS: Final[dict[ArmKind, str]] = {
    "plain": "plain training, in full and shortened",
    "random": "random samples",
    "sifted": "sifted",
}


def draw_trial(result: TrialResult, path: str | Path | None) -> Figure:
    """Draw it, and save it where *path* says."""
    figure = new_picture(11, 5.5)
    axes = figure.subplots()
    axes.grid(color=_FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_title(_literal(result.title), loc="left", fontsize=12, color=_INK)
    metric = result.plan.metric
    unit = " [%]" if metric.is_share else ""
    axes.set_ylabel(f"{metric.title}{unit}", color=_INK)
    axes.set_xlabel("passes [% of plain training in full]", color=_INK)
    _draw_frontier(axes, result)
    for kind in _KINDS:
        _draw_arms(axes, result, kind)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_INK)
    axes.tick_params(colors=_INK)
    figure.legend(loc="outside lower left", ncols=3, frameon=False, fontsize=9, labelcolor=_INK)
    figure.text(
        0.78, 0.93, _key(result), color=_INK, fontsize=9, ha="left", va="top"
    ).set_in_layout(False)
    figure.get_layout_engine().set(rect=(0, 0, 0.76, 1))  # type: ignore[union-attr,call-arg] # constrained
    if path is not None:
        save_picture(figure, path)
    return figure


def _draw_frontier(axes: Axes, result: TrialResult) -> None:
    points = frontier_points(result, _STEPS)
    if not points:
        return
    costs, lows, means, highs = (list(each) for each in zip(*points, strict=True))
    axes.plot(costs, means, color=_COLORS["plain"], linewidth=1.2)
    if all(map(math.isfinite, lows)):
        axes.fill_between(
            costs,
            lows,
            highs,
            color=_COLORS["plain"],
            alpha=0.12,
            linewidth=0,
            label=f"its {100 * result.plan.confidence:g} % interval over seeds",
        )


def _draw_arms(axes: Axes, result: TrialResult, kind: ArmKind) -> None:
    metric = result.plan.metric
    label: str | None = _KINDS[kind]
    color = _COLORS[kind]
    for place, row in enumerate(result.rows):
        if row.arm.kind != kind or row.score is None or row.cost is None:
            continue
        x, y = 100 * row.cost.mean, metric.sign * metric.scale * row.score.mean
        axes.errorbar(
            [x],
            [y],
            yerr=reach_of(row, result),
            color=color,
            marker=_MARKERS[kind],
            markersize=6,
            # Hollow: it went no further.
            markerfacecolor=_PAPER if row.dropped else color,
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
            color=_INK,
        )


def _key(result: TrialResult) -> str:
    """Return which arm each letter stands for."""
    lines = (f"{letter_of(place)}  {row.arm.label}" for place, row in enumerate(result.rows))
    return _literal("\n".join(lines))


def _literal(text: str) -> str:
    """Return text of which a dollar sign begins no formula."""
    return text.replace("$", r"\$")
