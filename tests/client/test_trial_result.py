"""A result as text, data, HTML and picture."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sift_toolkit.client._trial_figure import trial_figure
from sift_toolkit.client._trial_result import TrialResult
from tests.client.trials import arm_of, metric, plan_of, played
from tests.html_page import Page, named_pictures, outside_references

HOSTILE = "<b>&$x$"


@pytest.fixture(scope="module")
def result() -> TrialResult:
    """A trial of three arms, one of which has a label that a browser would run."""
    plan = plan_of(arms=[arm_of(HOSTILE, 0.4), arm_of("bad", 0.6), arm_of("same", 0.5)])
    gains = {HOSTILE: 0.0, "bad": -0.05}
    outcomes = played(
        plan,
        lambda job: (
            0.9
            + 0.001 * job.seed
            + 0.03 * (job.arm.kind != "plain" or job.arm.epochs == 20)
            + gains.get(job.arm.label, -0.001)
        ),
    )
    return TrialResult.of(plan, outcomes)


def test_text(result: TrialResult) -> None:
    """The verdict, a line an arm with its letter, and what the figures mean, in 100 characters."""
    text = str(result)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0] == f"Sift: {HOSTILE}."
    assert sum(bool(re.match(r"[A-G] ", line)) for line in lines) == len(result.rows)
    assert "bad (1)" in text
    assert "Spent: " in text
    assert "TrialResult of" in repr(result)


def test_json(result: TrialResult) -> None:
    """Everything is in it, and nothing that is no JSON."""
    content = json.loads(result.to_json())
    assert set(content) == {"verdict", "arms", "jobs", "spent", "plan", "notes"}
    assert content["verdict"]["kind"] == "sift"
    assert content["verdict"]["config"]["keep"] == 0.4
    assert content["verdict"]["text"][0] == result.title
    assert [arm["dropped"] for arm in content["arms"] if arm["arm"] == "bad"] == [True]
    assert len(content["jobs"]) == len(result.outcomes)


def test_a_dataframe(result: TrialResult) -> None:
    """One row an arm, each figure with both ends of its interval."""
    frame = result.to_dataframe()
    assert list(frame.index) == [row.arm.label for row in result.rows]
    assert {"cost", "cost_low", "cost_high", "advantage", "advantage_low"} <= {*frame.columns}
    assert frame.loc["plain", "cost"] == 1
    assert frame.loc["bad", "seeds"] == 1


def test_a_page(result: TrialResult, tmp_path: Path) -> None:
    """It is whole, asks for nothing from elsewhere, and what a label says stays text."""
    result.save_html(tmp_path / "new" / "trial.html")
    html = (tmp_path / "new" / "trial.html").read_text(encoding="utf-8")
    page = Page(html)
    assert page.open == []
    assert "b" not in page.tags
    assert result.title in page.words
    assert len(named_pictures(page)) == 1
    assert outside_references(html) == []
    assert "color-scheme: light dark" in html
    assert "svg" not in Page(result.to_html(plot=False)).tags


def test_a_chart(result: TrialResult) -> None:
    """Both axes have their units, each arm its name, and the line of plain training its band."""
    figure = trial_figure(result)
    assert figure is not None
    words = Page(figure.chart).words
    assert "validation accuracy [%]" in words
    assert "passes [% of plain training in full]" in words
    assert "plain training, 90 % interval" in words
    assert sum(bool(re.match(r"[A-G] ", each)) for each in words) >= len(result.rows)
    assert figure.chart.count('fill-opacity="0.16"') == 2  # of the line, and in the legend


def test_a_fragment(result: TrialResult) -> None:
    """A notebook shows verdict, table, chart and notes, in the colours around them."""
    page = Page(result._repr_html_())
    assert page.open == []
    assert page.tags.count("tr") == 2 * (1 + len(result.rows))  # of the table and of the chart's
    assert result.title in page.words


def test_a_picture(result: TrialResult, tmp_path: Path) -> None:
    """Units stand at both axes, each arm has its letter, and who was dropped is hollow."""
    figure = result.plot(tmp_path / "trial.svg")
    (axes,) = figure.axes
    assert axes.get_xlabel() == "passes [% of plain training in full]"
    assert axes.get_ylabel() == "validation accuracy [%]"
    letters = {text.get_text() for text in axes.texts}
    assert len(letters) == len(result.rows)
    hollow = [
        line for line in axes.lines if line.get_marker() == "s" and line.get_mfc() == "#ffffff"
    ]
    assert len(hollow) == 1
    assert (tmp_path / "trial.svg").read_text().count("<svg") == 1


def test_a_metric_that_is_better_where_it_is_lower() -> None:
    """It is shown as it is, and so are differences; in data the better is always the higher."""
    plan = plan_of(
        arms=[arm_of()], seeds=2, measured=metric("train_loss", better="lower", tolerance=0.1)
    )
    result = TrialResult.of(plan, played(plan, lambda job: 0.5 - job.arm.epochs / 100))
    assert "0.30" in str(result)
    assert "in full, by" in str(result)
    assert result.rows[0].to_json()["score"]["mean"] == pytest.approx(-0.3)
    assert result.plot().axes[0].get_ylabel() == "train loss"


def test_nothing_was_run() -> None:
    """A trial without any outcome has a text and a page all the same, without a picture."""
    result = TrialResult.of(plan_of(), {})
    assert str(result).startswith("Not enough seeds to tell.")
    assert "<svg" not in result.to_html()
