"""The bar that the rules were set, and whether they reach it: counted, not judged by eye."""

from __future__ import annotations

import statistics
from typing import NamedTuple

from figures import FULL, Mean, Table, accuracy, worst

AWS_TABLE = {0.67: (31, 0.2), 0.5: (47, 0.4), 0.33: (62, 0.6)}
"""By overall kept share: percent of the compute to save at least, points of accuracy at most."""
_NEARLY_ALL = 0.1
_MUCH_SAVED = 40
_WORST_CLASS_AT_MOST = 0.5


class Line(NamedTuple):
    """One demand."""

    demand: str
    found: str
    reached: bool


def against_aws(tables: dict[str, Table], clean: list[str], rule: str) -> list[Line]:
    """Return how the rule does on the terms of AWS's table: same epochs, against full training.

    Args:
        tables: by task.
        clean: the clean tasks.
        rule: its arms are called "RULE 67%" and so on.
    """
    lines = []
    free = 0
    for kept, (saved, most) in AWS_TABLE.items():
        arm = f"{rule} {kept:.0%}"
        lost = [-tables[task].to_arm(arm, FULL).value for task in clean]
        savings = [100 * (1 - tables[task].cost(arm)) for task in clean]
        loss, saving = statistics.mean(lost), statistics.mean(savings)
        lines.append(
            Line(
                f"{kept:.0%} kept: at least {saved} % saved, at most {most} points lost",
                f"{saving:.0f} % saved, {loss:+.2f} points lost",
                saving >= saved and loss <= most,
            )
        )
        if saving >= _MUCH_SAVED:
            free = max(free, sum(each <= _NEARLY_ALL for each in lost))
    demand = f"{_MUCH_SAVED} % saved for at most {_NEARLY_ALL} points on three clean tasks"
    return [*lines, Line(demand, f"on {free}", free >= 3)]


def against_controls(tables: dict[str, Table], arm: str, random: str) -> list[Line]:
    """Return how an arm does beside plain training of its compute, and random skipping."""
    to_plain = {task: table.to_plain(arm) for task, table in tables.items()}
    to_random = {task: table.to_arm(arm, random) for task, table in tables.items()}
    return [
        _never_worse(to_plain, "plain training of the same compute"),
        _never_worse(to_random, "random skipping of the same share"),
        _often_better(to_plain, "plain training of the same compute", len(tables) // 2 + 1),
        _often_better(to_random, "random skipping", -(-len(tables) // 2)),
    ]


def _never_worse(differences: dict[str, Mean], control: str) -> Line:
    below = [task for task, mean in differences.items() if mean.in_errors < -1]
    return Line(
        f"never more than a standard error below {control}",
        f"below on {', '.join(below)}" if below else "on no task",
        not below,
    )


def _often_better(differences: dict[str, Mean], control: str, needed: int) -> Line:
    number = sum(mean.in_errors >= 2 for mean in differences.values())
    return Line(
        f"two standard errors above {control} on at least {needed} of {len(differences)} tasks",
        f"on {number}",
        number >= needed,
    )


def with_wrong_labels(tables: dict[str, Table], noisy: list[str], arm: str) -> list[Line]:
    """Return how an arm does at half the compute beside full training, labels being wrong."""
    to_full = {task: tables[task].to_arm(arm, FULL) for task in noisy}
    below = [task for task, mean in to_full.items() if mean.value < 0]
    above = sum(mean.in_errors >= 2 for mean in to_full.values())
    return [
        Line(
            "wrong labels: at half the compute as accurate as full training on every task",
            f"below on {', '.join(below)}" if below else "on every task",
            not below,
        ),
        Line(
            "and two standard errors above on at least two",
            f"on {above}",
            above >= 2,
        ),
    ]


def worst_class(tables: dict[str, Table], arm: str) -> list[Line]:
    """Return how an arm's worst class does beside plain training's of the same compute."""
    differences = {task: table.to_plain(arm, worst) for task, table in tables.items()}
    below = [task for task, mean in differences.items() if mean.value < -_WORST_CLASS_AT_MOST]
    sure = [task for task in below if differences[task].in_errors < -2]
    return [
        Line(
            f"worst class at most {_WORST_CLASS_AT_MOST} points below plain training's",
            f"further below on {', '.join(below)}; by two standard errors on "
            f"{', '.join(sure) or 'none'}"
            if below
            else "on every task",
            not below,
        )
    ]


def frontier(tables: dict[str, Table], arm: str, peers: list[str]) -> list[Line]:
    """Return on how many tasks an arm is further above plain training than each peer rule is."""
    lines = []
    for peer in peers:
        better = [
            table.to_plain(arm, accuracy).value - table.to_plain(peer, accuracy).value
            for table in tables.values()
        ]
        lines.append(
            Line(
                f"further above plain training of its own compute than {peer}",
                f"by {statistics.mean(better):+.2f} points on average; on "
                f"{sum(each > 0 for each in better)} of {len(better)} tasks",
                all(each > 0 for each in better),
            )
        )
    return lines
