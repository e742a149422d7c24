"""What a trial has found out: the verdict, a row an arm, as text, data, HTML and picture."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sift_toolkit.client._needed import needed
from sift_toolkit.client._text_table import TABLE_WIDTH, draw_table
from sift_toolkit.client._trial_budget import Spending, spending
from sift_toolkit.client._trial_plan import TrialPlan
from sift_toolkit.client._trial_results import Outcomes, TrialResults
from sift_toolkit.client._trial_rows import ArmRow, arm_rows
from sift_toolkit.client._trial_ruler import seed_ignored
from sift_toolkit.client._trial_statistics import Estimate
from sift_toolkit.client._trial_table import letter_of, trial_columns, trial_notes
from sift_toolkit.client._trial_verdict import TrialVerdict, verdict_of
from sift_toolkit.client._trial_words import headline, verdict_sentences

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

__all__ = ["TrialResult"]


@dataclass(frozen=True, kw_only=True, repr=False)
class TrialResult:
    """What a trial has found out; print it, show it in a notebook, or take its numbers."""

    verdict: TrialVerdict
    """What to do."""
    rows: tuple[ArmRow, ...]
    """The arms: plain training in full, shortened, and those that sift."""
    plan: TrialPlan
    """What was to be run."""
    spent: Spending
    """What it has cost."""
    notes: tuple[str, ...]
    """In whole sentences: what the figures mean, and what is missing."""
    outcomes: Outcomes
    """What came of each job, by the arm's label and the seed."""

    @classmethod
    def of(cls, plan: TrialPlan, outcomes: Outcomes, *, over_budget: bool = False) -> TrialResult:
        """Return what outcomes say.

        Args:
            plan: The trial.
            outcomes: Of the jobs that have ended.
            over_budget: Whether jobs were left out because the budget is used up.
        """
        rows = arm_rows(plan, outcomes)
        spent = spending(plan, outcomes)
        return cls(
            verdict=_verdict(plan, outcomes, rows),
            rows=rows,
            plan=plan,
            spent=spent,
            notes=tuple(trial_notes(plan, rows, spent, over_budget=over_budget)),
            outcomes=dict(outcomes),
        )

    @property
    def title(self) -> str:
        """The verdict in one sentence."""
        return headline(self.verdict, self.plan)

    def to_dict(self) -> dict[str, Any]:
        """Return everything, fit for JSON; null where a number is not known.

        Scores and differences are better where they are higher: of a metric that is better where it
        is lower they are negative.
        """
        return {
            "verdict": {**self.verdict.to_json(), "text": self.sentences},
            "arms": [row.to_json() for row in self.rows],
            "jobs": [
                {"arm": label, "seed": seed, **outcome.to_json()}
                for (label, seed), outcome in self.outcomes.items()
            ],
            "spent": {"trainings": self.spent.trainings, "hours": self.spent.hours},
            "plan": self.plan.to_json(),
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """Return `to_dict` as text."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False)

    def to_dataframe(self) -> DataFrame:
        """Return a DataFrame, one row an arm, indexed by its label.

        Of each figure there are three columns: the mean, and both ends of its interval.

        Raises:
            SiftJobError: pandas is not installed.
        """
        with needed("to_dataframe()", "pandas"):
            import pandas as pd
        return pd.DataFrame([_flat(row) for row in self.rows]).set_index("arm")

    @property
    def sentences(self) -> list[str]:
        """The verdict with its figures, a sentence each."""
        return verdict_sentences(self.verdict, self.plan)

    def lines(self) -> list[tuple[str, list[str]]]:
        """Return each arm's label, marked with its letter, and its cells."""
        columns = trial_columns(self.plan.metric)
        return [
            (f"{letter_of(place)} {row.arm.label}", [column.text(row) for column in columns])
            for place, row in enumerate(self.rows)
        ]

    def frontier(self, costs: list[float]) -> list[Estimate]:
        """Return plain training's score at costs, with its interval; empty: it is not known."""
        return TrialResults(self.plan, self.outcomes).frontier(costs)

    def __str__(self) -> str:
        lines = []
        for sentence in self.sentences:
            lines += textwrap.wrap(sentence, TABLE_WIDTH, subsequent_indent="  ")
        titles = [column.title for column in trial_columns(self.plan.metric)]
        lines += ["", *draw_table(titles, self.lines()), ""]
        for note in self.notes:
            lines += textwrap.wrap(note, TABLE_WIDTH, subsequent_indent="  ")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<TrialResult of {len(self.outcomes)} jobs: {self.title}>"

    def _repr_html_(self) -> str:
        from sift_toolkit.client._trial_html import trial_fragment

        return trial_fragment(self)

    def to_html(self, *, plot: bool = True) -> str:
        """Return a page of its own, with *plot* the chart too; nothing in it is elsewhere."""
        from sift_toolkit.client._trial_html import trial_page

        return trial_page(self, plot=plot)

    def save_html(self, path: str | Path, *, plot: bool = True) -> None:
        """Write `to_html` to a file; its folder is made."""
        text = self.to_html(plot=plot)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the score against the cost: plain training as a line with its band, arms as points.

        A notebook shows the figure. Needs matplotlib, which the ``demo`` extra brings.

        Args:
            path: Where it is saved too, as the kind of picture that the ending names.

        Raises:
            SiftJobError: matplotlib is not installed.
        """
        with needed("plot()", "matplotlib"):
            from sift_toolkit.client._trial_plot import draw_trial
        return draw_trial(self, path)


def _verdict(plan: TrialPlan, outcomes: Outcomes, rows: Sequence[ArmRow]) -> TrialVerdict:
    if seed_ignored(plan, outcomes):
        reason = (
            "all seeds gave plain training the same score to the last digit: the script does not "
            "follow its argument for the seed, or too few rows are held out to tell; so nothing is "
            "known of chance"
        )
        return TrialVerdict(kind="unknown", reason=reason)
    return verdict_of(rows, plan.metric.tolerance)


def _flat(row: ArmRow) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.to_json().items():
        if name in {"config", "seeds"}:
            continue
        if isinstance(value, dict):
            flat[name] = value["mean"]
            flat |= {f"{name}_{end}": value[end] for end in ("low", "high")}
        else:
            flat[name] = value
    return {**flat, "seeds": len(row.seeds)}
