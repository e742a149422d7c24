"""The page of the learning benchmark, out of runs whose differences are known."""

from __future__ import annotations

import json
from pathlib import Path

import page
import pytest
from arms import ARMS
from bar import Line
from figures import Runs, Table
from learning_tasks import TASKS
from records import Key
from summary import mean_over, shown, summary_table
from training import Outcome

WORTH = {"plain": 0.0, "random": 0.1, "peer": -0.5, "ours": 0.4}
"""Points above plain training of the same compute."""


def runs_of(*seeds: int) -> Runs:
    """Return runs in which plain training gains 4 points from nothing to all of its compute."""
    runs = {}
    for seed in seeds:
        for task in TASKS:
            for arm in ARMS.values():
                accuracy = 90 + 4 * arm.cost + WORTH[arm.family] + seed / 10
                runs[Key(task, arm.name, 0.01, seed)] = Outcome(
                    10, arm.cost, 0.0, arm.cost, accuracy, accuracy, accuracy - 5, 1.0
                )
    return runs


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file whose first line says where the runs were made."""
    path = tmp_path / "learning_full.jsonl"
    line = {"machine": "any, 2 cores", "torch": "2.13.0", "date": "2026-11-30"}
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    return path


def test_the_bar_is_counted() -> None:
    """Which demands are reached follows from the differences that were put in."""
    runs = runs_of(0, 1)
    lines = page.bar_of({task: Table(runs, task) for task in TASKS})
    reached = {line.demand: line.reached for line in lines}
    assert reached == {
        # 4 points a full training: half of it costs 2, and 0.4 of them come back.
        "67% kept: at least 31 % saved, at most 0.2 points lost": False,
        "50% kept: at least 47 % saved, at most 0.4 points lost": False,
        "33% kept: at least 62 % saved, at most 0.6 points lost": False,
        "40 % saved for at most 0.1 points on three clean tasks": False,
        **{line.demand: True for line in lines if is_about_controls(line)},
        "wrong labels: at half the compute as accurate as full training on every task": False,
        "and two standard errors above on at least two": False,
        "worst class at most 0.5 points below plain training's": True,
    }


def is_about_controls(line: Line) -> bool:
    """Whether a demand is held against plain or random training, or peers."""
    words = ("below plain training of", "below random", "above plain", "above random")
    return any(word in line.demand for word in words)


def test_a_page_holds_all_tasks_and_arms(file: Path) -> None:
    """Every task is a column and every arm a row, with the command that writes the page."""
    text = page.page(file, runs_of(0, 1, 2), "learning.png")
    assert "`python benchmarks/learning/page.py full`" in text
    assert f"{3 * len(TASKS) * len(ARMS)} trainings, 3 seeds" in " ".join(text.split())
    header = next(line for line in text.splitlines() if line.startswith("| arm | cost |"))
    assert header == f"| arm | cost | {' | '.join(TASKS)} |"
    assert all(f"\n| {arm} | " in text for arm in ARMS if arm != "plain 100%")
    assert "+0.40 ± 0.00" in text


def test_tasks_that_are_not_whole_are_left_out() -> None:
    """A task one of whose arms has a single seed yet is in no table."""
    runs = runs_of(0, 1)
    del runs[Key("letters", "InfoBatch", 0.01, 1)]
    assert {key.task for key in page.whole(runs)} == set(TASKS) - {"letters"}


def test_the_mean_over_tasks_has_the_error_of_the_seeds() -> None:
    """Two tasks with errors of 0.3 and 0.4 have one of 0.25 together."""
    runs = runs_of(0, 1)
    means = [
        Table(runs, "letters").to_plain("learnability 50%")._replace(value=1.0, error=0.3),
        Table(runs, "mnist").to_plain("learnability 50%")._replace(value=2.0, error=0.4),
    ]
    assert shown(mean_over(means)) == "+1.50 ± 0.25"


def test_the_summary_has_a_column_for_each_kind_there_is() -> None:
    """Kinds of which no task is there have no column, plain training no difference to itself."""
    runs = runs_of(0, 1)
    tables = {"letters": Table(runs, "letters")}
    lines = summary_table(tables, page.by_kind_of(tables))
    assert lines[0] == (
        "| way to train | passes | clean data, to full training "
        "| all tasks, to plain training of the same passes |"
    )
    assert "| plain 50% | 50% | -2.00 ± 0.00 |  |" in lines
    assert "| learnability 50% | 50% | -1.60 ± 0.00 | +0.40 ± 0.00 |" in lines
