"""Writes the page and the picture of the learning benchmark, beside the file of its runs."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterable
from pathlib import Path

from bar import Line, against_aws, against_controls, frontier, with_wrong_labels, worst_class
from explore import EXPLORED_TASKS
from figures import FULL, Runs, Table, accuracy
from learning_tasks import TASKS
from picture import draw
from records import read
from summary import explored_table, row, shown, summary_table

RESULTS = Path(__file__).resolve().parents[1] / "results"
RULE = "learnability"
ARM = f"{RULE} 50%"
RANDOM = "random 50%"
HEADLINE = (
    f"{RULE} 67%",
    ARM,
    "plain 67%",
    "plain 50%",
    RANDOM,
    "AWS's scheme, beta 1",
    "Composer's selective backprop",
    "InfoBatch",
    "KAKURENBO",
)
_LEAST_SEEDS = 2
_HEAD = """\
# What sifting is worth: accuracy at the same compute

Written by `python benchmarks/learning/page.py {plan}` from [{file}]({file}): {number} trainings,
{seeds} seeds of each arm and task; {machine}, torch {torch}, {date}. Tasks, data and licences:
[benchmarks/learning](../learning/README.md).

Cost counts passes, of full plain training's: one for a row trained on, a third for a row scored.
Every arm's learning rate comes down to 0 at its own end; its peak is the one at which plain
training of about the same cost was best, on other seeds
([learning_rates.json](learning_rates.json)).
Differences are in points of accuracy, paired by seed, mean ± standard error; to plain training *of
the same compute* means: on the line between the budgets it was run at.

![Accuracy over compute, a panel a task]({picture})

"""


def whole(runs: Runs) -> Runs:
    """Return the runs of the tasks that have all arms, each with two seeds or more."""
    arms = {key.arm for key in runs}
    counts: dict[tuple[str, str], int] = {}
    for key in runs:
        counts[key.task, key.arm] = counts.get((key.task, key.arm), 0) + 1
    tasks = {
        task for task in TASKS if all(counts.get((task, arm), 0) >= _LEAST_SEEDS for arm in arms)
    }
    return {key: outcome for key, outcome in runs.items() if key.task in tasks}


def arms_table(tables: dict[str, Table]) -> list[str]:
    """Return each arm's cost, and its difference to plain training of that cost, by task."""
    arms = next(iter(tables.values())).arms
    others = [arm for arm in arms if not arm.startswith("plain ")]
    lines = [row(["arm", "cost", *tables]), row(["---"] * (len(tables) + 2))]
    lines.append(
        row(["plain, full: accuracy", "1.00"]
            + [f"{table.of(FULL, accuracy).value:.2f}" for table in tables.values()])
    )  # fmt: skip
    for arm in others:
        costs = [table.cost(arm) for table in tables.values()]
        differences = [shown(table.to_plain(arm)) for table in tables.values()]
        lines.append(row([arm, f"{statistics.mean(costs):.2f}", *differences]))
    return lines


def full_table(tables: dict[str, Table]) -> list[str]:
    """Return each arm's difference to full plain training, by task."""
    arms = next(iter(tables.values())).arms
    lines = [row(["arm", *tables]), row(["---"] * (len(tables) + 1))]
    lines += [
        row([arm, *(shown(table.to_arm(arm, FULL)) for table in tables.values())])
        for arm in arms
        if arm != FULL
    ]
    return lines


def selection_table(tables: dict[str, Table]) -> list[str]:
    """Return what choosing is worth: the rule beside random skipping of the same share."""
    lines = [row(["task", "to plain, same compute", "to random, same share", "to full plain"])]
    lines.append(row(["---"] * 4))
    lines += [
        row([
            task,
            shown(table.to_plain(ARM)),
            shown(table.to_arm(ARM, RANDOM)),
            shown(table.to_arm(ARM, FULL)),
        ])
        for task, table in tables.items()
    ]  # fmt: skip
    return lines


def bar_table(lines: Iterable[Line]) -> list[str]:
    """Return the demands, what was found, and whether each is reached."""
    return [
        row(["demand", "found", "reached"]),
        row(["---"] * 3),
        *(row([line.demand, line.found, "yes" if line.reached else "**no**"]) for line in lines),
    ]


