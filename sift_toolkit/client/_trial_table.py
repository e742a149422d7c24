"""The columns of a trial's table, each declared once, and the notes under it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sift_toolkit.client._trial_budget import Spending
from sift_toolkit.client._trial_metric import TrialMetric
from sift_toolkit.client._trial_plan import TrialPlan
from sift_toolkit.client._trial_rows import ArmRow
from sift_toolkit.client._trial_statistics import Estimate
from sift_toolkit.client._trial_words import estimate_text, signed

__all__ = ["TrialColumn", "letter_of", "trial_columns", "trial_notes"]


@dataclass(frozen=True, slots=True)
class TrialColumn:
    """One figure of each arm."""

    title: tuple[str, str]
    """The two lines above it."""
    text: Callable[[ArmRow], str]


def letter_of(place: int) -> str:
    """Return what marks an arm in the table and in the picture: A, B, ..., Z, A1, ..."""
    rounds, rest = divmod(place, 26)
    return chr(ord("A") + rest) + (str(rounds) if rounds else "")


def trial_columns(metric: TrialMetric) -> list[TrialColumn]:
    """Return the columns of a table."""
    unit = "%" if metric.is_share else ""
    beside = metric.unit or "by"
    words = metric.title.split()
    columns = [
        TrialColumn(("", "seeds"), lambda row: str(len(row.seeds))),
        TrialColumn(("kept", "%"), lambda row: _number(row.kept_share, 100, "{:.1f}")),
        TrialColumn(("passes", "%"), lambda row: _mean(row.cost, 100, "{:.1f}")),
        TrialColumn(("seconds", "%"), lambda row: _mean(row.seconds, 100, "{:.1f}")),
        TrialColumn(
            (words[-1], unit),
            lambda row: _mean(signed(row.score, metric.sign), metric.scale, "{:.2f}"),
        ),
    ]
    return [
        *columns,
        TrialColumn(
            ("beside plain", f"in full, {beside}"), _compared(lambda row: row.difference, metric)
        ),
        TrialColumn(
            ("beside plain of", f"its cost, {beside}"), _compared(lambda row: row.advantage, metric)
        ),
    ]


def trial_notes(
    plan: TrialPlan, rows: Sequence[ArmRow], spent: Spending, *, over_budget: bool
) -> Iterator[str]:
    """Yield what the table means, and what is missing in it."""
    dropped = [f"{row.arm.label} ({len(row.seeds)})" for row in rows if row.dropped]
    if dropped:
        yield (
            "Worse than plain training of the same cost beyond the noise, so no further (seeds "
            f"had): {', '.join(dropped)}."
        )
    for row in rows:
        if row.failure is not None:
            yield f"{row.arm.label}: {' '.join(row.failure.split())}."
    if over_budget:
        yield (
            "The budget is used up before all was run: start the trial again with a larger one, "
            "and it goes on from here."
        )
    hours = f", {spent.hours:.2f} hours of jobs" if spent.hours else ""
    yield f"Spent: {spent.trainings:.1f} full plain trainings by passes{hours}."
    yield (
        f"Means over seeds, +- half the {100 * plan.confidence:g} % interval by Student's t, arms "
        "paired by seed. Passes: a scored sample counts a third of a trained one; seconds: "
        "loading, scoring and training; both of plain training in full. Plain training of the same "
        "cost lies between two that were measured, in the logarithm of their costs; intervals "
        "beside it hold for all arms at once, their spread pooled over arms."
    )


def _compared(
    figure: Callable[[ArmRow], Estimate | None], metric: TrialMetric
) -> Callable[[ArmRow], str]:
    def text(row: ArmRow) -> str:
        estimate = signed(figure(row), metric.sign)
        return "" if estimate is None else estimate_text(estimate, metric.scale, "{:+.2f}")

    return text


def _mean(estimate: Estimate | None, scale: float, form: str) -> str:
    return _number(None if estimate is None else estimate.mean, scale, form)


def _number(value: float | None, scale: float, form: str) -> str:
    return "-" if value is None else form.format(scale * value)
