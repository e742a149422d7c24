"""The charts of one report: what was kept over time, at which losses, and of which classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from sift_toolkit.display import (
    Band,
    Bar,
    Figure,
    Line,
    Row,
    bar_chart,
    html_table,
    line_chart,
    thinned,
)
from sift_toolkit.metrics import (
    KEPT_SHARE,
    LOAD_SECONDS,
    PROGRESS,
    SAMPLES_DROPPED,
    SAMPLES_SEEN,
    SCORE_SECONDS,
    TRAIN_SECONDS,
    TRAINING_STEPS,
)
from sift_toolkit.report._time import JobTime, time_figure

if TYPE_CHECKING:
    from sift_toolkit.report._report import ClassTotals, Observation, SiftReport

__all__ = ["class_figure", "kept_figure", "loss_figure", "report_figures"]

_MOST_POINTS: Final = 60
"""Of a line, and rows of the table behind it; a job of days has a hundred thousand."""
_MOST_CLASSES: Final = 30
_PERCENTILES: Final = ("5th", "25th", "50th", "75th", "95th")


class _Moment(NamedTuple):
    """An observation, and when it was."""

    when: float
    observation: Observation


def report_figures(report: SiftReport, of: str = "") -> list[Figure]:
    """Return all charts that a report has the numbers for.

    Args:
        report: The report.
        of: Whose it is, for screen readers, as " of keep 0.5".
    """
    drawn = (
        kept_figure(report, of),
        _own_time_figure(report, of),
        loss_figure(report, of),
        class_figure(report, of),
    )
    return [figure for figure in drawn if figure is not None]


def kept_figure(report: SiftReport, of: str = "") -> Figure | None:
    """Draw the share kept over time, since the start and since the point before."""
    axis, moments = _moments(report)
    moments = thinned(
        [each for each in moments if KEPT_SHARE.name in each.observation.values], _MOST_POINTS
    )
    if not moments:
        return None
    whole = [(when, 100 * seen.values[KEPT_SHARE.name]) for when, seen in moments]
    recent = list(_recent_shares(moments))
    title = "Data kept over time"
    lines = [Line("since the point before", recent)] if recent else []
    lines.append(Line("since the start", whole))
    chart = line_chart(
        f"{title}{of}",
        lines,
        x=axis,
        y="samples chosen, of those seen [%]",
        description=f"In the end {whole[-1][1]:.1f} % of the samples seen were chosen.",
    )
    by_moment = dict(recent)
    table = html_table(
        f"{title}{of}",
        [_split(axis), ["since the", "start %"], ["since the", "row before %"]],
        [
            Row(
                f"{when:,.4g}",
                [f"{share:.1f}", f"{by_moment[when]:.1f}" if when in by_moment else "-"],
            )
            for when, share in whole
        ],
    )
    return Figure(title, chart, table)


def loss_figure(report: SiftReport, of: str = "") -> Figure | None:
    """Draw the losses of what was kept and of what was dropped over time."""
    axis, moments = _moments(report)
    moments = thinned(
        [
            each
            for each in moments
            if each.observation.kept_losses or each.observation.dropped_losses
        ],
        _MOST_POINTS,
    )
    if not moments:
        return None
    kept = [(when, seen.kept_losses) for when, seen in moments if seen.kept_losses]
    dropped = [(when, seen.dropped_losses) for when, seen in moments if seen.dropped_losses]
    named = [("kept", kept), ("dropped", dropped)]
    title = "Losses of what was kept and dropped"
    chart = line_chart(
        f"{title}{of}",
        [_loss_line(name, points) for name, points in named if points],
        x=axis,
        y="loss when chosen or dropped",
        description=" ".join(
            f"The last median loss of the samples {name} is {points[-1][1][2]:.3g}."
            for name, points in named
            if points
        ),
        may_be_logarithmic=True,
    )
    rows = [
        Row(f"{when:,.4g}", [name, *(f"{loss:.3g}" for loss in losses)])
        for when, name, losses in sorted(
            ((when, name, losses) for name, points in named for when, losses in points),
            key=lambda row: (row[0], row[1] != "kept"),
        )
    ]
    columns = [["percentile", name] for name in _PERCENTILES]
    table = html_table(f"{title}{of}", [_split(axis), ["samples"], *columns], rows, text_columns=1)
    note = "Lines: the medians. Areas: the middle half, from the 25th percentile to the 75th."
    return Figure(title, chart, table, note)


def class_figure(report: SiftReport, of: str = "") -> Figure | None:
    """Draw which share of each class was kept; of many classes those at both ends."""
    classes = report.classes
    if classes is None or not classes.labels:
        return None
    shown = _shown_classes(classes)
    overall = sum(classes.chosen) / (sum(classes.seen) or 1)
    least, most = min(shown, key=lambda row: row[3]), max(shown, key=lambda row: row[3])
    title = "Data kept of each class"
    chart = bar_chart(
        f"{title}{of}",
        [Bar(str(label), 100 * share, f"{100 * share:.1f}") for label, _, _, share in shown],
        x="rows of the class chosen, of those seen [%]",
        description=(
            f"From {least[3]:.1%} of class {least[0]} to {most[3]:.1%} of class {most[0]}; "
            f"{overall:.1%} of all classes together."
        ),
        mark=(100 * overall, f"all classes: {100 * overall:.1f} %"),
    )
    table = html_table(
        f"{title}{of}",
        [["class"], ["rows", "seen"], ["rows", "chosen"], ["kept", "%"]],
        [
            Row(str(label), [f"{seen:,}", f"{chosen:,}", f"{100 * share:.1f}"])
            for label, seen, chosen, share in shown
        ],
    )
    cut = len(classes.labels) > len(shown)
    note = (
        f"The {len(shown)} of {len(classes.labels):,} classes least and most kept." if cut else ""
    )
    return Figure(title, chart, table, note)


def _shown_classes(classes: ClassTotals) -> list[tuple[int, int, int, float]]:
    rows = list(zip(classes.labels, classes.seen, classes.chosen, classes.kept_shares, strict=True))
    if len(rows) <= _MOST_CLASSES:
        return rows
    rows.sort(key=lambda row: row[3])
    return rows[: _MOST_CLASSES // 2] + rows[-_MOST_CLASSES // 2 :]


def _own_time_figure(report: SiftReport, of: str) -> Figure | None:
    parts = [report.last(part.name) for part in (LOAD_SECONDS, SCORE_SECONDS, TRAIN_SECONDS)]
    known = [part for part in parts if part is not None]
    return time_figure([JobTime("this job", *known)], of) if len(known) == len(parts) else None


def _moments(report: SiftReport) -> tuple[str, list[_Moment]]:
    """Return what tells the time best, with its unit, and the observations that have it."""
    for metric, factor, title in (
        (PROGRESS, 100.0, "training done [%]"),
        (TRAINING_STEPS, 1.0, "training done [steps]"),
    ):
        if report.series(metric.name):
            return title, [
                _Moment(factor * observation.values[metric.name], observation)
                for observation in report.observations
                if metric.name in observation.values
            ]
    return "observation [number]", [
        _Moment(float(number), each) for number, each in enumerate(report.observations, 1)
    ]


def _recent_shares(moments: Sequence[_Moment]) -> Iterator[tuple[float, float]]:
    """Yield what was kept in percent from one moment to the next."""
    seen_before = dropped_before = 0.0
    for when, observation in moments:
        seen, dropped = (
            observation.values.get(metric.name) for metric in (SAMPLES_SEEN, SAMPLES_DROPPED)
        )
        if seen is None or dropped is None or seen <= seen_before:
            continue
        yield when, 100 * (1 - (dropped - dropped_before) / (seen - seen_before))
        seen_before, dropped_before = seen, dropped


def _loss_line(name: str, points: Sequence[tuple[float, Sequence[float]]]) -> Line:
    band = Band([(when, losses[1], losses[3]) for when, losses in points])
    return Line(name, [(when, losses[2]) for when, losses in points], band)


def _split(axis: str) -> list[str]:
    """Put the unit of an axis on a line of its own."""
    name, _, unit = axis.rstrip("]").partition(" [")
    return [name, unit]
