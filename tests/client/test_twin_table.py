"""The table of twins, read as text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sift_toolkit.client._comparison import JobFigures, compare_twins
from sift_toolkit.client._twin_table import render_table
from sift_toolkit.errors import SiftUsageError

PLAIN = JobFigures(
    name="plain",
    load_seconds=1.0,
    score_seconds=0.0,
    train_seconds=19.0,
    passes=1000.0,
    validation_accuracy=0.9717,
)
SIFTED = JobFigures(
    name="sifted",
    kept_share=0.5,
    load_seconds=1.0,
    score_seconds=2.0,
    train_seconds=9.0,
    passes=666.0,
    validation_accuracy=0.97,
)
SIFTED_FASTER = JobFigures(
    name="sifted",
    kept_share=0.5,
    load_seconds=1.0,
    score_seconds=1.0,
    train_seconds=8.0,
    passes=666.0,
    validation_accuracy=0.9726,
)


def test_one_pair() -> None:
    """One pair takes one row: kept, saved by time and by count, both accuracies, difference."""
    table = render_table([compare_twins([PLAIN], [SIFTED], label="Letters, keep 0.5")])
    assert table.splitlines()[:5] == [
        "                     data  cost saved  cost saved  accuracy  accuracy  difference",
        "                   kept %  measured %   counted %   plain %  sifted %   in points",
        "-----------------  ------  ----------  ----------  --------  --------  ----------",
        "Letters, keep 0.5    50.0        40.0        33.4     97.17     97.00       -0.17",
        "",
    ]


def test_repeats_have_a_line_for_their_range() -> None:
    """Several pairs have a second line: lowest to highest, once where both are the same."""
    twins = compare_twins([PLAIN, PLAIN], [SIFTED, SIFTED_FASTER], label="Letters")
    first, second = render_table([twins]).splitlines()[3:5]
    assert first.split() == ["Letters", "50.0", "45.0", "33.4", "97.17", "97.13", "-0.04"]
    assert second.split() == [
        *("over", "2", "pairs"),
        *("50.0", "40.0..50.0", "33.4", "97.17", "97.00..97.26", "-0.17..+0.09"),
    ]


def test_missing_figures_are_said() -> None:
    """A figure that was not reported is said in its place."""
    twins = compare_twins([PLAIN], [JobFigures(name="silent")], label="Letters")
    row = render_table([twins]).splitlines()[3]
    assert row.count("not reported") == 5
    assert "97.17" in row


def test_the_note_says_what_the_figures_are() -> None:
    """Below the table stands which of them are medians, means, measured and counted."""
    note = render_table([compare_twins([PLAIN], [SIFTED], label="Letters")]).partition("\n\n")[2]
    told = " ".join(note.split())
    for fact in ("median of the pairs", "scoring and training", "a third", "mean of the runs"):
        assert fact in told


def test_no_rows_are_refused() -> None:
    """A table of nothing is a mistake of its caller."""
    with pytest.raises(SiftUsageError, match="at least one TwinComparison"):
        render_table([])


@given(
    labels=st.lists(
        st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1),
        min_size=1,
        max_size=4,
    ),
    seconds=st.floats(1e-3, 1e4),
    known=st.booleans(),
    num_pairs=st.integers(1, 3),
)
@settings(max_examples=60)
def test_any_table_fits(labels: list[str], seconds: float, known: bool, num_pairs: int) -> None:
    """No table is wider than 100 characters or has blanks at a line's end, whatever the labels."""
    sifted = JobFigures(
        name="sifted", load_seconds=0.0, score_seconds=0.0, train_seconds=seconds, kept_share=0.5
    )
    rows = [
        compare_twins([PLAIN] * num_pairs, [sifted if known else PLAIN] * num_pairs, label=label)
        for label in labels
    ]
    table = render_table(rows)
    assert max(map(len, table.splitlines())) <= 100
    assert all(line == line.rstrip() for line in table.splitlines())
