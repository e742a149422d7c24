"""All tasks in one table: what each arm costs, and what it is worth on clean and on other data."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence

from figures import FULL, Mean, Table


def mean_over(means: Sequence[Mean]) -> Mean:
    """Return the mean over tasks; its error is that of the seeds, the tasks being what they are."""
    error = sum(mean.error**2 for mean in means) ** 0.5 / len(means)
    return Mean(statistics.mean(mean.value for mean in means), error, len(means))


def shown(mean: Mean) -> str:
    """Return a difference in points with its standard error."""
    return f"{mean.value:+.2f} ± {mean.error:.2f}"


def row(cells: Iterable[object]) -> str:
    """Return one row of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def summary_table(
    tables: dict[str, Table], kinds: dict[str, list[str]], arms: Iterable[str] | None = None
) -> list[str]:
    """Return one row an arm, plain training of all epochs left out.

    Args:
        tables: by task.
        kinds: names of the tasks of each kind; one without any has no column.
        arms: only these; None: all.
    """
    present = {kind: names for kind, names in kinds.items() if names}
    lines = [
        row(
            [
                "way to train",
                "passes",
                *(f"{kind}, to full training" for kind in present),
                "all tasks, to plain training of the same passes",
            ]
        ),
        row(["---"] * (len(present) + 3)),
    ]
    known = next(iter(tables.values())).arms
    shown_arms = [arm for arm in arms or known if arm != FULL and arm in known]
    return [*lines, *(row(_cells(arm, tables, present)) for arm in shown_arms)]


def _cells(arm: str, tables: dict[str, Table], kinds: dict[str, list[str]]) -> list[str]:
    cost = statistics.mean(table.cost(arm) for table in tables.values())

    def over(names: Iterable[str], difference: Callable[[Table], Mean]) -> str:
        return shown(mean_over([difference(tables[name]) for name in names]))

    return [
        arm,
        f"{cost:.0%}",
        *(over(names, lambda table: table.to_arm(arm, FULL)) for names in kinds.values()),
        "" if arm.startswith("plain ") else over(tables, lambda table: table.to_plain(arm)),
    ]


def explored_table(tables: dict[str, Table], base: str) -> list[str]:
    """Return each arm's difference to *base* by task, with the number of seeds; the best first."""
    arms = {arm for table in tables.values() for arm in table.arms} - {base}
    rows = {arm: [_to_base(table, arm, base) for table in tables.values()] for arm in arms}

    def worth(arm: str) -> tuple[bool, float]:
        known = [value for value, seeds in rows[arm] if seeds]
        return len(known) == len(tables), statistics.mean(known)

    lines = [row(["way to train", *tables]), row(["---"] * (len(tables) + 1))]
    for arm in sorted(arms, key=worth, reverse=True):
        cells = [f"{value:+.2f} ({seeds})" if seeds else "" for value, seeds in rows[arm]]
        lines.append(row([arm, *cells]))
    return lines


def _to_base(table: Table, arm: str, base: str) -> tuple[float, int]:
    differences = table.differences(arm, base)
    return (statistics.mean(differences) if differences else 0.0), len(differences)
