"""The table of twins as plain text."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sift_toolkit.client._comparison import NOT_REPORTED, Spread, TwinComparison
from sift_toolkit.client._text_table import draw_table
from sift_toolkit.errors import SiftUsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["render_table"]

_NOTE: Final = (
    "Cost saved: share of the plain twin's training cost, median of the pairs. Measured: seconds "
    "loading, scoring and training. Counted: passes made, a scored sample as a third of a trained "
    "one. Kept, accuracy: mean of the runs. Difference: sifted minus plain, mean of the pairs."
)


@dataclass(frozen=True, slots=True)
class _Column:
    title: tuple[str, str]
    figure: Callable[[TwinComparison], Spread | None]
    form: Callable[[float], str]


def _one_decimal(share: float) -> str:
    return f"{100 * share:.1f}"


def _two_decimals(share: float) -> str:
    return f"{100 * share:.2f}"


_COLUMNS: Final = (
    _Column(("data", "kept %"), lambda twins: twins.kept_share, _one_decimal),
    _Column(("cost saved", "measured %"), lambda twins: twins.measured_saving, _one_decimal),
    _Column(("cost saved", "counted %"), lambda twins: twins.counted_saving, _one_decimal),
    _Column(("accuracy", "plain %"), lambda twins: twins.plain_accuracy, _two_decimals),
    _Column(("accuracy", "sifted %"), lambda twins: twins.sifted_accuracy, _two_decimals),
    _Column(("difference", "in points"), lambda twins: twins.difference, "{:+.2f}".format),
)


def render_table(rows: Sequence[TwinComparison]) -> str:
    """Return the table of *rows*, at most 100 characters wide, without a line end.

    A row of several pairs has a second line: the range of each figure, lowest to highest.

    Raises:
        SiftUsageError: there are no rows.
    """
    if not rows:
        msg = "render_table needs at least one TwinComparison, got none"
        raise SiftUsageError(msg)
    drawn = draw_table(
        [column.title for column in _COLUMNS], [line for row in rows for line in _lines(row)]
    )
    return "\n".join([*drawn, "", *textwrap.wrap(_NOTE, len(drawn[2]))])


def _lines(row: TwinComparison) -> Iterator[tuple[str, list[str]]]:
    """Yield label and cells of each line that *row* takes."""
    figures = [(column.figure(row), column.form) for column in _COLUMNS]
    yield row.label, [NOT_REPORTED if one is None else form(one.center) for one, form in figures]
    if (num_pairs := len(row.plain)) > 1:
        yield f"  over {num_pairs} pairs", [_range(one, form) for one, form in figures]


def _range(spread: Spread | None, form: Callable[[float], str]) -> str:
    if spread is None:
        return ""
    low, high = form(spread.low), form(spread.high)
    return low if low == high else f"{low}..{high}"
