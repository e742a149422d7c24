"""Writes the tables that come from the code, or from results, into the pages, between marks."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from sift_toolkit.client import _aws_faults, _limits
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


def limits_table() -> str:
    """Return the table of limits: name, value and source of each, as the module has them."""
    rows = ["| limit | value | source | what it is |", "| --- | --- | --- | --- |"]
    for name, told in documented_limits():
        source, _, meaning = told.partition(": ")
        value = _in_words(getattr(_limits, name)).replace("|", "\\|")
        rows.append(f"| `{name}` | {value} | {source} | {meaning} |")
    return "\n".join(rows)


def faults_table() -> str:
    """Return the table of AWS's own errors: what the package says of each, and their codes."""
    rows = ["| cause | mend | codes of AWS |", "| --- | --- | --- |"]
    for fault in _aws_faults.FAULTS:
        codes = (
            ", ".join(f"`{code}`" for code in sorted(fault.codes | fault.classes)) or "by its words"
        )
        rows.append(f"| {fault.cause} | {fault.mend} | {codes} |")
    return "\n".join(rows)


def documented_limits() -> Iterator[tuple[str, str]]:
    """Yield name and docstring of each limit, in the order of the module."""
    body = ast.parse(inspect.getsource(_limits)).body
    for node, after in itertools.pairwise(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            assert isinstance(after, ast.Expr), node.target.id
            assert isinstance(after.value, ast.Constant), node.target.id
            yield node.target.id, " ".join(inspect.cleandoc(str(after.value.value)).split())


def _in_words(value: object) -> str:
    """Return a limit's value as a table shows it."""
    if isinstance(value, re.Pattern):
        return f"`{value.pattern}`"
    if isinstance(value, frozenset):
        return ", ".join(f"`{item}`" for item in sorted(value))
    if isinstance(value, dict):
        return ", ".join(f"`{name}` {_bounds(*bounds)}" for name, bounds in value.items())
    return f"{value:,}" if isinstance(value, int) else f"`{ascii(value)[1:-1]}`"


def _bounds(least: int, most: int | None) -> str:
    return f"from {least:,}" + ("" if most is None else f" to {most:,}")


TABLES = {
    "config": config_table,
    "faults": faults_table,
    "limits": limits_table,
    "metrics": metrics_table,
}
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
RESULTS = ROOT / "benchmarks" / "results"
QUOTE = re.compile(
    r"<!-- quoted: (?P<page>\S+\.md), (?P<heading>.+?): begin -->\n.*?<!-- quoted: end -->",
    re.DOTALL,
)
"""Marks of what a page quotes of the benchmarks' results: a table or a block, by its heading."""
QUOTABLE = re.compile(r"(?:^\|[^\n]*\n)+|^```.*?^```\n", re.MULTILINE | re.DOTALL)


def quoted(page: str, heading: str) -> str:
    """Return the first table or fenced block below a heading of a page of results."""
    text = (RESULTS / page).read_text(encoding="utf-8")
    _, found, below = text.partition(f"\n## {heading}\n")
    table = QUOTABLE.search(below.partition("\n## ")[0])
    assert found, f"{page} has no heading {heading!r}"
    assert table, f"below {heading!r} {page} has neither a table nor a block"
    return table[0]


def _with_quote(mark: re.Match[str]) -> str:
    page, heading = mark["page"], mark["heading"]
    begin, end = f"<!-- quoted: {page}, {heading}: begin -->", "<!-- quoted: end -->"
    return f"{begin}\n{quoted(page, heading)}{end}"


def render(text: str) -> str:
    """Return *text* with every generated table and every quote as it should be now."""
    text = QUOTE.sub(_with_quote, text)
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
