"""Tables as text."""

from __future__ import annotations

from sift_toolkit.client._text_table import TABLE_WIDTH, draw_table


def test_columns_are_set_right_under_two_lines_of_titles() -> None:
    """The first cell stands left, the others right, below their titles and a rule."""
    assert draw_table([("data", "kept %"), ("", "s")], [("plain", ["100.0", "7,000"])]) == [
        "         data",
        "       kept %      s",
        "-----  ------  -----",
        "plain   100.0  7,000",
    ]


def test_a_long_label_is_wrapped() -> None:
    """A label that leaves no room for the numbers goes on below, indented."""
    label = " ".join(["word"] * 30)
    lines = draw_table([("a", "b")], [(label, ["1"])])
    assert max(map(len, lines)) <= TABLE_WIDTH
    assert lines[4].startswith("  word")


def test_a_label_of_blanks_still_has_its_line() -> None:
    """A label without letters does not lose its numbers."""
    assert draw_table([("a", "b")], [(" ", ["1"])])[-1].strip() == "1"
