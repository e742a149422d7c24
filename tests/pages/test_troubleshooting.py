"""docs/troubleshooting.md has every error and every message, and none that there is not."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from sift_toolkit import errors
from sift_toolkit.smart_sifting import __all__ as aws_names
from tests.pages.messages import HOLE, NAMES, Message, all_texts, messages, raised

PAGE: Final = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text("utf-8")
NO_ERRORS: Final = {
    "cli/_doctor*.py": "what `doctor` prints",
    "client/_compare_html.py": "a page",
    "client/_page_shell.py": "a page",
    "client/_report_page.py": "a page",
    "client/_report_section.py": "a page",
    "client/_trial_html.py": "a page",
    "client/_trial_table.py": "notes below a table",
    "client/_trial_verdict.py": "reasons of a verdict",
    "client/_trial_words.py": "a verdict",
    "config/_shown.py": "a page",
    "display/*.py": "pictures and tables",
    "report/_time.py": "words in a picture",
    "report/_words.py": "words below a picture",
    "client/_compare_notes.py": "notes below a comparison",
    "client/_progress_display.py": "a bar",
    "testing/_fake_job.py": "a job's note",
    "testing/_request_model.py": "AWS's own API model in words, which names the part itself",
}
"""Files whose texts are told, not raised."""
PARTS: Final = {
    "…, compared to …": "a title",
    "(… to …)": "a line of a table",
    "Last lines of its log": "what follows a message of a job that failed",
    "over … pairs": "a line of a table",
    "…: …; …": "cause, AWS's words and mend, from the table of faults",
    "a number ……": "what a field allows, within another message",
    "a whole number from …": "what a field allows, within another message",
    "… (… x plain, … x sifted)": "a line of a table",
    "its report comes with its output data": "a note of a job that still runs",
    "…, seed …": "the name of a run",
    "… … ………": "a line of progress",
    "it …: …": "how a job ended, within another message",
    "its step is …": "what came, within another message",
    "it is nested too deeply": "what came, within another message",
    "a … that cannot be shown": "what came, within another message",
    "one for each of … percentiles": "what came, within another message",
    "its figures are none": "what came, within another message",
    "it counts, and has no score or no passes": "what came, within another message",
    "there, … here": "what differs, within another message",
    "more of the model": "what differs, within another message",
    "not there any more": "what differs, within another message",
    "sift_toolkit: … is left out of this job's code": "a note in the log",
    "without dimensions": "what came, within another message",
    "an object of …": "what came, within another message",
    "a tensor of … of shape …": "what came, within another message",
    "classes: … labels": "what came, within another message",
    "No job was started": "what is left behind, within another message",
    "Its code is at …": "what is left behind, within another message",
}
"""Texts that are no message by themselves, and what they are instead."""
TELLING: Final = 3
KEY: Final = re.compile(r"`([^`]+)`")


def keys() -> list[str]:
    """The messages in the first column of the page's tables."""
    rows = [line.split(" | ")[0] for line in PAGE.splitlines() if line.startswith("| `")]
    found = [key for row in rows for key in KEY.findall(row)]
    return [key for key in found if not hasattr(errors, key)]


def stands_for(key: str, text: str) -> bool:
    """Whether a text has all parts of a key in order, whatever is between them.

    A key of one or two words would stand for too much: it stands for that text alone.
    """
    if len(key.replace(HOLE, " ").split()) < TELLING:
        return text == key
    place = 0
    for part in key.split(HOLE):
        if (found := text.find(part, place)) < 0:
            return False
        place = found + len(part)
    return True


def unexplained(found: list[Message]) -> list[Message]:
    """Messages that no key stands for."""
    known = keys()
    return [each for each in found if not any(stands_for(key, each.text) for key in known)]


def test_every_message_has_a_row() -> None:
    """A message that is new in the code needs a row: message, cause, mend."""
    told = [
        each
        for each in messages()
        if not any(Path(each.place.partition(":")[0]).match(file) for file in NO_ERRORS)
        and not any(part in each.text for part in PARTS)
    ]
    assert len(told) > 350
    assert unexplained(told) == []


def test_a_message_without_a_row_is_found() -> None:
    """The page does not stand for whatever may come."""
    new = Message("the moon is in the wrong phase: wait for a fortnight", "nowhere.py:1")
    assert unexplained([new]) == [new]


def test_every_row_is_of_a_message() -> None:
    """What the page explains is said somewhere in the package."""
    texts = all_texts()
    assert [key for key in keys() if not any(stands_for(key, text) for text in texts)] == []


def test_no_message_stands_twice() -> None:
    """Each has one cause and one mend."""
    assert len(keys()) == len(set(keys()))


@pytest.mark.parametrize("name", sorted({*errors.__all__, *aws_names} - {"alias_smart_sifting"}))
def test_every_error_is_told(name: str) -> None:
    """Each class of the tree stands on the page."""
    assert f"`{name}`" in PAGE


def test_whatever_is_raised_is_told() -> None:
    """No error is raised whose class the page does not name."""
    made = {name for name, _, _ in raised() if not name.startswith("_")}
    assert len(made) >= len(errors.__all__) - 1
    assert {name for name in made if f"`{name}`" not in PAGE} == set()


def test_messages_go_by_their_names() -> None:
    """An error is given its text, or a name that this test looks for texts under."""
    hidden = [
        place
        for _, argument, place in raised()
        if isinstance(argument, ast.Name) and argument.id not in NAMES
    ]
    assert hidden == []


@pytest.mark.parametrize("texts", [NO_ERRORS, PARTS], ids=["files", "parts"])
def test_exceptions_are_needed(texts: dict[str, str]) -> None:
    """What is left out of the page is there to be left out."""
    places = [Path(each.place.partition(":")[0]) for each in messages()]
    unused = [
        key
        for key in texts
        if not any(place.match(key) for place in places)
        and not any(key in each.text for each in messages())
    ]
    assert unused == []


def test_rows_are_whole() -> None:
    """Each row has a message, a cause and a mend."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        assert all(cells), row
        assert len(cells) == (4 if hasattr(errors, cells[0].strip("`")) else 3), row