def by_kind_of(tables: Iterable[str]) -> dict[str, list[str]]:
    """Return the tasks by what their data are."""
    words = {"clean": "clean data", "noisy": "wrong labels", "tail": "long tails"}
    by_kind: dict[str, list[str]] = {word: [] for word in words.values()}
    for task in tables:
        by_kind[words[TASKS[task].kind]].append(task)
    return by_kind


def bar_of(tables: dict[str, Table]) -> list[Line]:
    """Return all demands."""
    by_kind = by_kind_of(tables)
    peers = ["AWS's scheme, beta 1", "Composer's selective backprop", "InfoBatch", "KAKURENBO"]
    lines = against_aws(tables, by_kind["clean data"], RULE)
    lines += against_controls(tables, ARM, RANDOM)
    lines += frontier(tables, ARM, peers)
    if by_kind["wrong labels"]:
        lines += with_wrong_labels(tables, by_kind["wrong labels"], ARM)
    return lines + worst_class(tables, ARM)


def seeds_of(runs: Runs) -> str:
    """Return in words how many seeds there are."""
    counts: dict[tuple[str, str], int] = {}
    for key in runs:
        counts[key.task, key.arm] = counts.get((key.task, key.arm), 0) + 1
    low, high = min(counts.values()), max(counts.values())
    return f"{low}" if low == high else f"{low} to {high}"


def page(file: Path, runs: Runs, picture: str) -> str:
    """Return the page.

    Args:
        file: of the runs.
        runs: those of it that the page is about.
        picture: its name.
    """
    plan = file.stem.removeprefix("learning_")
    tables = {task: Table(runs, task) for task in TASKS if any(key.task == task for key in runs)}
    first = json.loads(file.read_text(encoding="utf-8").splitlines()[0])
    head = _HEAD.format(
        plan=plan,
        file=file.name,
        number=len(runs),
        seeds=seeds_of(runs),
        picture=picture,
        **{name: first[name] for name in ("machine", "torch", "date")},
    )
    parts = [
        ("## In short", summary_table(tables, by_kind_of(tables), HEADLINE)),
        ("## All tasks together", summary_table(tables, by_kind_of(tables))),
        ("## The rule, beside its controls", selection_table(tables)),
        *([("## The bar", bar_table(bar_of(tables)))] if plan == "full" else []),
        ("## All arms, to plain training of the same compute", arms_table(tables)),
        ("## All arms, to full plain training", full_table(tables)),
    ]
    body = [line for title, lines in parts for line in (title, "", *lines, "")]
    return head + "\n".join(body)


_EXPLORED_HEAD = """\
# What was tried before the comparison

Written by `python benchmarks/learning/page.py explore` from [{file}]({file}): {number} trainings on
seeds that the comparison does not have, on six of its tasks. Points of accuracy beside plain
training for half the epochs, seeds in brackets; about half of the passes, each. One of one seed
says little: of two trainings of WordNet alone the difference has a standard error of half a point.

"To" says where the kept share falls to, of where it starts; "tenth on all": the last tenth of the
training is on all data; "rate by data": the learning rate follows the data seen, else the steps.
"Value" is that of learnability, "wait" the epochs since a row was last trained on; staleness 1 is
value ** 1.5 * wait, and the default. "In turns": a row that waited longer comes first.

## All that was tried

"""


def explored(file: Path, runs: Runs) -> str:
    """Return the page of what was tried."""
    tables = {task: Table(runs, task) for task in EXPLORED_TASKS}
    head = _EXPLORED_HEAD.format(file=file.name, number=len(runs))
    return head + "\n".join(explored_table(tables, "plain 50%")) + "\n"


def main() -> None:
    """Write page and picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", nargs="?", default="full", choices=["short", "full", "explore"])
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the runs")
    options = parser.parse_args()
    file = options.results / f"learning_{options.plan}.jsonl"
    runs = read(file)
    if options.plan == "explore":
        text = explored(file, runs)
        (options.results / "learning_explore.md").write_text(text, encoding="utf-8")
        print(text)
        return
    runs = whole(runs)
    name = "learning" if options.plan == "full" else f"learning_{options.plan}"
    draw(runs, options.results / f"{name}.png")
    text = page(file, runs, f"{name}.png")
    (options.results / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
