"""The picture of twins: accuracy against what it took to reach it, measured and counted."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sift_toolkit.client._comparison import NOT_REPORTED, TwinComparison
from sift_toolkit.errors import SiftUsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sift_toolkit.client._comparison import Spread
    from sift_toolkit.client._job_figures import CurvePoint, JobFigures

__all__ = ["plot_twins"]

_Curve: TypeAlias = "list[tuple[float, float]]"
"""Cost and accuracy in percent of each validation of a run."""
_Cost: TypeAlias = "Callable[[CurvePoint], float | None]"

_THIN: Final[dict[str, Any]] = {"linewidth": 0.8, "alpha": 0.6}
_MOST_MARKERS: Final = 20
_INK: Final = "#333333"
_FAINT: Final = "#dddddd"


@dataclass(frozen=True, slots=True)
class _Style:
    name: str
    color: str
    marker: str


# Okabe and Ito's blue and vermilion: told apart by any colour vision, in grey by their markers.
_PLAIN: Final = _Style("plain", "#0072B2", "o")
_SIFTED: Final = _Style("sifted", "#D55E00", "s")


def plot_twins(
    plain: Sequence[JobFigures],
    sifted: Sequence[JobFigures],
    path: Path,
    *,
    title: str = "What sifting saves, and what it costs",
) -> Path:
    """Draw the learning curves of twins into a PNG.

    Left against the seconds spent loading, scoring and training, right against the passes made,
    in percent of all that a plain run makes. Thin lines are runs, thick ones their medians.
    Needs matplotlib, which the ``demo`` extra brings.

    Args:
        plain: The runs without sifting.
        sifted: The runs with sifting; each belongs to the plain run of the same place.
        path: Where the PNG goes; missing folders are made.
        title: Stands above both panels.

    Returns:
        *path*.

    Raises:
        SiftUsageError: the runs are no pairs, or none of them reported a validation accuracy.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    twins = TwinComparison(label=title, plain=tuple(plain), sifted=tuple(sifted))
    if not any(run.curve for run in twins.plain + twins.sifted):
        msg = f"no run reported a validation accuracy, so there is nothing to draw in {path}"
        raise SiftUsageError(msg)
    # No pyplot: it would keep the figure, and pick a backend for the whole process.
    figure = Figure(figsize=(11, 4.8), dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=14, color=_INK)
    measured, counted = figure.subplots(1, 2, sharey=True)

    _draw(measured, twins, lambda point: point.training_seconds, twins.measured_saving)
    measured.set_title("Measured time", loc="left", fontsize=11, color=_INK)
    measured.set_xlabel("loading, scoring and training [s]", color=_INK)
    measured.set_ylabel("validation accuracy [%]", color=_INK)

    _draw(counted, twins, _percent_of_plain(twins), twins.counted_saving)
    counted.set_title("Counted passes", loc="left", fontsize=11, color=_INK)
    counted.set_xlabel("training passes, scoring as a third [% of a plain run's]", color=_INK)
    _draw_legend(figure, len(twins.plain))

    path.parent.mkdir(parents=True, exist_ok=True)
    # No version of the library in the file: the same figures give the same bytes.
    figure.savefig(path, format="png", metadata={"Software": None})
    return path


def _draw_legend(figure: Figure, num_pairs: int) -> None:
    from matplotlib.lines import Line2D

    handle_of: dict[str, Artist] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        handle_of.update(zip(labels, handles, strict=True))
    if num_pairs > 1:
        handle_of[f"each of {num_pairs} runs (thick: the median)"] = Line2D(
            [], [], color=_INK, **_THIN
        )
    figure.legend(
        list(handle_of.values()),
        list(handle_of),
        loc="outside lower center",
        ncols=len(handle_of),
        frameon=False,
        fontsize=11,
    )


def _percent_of_plain(twins: TwinComparison) -> _Cost:
    totals = [run.passes for run in twins.plain if run.passes]

    def percent(point: CurvePoint) -> float | None:
        if point.passes is None or len(totals) < len(twins.plain):
            return None
        return 100 * point.passes / statistics.median(totals)

    return percent


def _draw(axes: Axes, twins: TwinComparison, cost: _Cost, saving: Spread | None) -> None:
    ends = []
    for runs, style, accuracy in (
        (twins.plain, _PLAIN, twins.plain_accuracy),
        (twins.sifted, _SIFTED, twins.sifted_accuracy),
    ):
        curves = [curve for run in runs if (curve := _curve(run, cost))]
        if not curves:
            continue
        label = (
            style.name if accuracy is None else f"{style.name}, {accuracy.center:.2%} at the end"
        )
        _draw_curves(axes, curves, style, label)
        ends.append(_median_curve(curves)[-1][0])
    if not ends:
        axes.text(0.5, 0.5, NOT_REPORTED, transform=axes.transAxes, ha="center", color=_INK)
        axes.set_xticks([])
    elif saving is not None and len(ends) == 2:
        _draw_saving(axes, ends[0], ends[1], saving.center)
    axes.set_xlim(left=0)
    axes.grid(color=_FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_INK)
    axes.tick_params(colors=_INK)


def _draw_curves(axes: Axes, curves: Sequence[_Curve], style: _Style, label: str) -> None:
    if len(curves) > 1:
        for curve in curves:
            axes.plot(*zip(*curve, strict=True), color=style.color, **_THIN)
    median = _median_curve(curves)
    axes.plot(
        *zip(*median, strict=True),
        color=style.color,
        linewidth=2.2,
        marker=style.marker,
        markersize=4.5,
        markevery=max(1, len(median) // _MOST_MARKERS),
        label=label,
    )


def _draw_saving(axes: Axes, plain_end: float, sifted_end: float, saving: float) -> None:
    """Mark both ends of training and the way between them."""
    height = axes.get_xaxis_transform()
    for end, style in ((plain_end, _PLAIN), (sifted_end, _SIFTED)):
        axes.axvline(end, color=style.color, linewidth=1, linestyle=":")
    axes.annotate(
        "",
        xy=(sifted_end, 0.5),
        xytext=(plain_end, 0.5),
        xycoords=height,
        textcoords=height,
        arrowprops={"arrowstyle": "->", "color": _INK, "shrinkA": 2, "shrinkB": 2},
    )
    axes.text(
        (plain_end + sifted_end) / 2,
        0.52,
        f"{abs(saving):.0%} {'less' if saving >= 0 else 'more'}",
        transform=height,
        ha="center",
        va="bottom",
        color=_INK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
    )


def _curve(run: JobFigures, cost: _Cost) -> _Curve:
    return [
        (spent, 100 * point.accuracy) for point in run.curve if (spent := cost(point)) is not None
    ]


def _median_curve(curves: Sequence[_Curve]) -> _Curve:
    """Return the medians of cost and accuracy at each validation that all runs reached."""
    return [
        (
            statistics.median(spent for spent, _ in points),
            statistics.median(accuracy for _, accuracy in points),
        )
        for points in zip(*curves, strict=False)
    ]
