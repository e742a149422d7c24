"""Writes the tables of config fields and metrics into README.md and docs/, between their marks."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from sift_toolkit.config import SiftConfig, help_of, key_of, rule_of
from sift_toolkit.metrics import METRICS, NAME_PREFIX

ROOT = Path(__file__).resolve().parent.parent


def config_table() -> str:
    """Return the table of config fields."""
    rows = ["| field | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    rows += [
        f"| `{field.name}` | `{field.default!r}` | {rule_of(field).allowed} | {help_of(field)} |"
        for field in dataclasses.fields(SiftConfig)
    ]
    rows.append("")
    rows.append(f"On the wire each travels as a hyperparameter, such as `{key_of('keep')}`.")
    return "\n".join(rows)


def metrics_table() -> str:
    """Return the table of metrics."""
    rows = ["| metric | unit | meaning |", "| --- | --- | --- |"]
    rows += [
        f"| `{NAME_PREFIX}{metric.name}` | {metric.unit} | {metric.help} |" for metric in METRICS
    ]
    return "\n".join(rows)


TABLES = {"config": config_table, "metrics": metrics_table}
PAGES = (ROOT / "README.md", ROOT / "docs" / "metrics.md")


def render(text: str) -> str:
    """Return *text* with every generated table as it should be now."""
    for name, table in TABLES.items():
        start, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, mark, rest = text.partition(start)
        if mark:
            text = f"{before}{start}\n{table()}\n{end}{rest.partition(end)[2]}"
    return text


def main() -> None:
    """Write all pages."""
    for page in PAGES:
        page.write_text(render(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
