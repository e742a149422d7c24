"""The picture of a comparison: where the time went, and what was saved at which accuracy.

Matplotlib is imported right here: import this module on use only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sift_toolkit.client._compare_columns import status_text
from sift_toolkit.client._compare_rows import is_finished
from sift_toolkit.client._comparison import NOT_REPORTED
from sift_toolkit.client._picture import new_picture, save_picture, without_formulas

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sift_toolkit.client._compare import Comparison
    from sift_toolkit.client._compare_rows import ComparedJob
    from sift_toolkit.client._job_facts import JobFacts

__all__ = ["draw_comparison"]

_INK: Final = "#333333"
_FAINT: Final = "#dddddd"
_LONGEST_LABEL: Final = 32
_LEGEND: Final[dict[str, Any]] = {
    "loc": "outside lower left",
    "ncols": 3,
    "frameon": False,
    "fontsize": 10,
}


@dataclass(frozen=True, slots=True)
class _Part:
    """One piece of a bar."""

    name: str
    color: str
    hatch: str
    seconds: Callable[[JobFacts], float | None]


# Okabe and Ito's colours: told apart by any colour vision, in grey by lightness and hatching.
_PARTS: Final = (
    _Part("load", "#56B4E9", "", lambda facts: facts.figures.load_seconds),
    _Part("score", "#E69F00", "///", lambda facts: facts.figures.score_seconds),
    _Part("train", "#0072B2", "", lambda facts: facts.figures.train_seconds),
)
_TWIN_COLOR: Final = "#000000"
_JOB_COLOR: Final = "#D55E00"

_SAVINGS: Final[tuple[tuple[str, Callable[[ComparedJob], float | None]], ...]] = (
    ("cost saved [% of the twin's]", lambda job: job.cost_saved),
    ("training time saved [% of the twin's]", lambda job: job.training_time_saved),
    ("counted passes saved [% of the twin's]", lambda job: job.counted_saved),
)
_UNITS: Final = ((2 * 86_400, 3600, "h"), (2 * 3600, 60, "min"), (0, 1, "s"))
"""From so many seconds on: the seconds in a unit, and the unit."""


def draw_comparison(comparison: Comparison, path: str | Path | None) -> Figure:
    """Draw both panels, and save them where *path* says."""
    jobs = comparison.jobs
    height = max(3.6, 1.8 + 0.42 * len(jobs))
    figure = new_picture(11, height)
    figure.suptitle(without_formulas(comparison.title), fontsize=13, color=_INK)
    time, gain = figure.subplots(1, 2)
    _draw_time(time, jobs)
    figure.legend(*time.get_legend_handles_labels(), **_LEGEND)
    _draw_gain(gain, jobs, with_twin=comparison.twin is not None)
    for axes in (time, gain):
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(_INK)
        axes.tick_params(colors=_INK)
    if path is not None:
        save_picture(figure, path)
    return figure


def _draw_time(axes: Axes, jobs: Sequence[ComparedJob]) -> None:
    axes.set_title("Where the time went", loc="left", fontsize=11, color=_INK)
    totals = [sum(part.seconds(job.facts) or 0.0 for part in _PARTS) for job in jobs]
    size, unit = next((size, unit) for least, size, unit in _UNITS if max(totals) >= least)
    places = range(len(jobs))
    ends = [0.0] * len(jobs)
    for part in _PARTS:
        widths = [(part.seconds(job.facts) or 0.0) / size for job in jobs]
        axes.barh(
            places,
            widths,
            left=ends,
            height=0.62,
            color=part.color,
            hatch=part.hatch,
            edgecolor="white",
            linewidth=0.8,
            label=part.name,
        )
        ends = [end + width for end, width in zip(ends, widths, strict=True)]
    for place, (job, total) in enumerate(zip(jobs, totals, strict=True)):
        text = f" {total / size:,.4g} {unit}" if total else f" {NOT_REPORTED}"
        text += "" if is_finished(job.facts) else f", {_short(status_text(job))}"
        axes.text(total / size, place, text, va="center", color=_INK, fontsize=9)
    axes.set_yticks(places, [_short(job.label) for job in jobs])
    axes.invert_yaxis()
    axes.set_xlim(0, max(ends) * 1.22 or 1)
    axes.set_xlabel(f"loading, scoring and training [{unit}]", color=_INK)
    axes.grid(axis="x", color=_FAINT, linewidth=0.8)


def _draw_gain(axes: Axes, jobs: Sequence[ComparedJob], *, with_twin: bool) -> None:
    """Draw accuracy against what was saved, the twin where nothing is."""
    axes.grid(color=_FAINT, linewidth=0.8)
    if with_twin:
        name, saving = _best_saving(jobs)
        axes.set_title("What was saved, at which accuracy", loc="left", fontsize=11, color=_INK)
        points = [
            (job, 100 * saved, job.accuracy_difference)
            for job in jobs
            if (saved := saving(job)) is not None and job.accuracy_difference is not None
        ]
        points = [(job, 0.0, 0.0) for job in jobs if job.is_twin and points] + points
        axes.set_ylabel("accuracy beside the twin's [points]", color=_INK)
    else:
        name = "loading, scoring and training [s]"
        axes.set_title("Accuracy, and the time it took", loc="left", fontsize=11, color=_INK)
        points = [
            (job, spent, 100 * accuracy)
            for job in jobs
            if (spent := job.facts.figures.training_seconds) is not None
            and (accuracy := job.facts.figures.validation_accuracy) is not None
        ]
        axes.set_ylabel("validation accuracy [%]", color=_INK)
    axes.set_xlabel(name, color=_INK)
    _draw_points(axes, points)


def _best_saving(
    jobs: Sequence[ComparedJob],
) -> tuple[str, Callable[[ComparedJob], float | None]]:
    """Return the saving that most jobs have; of equals the one that money follows."""

    def known(saving: tuple[str, Callable[[ComparedJob], float | None]]) -> int:
        return sum(saving[1](job) is not None for job in jobs)

    return max(_SAVINGS, key=known)


def _draw_points(axes: Axes, points: Sequence[tuple[ComparedJob, float, float]]) -> None:
    if not points:
        axes.text(0.5, 0.5, NOT_REPORTED, transform=axes.transAxes, ha="center", color=_INK)
        axes.set_xticks([])
        axes.set_yticks([])
        return
    for job, x, y in points:
        color, marker = (_TWIN_COLOR, "o") if job.is_twin else (_JOB_COLOR, "s")
        axes.plot([x], [y], color=color, marker=marker, markersize=7, linestyle="none")
    axes.margins(0.18)
    left, right = axes.get_xlim()
    for index, (job, x, y) in enumerate(sorted(points, key=lambda point: point[1])):
        above, place = index % 2 == 0, (x - left) / (right - left)
        axes.annotate(
            _short(job.label),
            (x, y),
            xytext=(0, 8 if above else -8),
            textcoords="offset points",
            # Away from the edges, beyond which a long label would lie on the axis.
            ha="left" if place < 1 / 3 else "right" if place > 2 / 3 else "center",
            va="bottom" if above else "top",
            fontsize=9,
            color=_INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8},
        )
    if any(job.is_twin for job, _, _ in points):
        axes.axhline(0, color=_INK, linewidth=0.8, linestyle=":")
        axes.axvline(0, color=_INK, linewidth=0.8, linestyle=":")


def _short(label: str) -> str:
    """Cut the middle out of a long label: names of jobs begin alike and end in their time."""
    half = (_LONGEST_LABEL - 3) // 2
    text = label if len(label) <= _LONGEST_LABEL else f"{label[:half]}...{label[-half:]}"
    return without_formulas(text)
