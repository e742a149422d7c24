"""Peak learning rates: tuned on plain training alone, at full and at reduced budgets."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from arms import Arm
from feeds import PlainFeed
from learning_tasks import TASKS, Task
from records import Key, read

TUNED_BUDGETS = (1.0, 0.5, 0.33)
TUNING_SEEDS = (100, 101)
"""Others than those of the comparison."""

Rates = dict[str, dict[str, float]]
"""By task and tuned budget."""


def tuning_arm(budget: float) -> Arm:
    """Return plain training for a share of the epochs, to be tuned."""
    return Arm(f"tuning {budget:.0%}", "plain", partial(PlainFeed, budget=budget), budget)


def tuning_runs() -> Iterator[tuple[Key, Task, Arm]]:
    """Yield what has to be run to tune all rates."""
    for seed in TUNING_SEEDS:
        for task in TASKS.values():
            for budget in TUNED_BUDGETS:
                arm = tuning_arm(budget)
                for rate in task.rates:
                    yield Key(task.name, arm.name, rate, seed), task, arm


def choose(runs: Path) -> Rates:
    """Return the best rate of each task and budget, by mean accuracy over the tuning seeds."""
    done = read(runs)
    chosen: Rates = {}
    for task in TASKS.values():
        chosen[task.name] = {}
        for budget in TUNED_BUDGETS:
            name = tuning_arm(budget).name
            means = {
                rate: statistics.mean(
                    done[Key(task.name, name, rate, seed)].accuracy for seed in TUNING_SEEDS
                )
                for rate in task.rates
            }
            chosen[task.name][str(budget)] = max(means, key=means.__getitem__)
    return chosen


def load(path: Path) -> Rates:
    """Return the rates that were chosen."""
    rates: Rates = json.loads(path.read_text(encoding="utf-8"))
    return rates


def rate_for(rates: Rates, task: str, arm: Arm) -> float:
    """Return plain's own rate at the tuned budget that is nearest to what the arm costs."""
    nearest = min(TUNED_BUDGETS, key=lambda budget: abs(budget - arm.cost))
    return rates[task][str(nearest)]
