"""The picture of the learning benchmark: accuracy over compute, a panel a task."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from figures import Runs, Table, accuracy
from learning_tasks import TASKS
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_COLUMNS = 4
# Okabe and Ito's colours, which differ for every kind of eye; markers say it too.
_STYLES = {
    "learnability": ("#0072B2", "o"),
    "percentile": ("#56B4E9", "s"),
    "random": ("#999999", "v"),
    "AWS": ("#D55E00", "X"),
    "Composer": ("#CC79A7", "P"),
    "InfoBatch": ("#009E73", "D"),
    "KAKURENBO": ("#E69F00", "^"),
}


def draw(runs: Runs, file: Path) -> None:
    """Draw all tasks of the runs into a PNG."""
    mpl.use("agg")
    tasks = [task for task in TASKS if any(key.task == task for key in runs)]
    rows = -(-len(tasks) // _COLUMNS)
    figure = Figure(figsize=(4 * _COLUMNS, 3.2 * rows + 0.6), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for panel, task in zip(panels, tasks, strict=False):
        _panel(panel, Table(runs, task), task)
    for panel in panels[len(tasks) :]:
        panel.set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    figure.savefig(file, dpi=90)


def _panel(panel: Axes, table: Table, task: str) -> None:
    plain = sorted((table.cost(arm), arm) for arm in table.arms if arm.startswith("plain "))
    means = [table.of(arm, accuracy) for _, arm in plain]
    costs = [cost for cost, _ in plain]
    panel.plot(costs, [mean.value for mean in means], color="black", label="plain")
    panel.fill_between(
        costs,
        [mean.value - mean.error for mean in means],
        [mean.value + mean.error for mean in means],
        color="black",
        alpha=0.15,
    )
    top = max(mean.value for mean in means)
    for word, (colour, marker) in _STYLES.items():
        arms = [arm for arm in table.arms if arm.startswith(word)]
        if not arms:
            continue
        points = [table.of(arm, accuracy) for arm in arms]
        top = max(top, *(point.value + point.error for point in points))
        panel.errorbar(
            [table.cost(arm) for arm in arms],
            [point.value for point in points],
            yerr=[point.error for point in points],
            fmt=marker,
            color=colour,
            label=word,
            markersize=6,
        )
    low = min(mean.value for mean in means)
    high = max(mean.value for mean in means)
    # What is far below plain training may be cut off, what is above it may not.
    panel.set_ylim(low - (high - low) * 0.3 - 0.05, top + (high - low) * 0.1 + 0.05)
    panel.set_title(task)
    panel.set_xlabel("training passes, of full plain training's")
    panel.set_ylabel("test accuracy, %")
    panel.grid(alpha=0.3)
